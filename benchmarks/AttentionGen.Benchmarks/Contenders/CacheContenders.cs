using AttentionGen.Benchmarks.Kernels;
using AttentionGen.Benchmarks.Shapes;

namespace AttentionGen.Benchmarks.Contenders;

/// <summary>
/// A generated kernel over a cache, called as in a decode loop: the newest tokens are cut off, and a call appends them and attends. So each call finds the
/// same cache.
/// </summary>
internal abstract class CacheContender(Inputs inputs, string path) : Contender
{
    private readonly Tensor _output = new(inputs.Shape.QueryElements);

    public override string Name => "AttentionGen";

    public override string Path => path;

    public override string Layout => TokenMajor;

    public override string? Storage => inputs.Shape.Cache!.Storage.Name;

    public override bool IsManaged => true;

    protected Inputs Inputs => inputs;

    protected Shape Shape => inputs.Shape;

    protected ReadOnlySpan<float> Query => inputs.Query.Span;

    protected Span<float> Output => _output.Span;

    /// <summary>The elements of a token's keys.</summary>
    protected int KeyWidth => Shape.KeyValueHeads * Shape.HeadDim;

    public override ReadOnlySpan<float> OutputRow(int batch, int query, int head) =>
        Output.Slice(((batch * Shape.Queries + query) * Shape.Heads + head) * Shape.HeadDim, Shape.HeadDim);

    protected static string CoreOf(Delegate step) => AttentionInfo.Describe(step).Core;
}

/// <summary>The cache of one sequence, in one piece.</summary>
internal sealed class SequenceCacheContender<T> : CacheContender
    where T : unmanaged
{
    private readonly SequenceStep<T> _step;
    private readonly KeyValueCache<T> _cache;
    private readonly int _threads;

    public SequenceCacheContender(Inputs inputs, SequenceStep<T> step, Storage<T> storage, int threads)
        : base(inputs, CoreOf(step))
    {
        _step = step;
        _threads = threads;
        _cache = new KeyValueCache<T>(Shape.KeyValueHeads, Shape.HeadDim, capacity: Shape.Keys);
        StoredRows<T> keys = storage.Store(inputs.Key.Span, Shape.HeadDim), values = storage.Store(inputs.Value.Span, Shape.HeadDim);
        _cache.Append(keys.Elements, values.Elements, keys.Scales, values.Scales);
    }

    public override void Run()
    {
        int old = Shape.Keys - Shape.Queries;
        _cache.Truncate(old);
        _step(Query, Inputs.Key.Span[(old * KeyWidth)..], Inputs.Value.Span[(old * KeyWidth)..], _cache, Output, _threads);
    }

    public override void Dispose()
    {
        base.Dispose();
        _cache.Dispose();
    }
}

