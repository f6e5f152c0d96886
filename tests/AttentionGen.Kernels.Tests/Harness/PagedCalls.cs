using Xunit;

namespace AttentionGen.Kernels.Tests;

/// <summary>What tests of paged caches share: kernels, a call that appends random tokens, and all that a sequence holds.</summary>
internal static class PagedCalls
{
    public static readonly Declaration Plain = new(4, 32) { KeyValueHeads = 2, ValueDim = 24, Mask = AttentionMask.Causal };

    public static readonly Declaration[] Declarations =
    [
        Plain,
        Plain with { Mask = AttentionMask.None },
        new(3, 20) { Mask = AttentionMask.Causal, ValueDim = 7 },
        new(4, 64) { KeyValueHeads = 2, Mask = AttentionMask.Causal, Window = (100, -1) },
        new(8, 64) { KeyValueHeads = 2, Mask = AttentionMask.Causal },
        new(2, 64) { Mask = AttentionMask.Causal },
        Plain with { ChunkLength = 100 },
        Plain with { Dilation = 3 },
        Plain with { Alibi = true, SoftCap = 20, PrefixLength = 40 },
        Plain with { MaskText = "key % 5 != 1 && key <= query" },
    ];

    public static readonly PagedKernels Compiled = new(Declarations);

    /// <summary>Appends random tokens to sequences and attends.</summary>
    /// <returns>The queries of the call, and all keys and values as they are stored.</returns>
    public static Inputs Step<T>(PagedKernel<T> kernel, PagedKeyValueCache<T> cache, SequenceId[] ids, int[] tokens, int layer, int seed, out float[] output, int maxThreads = 1)
        where T : unmanaged
    {
        int[] starts = Starts(tokens), lengths = [.. ids.Select((id, i) => cache.LengthOf(id, layer) + tokens[i])], keyStarts = Starts(lengths);
        var given = new Inputs(new Problem(kernel.Declaration, starts[^1], starts[^1]), seed);
        output = new float[given.Problem.OutputLength];
        kernel.Step(given.Query, given.Key, given.Value, starts, cache, ids, layer, maxThreads, output);
        var all = new Inputs(new Problem(kernel.Declaration, starts[^1], keyStarts[^1]) { DocumentStarts = starts, KeyDocumentStarts = keyStarts });
        given.Query.CopyTo(all.Query, 0);
        int keyWidth = cache.KeyValueHeads * cache.HeadDim, valueWidth = cache.KeyValueHeads * cache.ValueDim;
        for (int i = 0; i < ids.Length; i++)
        {
            var (keys, values) = Read(cache, ids[i], layer);
            keys.CopyTo(all.Key, keyStarts[i] * keyWidth);
            values.CopyTo(all.Value, keyStarts[i] * valueWidth);
            Assert.Equal(Stored.Round<T>(given.Key.AsSpan(starts[i] * keyWidth, tokens[i] * keyWidth), cache.HeadDim).Floats, keys[(keys.Length - tokens[i] * keyWidth)..]);
            Assert.Equal(Stored.Round<T>(given.Value.AsSpan(starts[i] * valueWidth, tokens[i] * valueWidth), cache.ValueDim).Floats, values[(values.Length - tokens[i] * valueWidth)..]);
        }

        return all;
    }

    public static PagedKeyValueCache<T> Create<T>(Declaration declaration, int pageTokens = 32, int pages = 20, int layers = 1)
        where T : unmanaged => new(declaration.KeyValueHeads, declaration.HeadDim, pages, declaration.ValueDim, layers, pageTokens);

    /// <summary>All keys and values of a sequence.</summary>
    public static (float[] Keys, float[] Values) Read<T>(PagedKeyValueCache<T> cache, SequenceId id, int layer)
        where T : unmanaged => cache.Floats(id, 0, cache.LengthOf(id, layer), layer);

    public static int[] Starts(int[] lengths)
    {
        int[] starts = new int[lengths.Length + 1];
        for (int i = 0; i < lengths.Length; i++) starts[i + 1] = starts[i] + lengths[i];
        return starts;
    }
}
