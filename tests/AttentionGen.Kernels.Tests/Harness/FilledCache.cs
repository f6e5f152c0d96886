namespace AttentionGen.Kernels.Tests;

/// <summary>A cache with the keys and values of a call in one of its layers.</summary>
internal sealed class FilledCache : IDisposable
{
    /// <summary>The layer that has them, of two.</summary>
    public const int Layer = 1;

    private readonly IDisposable _cache;

    private FilledCache(IDisposable cache, SequenceId[] sequences) => (_cache, Sequences) = (cache, sequences);

    public object Cache => _cache;

    /// <summary>The sequences of the documents, where the cache has pages.</summary>
    public SequenceId[] Sequences { get; }

    public static FilledCache Of(Inputs inputs) => inputs.Problem.Declaration.Storage switch
    {
        Storage.Wide => Of<float>(inputs),
        Storage.Half => Of<Half>(inputs),
        Storage.BFloat16 => Of<BFloat16>(inputs),
        _ => Of<sbyte>(inputs),
    };

    public void Dispose() => _cache.Dispose();

    private static FilledCache Of<T>(Inputs inputs)
        where T : unmanaged
    {
        var (problem, declaration) = (inputs.Problem, inputs.Problem.Declaration);
        Rows<T> keys = inputs.KeyRows<T>(), values = declaration.ValueFromKey ? new([], [], 0) : inputs.ValueRows<T>();
        int heads = declaration.KeyValueHeads;
        if (declaration.KeysIn == KeyStore.Cache)
        {
            var whole = new KeyValueCache<T>(heads, declaration.KeyDim, declaration.ValueDim, layers: 2, valueFromKey: declaration.ValueFromKey);
            whole.Append(keys, values, Layer);
            return new(whole, []);
        }

        // The sequences take a page each in turn, so that none has its pages in order.
        int[] starts = problem.KeyDocumentStarts ?? problem.DocumentStarts ?? [0, problem.Keys];
        int page = problem.PageTokens, pages = starts.Length * (problem.Keys / page + 2);
        var paged = new PagedKeyValueCache<T>(heads, declaration.KeyDim, pages, declaration.ValueDim, layers: 2, page, declaration.ValueFromKey);
        var other = paged.CreateSequence();
        SequenceId[] ids = [.. Enumerable.Range(0, starts.Length - 1).Select(_ => paged.CreateSequence())];
        for (int first = 0; first < problem.Keys; first += page)
        {
            for (int i = 0; i < ids.Length; i++)
            {
                int from = starts[i] + first, end = Math.Min(from + page, starts[i + 1]);
                if (from < end) Append(ids[i], from, end);
            }

            if (first / page % 3 == 0 && paged.FreePages > pages / 2) Append(other, 0, Math.Min(page, problem.Keys));
        }

        return new(paged, ids);

        void Append(SequenceId id, int from, int end)
        {
            var (keyRows, valueRows) = (Part(keys), Part(values));
            paged.Append(id, keyRows.Elements, valueRows.Elements, keyRows.Scales, valueRows.Scales, Layer);
            Rows<T> Part(Rows<T> rows) => new(rows.Elements[(from * heads * rows.Dim)..(end * heads * rows.Dim)], rows.Scales.Length == 0 ? [] : rows.Scales[(from * heads)..(end * heads)], rows.Dim);
        }
    }
}