/// <summary>Sequences in pages, a token of each in a call.</summary>
internal sealed class PagedCacheContender<T> : CacheContender
    where T : unmanaged
{
    private readonly PagedStep<T> _step;
    private readonly PagedKeyValueCache<T> _cache;
    private readonly SequenceId[] _sequences;
    private readonly int[] _starts;
    private readonly Tensor _key, _value;
    private readonly int _threads;
    private readonly bool _apart;

    /// <param name="inputs">The tensors.</param>
    /// <param name="step">The kernel.</param>
    /// <param name="storage">How elements are stored.</param>
    /// <param name="threads">The most that a call may use.</param>
    /// <param name="apart">Whether each sequence has a call of its own.</param>
    public PagedCacheContender(Inputs inputs, PagedStep<T> step, Storage<T> storage, int threads, bool apart)
        : base(inputs, CoreOf(step))
    {
        _step = step;
        _threads = threads;
        _apart = apart;
        int pages = Enumerable.Range(0, Shape.Batch).Sum(batch => (Shape.KeysOf(batch) + CacheRow.PageTokens - 1) / CacheRow.PageTokens);
        _cache = new PagedKeyValueCache<T>(Shape.KeyValueHeads, Shape.HeadDim, pages, pageTokens: CacheRow.PageTokens);
        _sequences = [.. Enumerable.Range(0, Shape.Batch).Select(_ => _cache.CreateSequence())];
        _starts = [.. Enumerable.Range(0, Shape.Batch + 1)];
        _key = new Tensor(Shape.Batch * KeyWidth);
        _value = new Tensor(Shape.Batch * KeyWidth);
        for (int batch = 0; batch < Shape.Batch; batch++) Fill(batch, storage);
    }

    public override void Run()
    {
        for (int batch = 0; batch < _sequences.Length; batch++) _cache.Truncate(_sequences[batch], Shape.KeysOf(batch) - 1);
        if (!_apart)
        {
            _step(Query, _key.Span, _value.Span, _starts, _cache, _sequences, Output, _threads);
            return;
        }

        int queryWidth = Shape.Heads * Shape.HeadDim;
        for (int batch = 0; batch < _sequences.Length; batch++)
        {
            _step(
                Query.Slice(batch * queryWidth, queryWidth), Newest(_key, batch), Newest(_value, batch), _starts.AsSpan(0, 2),
                _cache, _sequences.AsSpan(batch, 1), Output.Slice(batch * queryWidth, queryWidth), _threads);
        }
    }

    public override void Dispose()
    {
        base.Dispose();
        _cache.Dispose();
    }

    private Span<float> Newest(Tensor tensor, int batch) => tensor.Span.Slice(batch * KeyWidth, KeyWidth);

    private void Fill(int batch, Storage<T> storage)
    {
        int first = Shape.FirstKeyOf(batch) * KeyWidth, length = Shape.KeysOf(batch) * KeyWidth;
        Span<float> keys = Inputs.Key.Span.Slice(first, length), values = Inputs.Value.Span.Slice(first, length);
        StoredRows<T> storedKeys = storage.Store(keys, Shape.HeadDim), storedValues = storage.Store(values, Shape.HeadDim);
        _cache.Append(_sequences[batch], storedKeys.Elements, storedValues.Elements, storedKeys.Scales, storedValues.Scales);
        keys[^KeyWidth..].CopyTo(Newest(_key, batch));
        values[^KeyWidth..].CopyTo(Newest(_value, batch));
    }
}

/// <summary>A token is appended. The cache is emptied when it is full.</summary>
internal sealed class AppendContender<T> : CacheContender
    where T : unmanaged
{
    private const int Tokens = 4096;

    private readonly Storage<T> _storage;
    private readonly KeyValueCache<T> _cache;
    private readonly StoredRows<T> _key, _value;

    public AppendContender(Inputs inputs, Storage<T> storage)
        : base(inputs, "Append")
    {
        _storage = storage;
        _cache = new KeyValueCache<T>(Shape.KeyValueHeads, Shape.HeadDim, capacity: Tokens);
        _key = storage.Store(inputs.Key.Span, Shape.HeadDim);
        _value = storage.Store(inputs.Value.Span, Shape.HeadDim);
    }

    public override void Run()
    {
        if (_cache.Length == Tokens) _cache.Truncate(0);
        _cache.Append(_key.Elements, _value.Elements, _key.Scales, _value.Scales);
    }

    /// <summary>The value that is stored, which the only key of a sequence has as its output.</summary>
    public override ReadOnlySpan<float> OutputRow(int batch, int query, int head)
    {
        StoredRows<T> key = _storage.Store(new float[KeyWidth], Shape.HeadDim), value = _storage.Store(new float[KeyWidth], Shape.HeadDim);
        _cache.Read(_cache.Length - 1, key.Elements, value.Elements, key.Scales, value.Scales);
        return _storage.Load(value, Shape.HeadDim).AsSpan(head * Shape.HeadDim, Shape.HeadDim);
    }

    public override void Dispose()
    {
        base.Dispose();
        _cache.Dispose();
    }
}
