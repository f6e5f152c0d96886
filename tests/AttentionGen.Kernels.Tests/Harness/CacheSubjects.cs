using Xunit;
using static AttentionGen.Kernels.Tests.ProgramKernels;

namespace AttentionGen.Kernels.Tests;

/// <summary>What programs on caches share: the shape of the caches, and kernels apart from those of other tests, since programs need few.</summary>
internal static class ProgramKernels
{
    /// <summary>The pages of a paged cache: so few that programs fill it.</summary>
    public const int Pages = 8;

    public const int Layers = 2, KeyDim = 32, ValueDim = 24;

    public static readonly CachedKernels Whole = new([PagedCalls.Plain]);

    public static readonly PagedKernels Paged = new([PagedCalls.Plain]);
}

/// <summary>The caches of a program. A sequence is known by its number.</summary>
internal abstract class CacheSubject<T> : IDisposable
    where T : unmanaged
{
    public virtual Declaration Declaration => PagedCalls.Plain;

    /// <summary>Whether a call may have two sequences.</summary>
    public virtual bool IsPaged => false;

    public abstract void Create();

    public abstract int LengthOf(int sequence, int layer);

    /// <summary>The tokens that are there, beside first keys.</summary>
    public virtual Range Retained(int sequence, int layer) => 0..LengthOf(sequence, layer);

    public abstract void Append(int sequence, Rows<T> keys, Rows<T> values, int layer);

    public abstract void Read(int sequence, int first, Rows<T> keys, Rows<T> values, int layer);

    public abstract void Step(int[] sequences, int[] starts, Inputs inputs, int layer, float[] output);

    public abstract void Look(int sequence, float[] query, int layer, float[] output);

    public abstract void Fork(int sequence);

    public abstract void Truncate(int sequence, int length);

    public abstract void Free(int sequence);

    /// <summary>Saves what has a sequence, loads it and goes on with that.</summary>
    public abstract void Save(int sequence);

    /// <summary>Checks that calls on a freed sequence are refused.</summary>
    public abstract void CheckFreed(int sequence);

    /// <summary>Checks what belongs to no sequence.</summary>
    /// <param name="models">Those that are not freed.</param>
    public virtual void Check(CacheModel<T>[] models)
    {
    }

    /// <summary>Whether a call must fail that appends.</summary>
    public virtual bool IsFull(int length, int tokens) => false;

    public abstract void Dispose();
}

/// <summary>A cache for each sequence.</summary>
internal abstract class SingleSubject<T, TCache>(Func<TCache> create, Func<Stream, TCache> load) : CacheSubject<T>
    where T : unmanaged
    where TCache : AttentionCache
{
    protected List<TCache> Caches { get; } = [];

    public override void Create() => Caches.Add(create());

    public override int LengthOf(int sequence, int layer) => Caches[sequence].LengthOf(layer);

    public override void Free(int sequence) => Caches[sequence].Dispose();

    public override void CheckFreed(int sequence)
    {
        Assert.Throws<ObjectDisposedException>(() => Append(sequence, Stored.Empty<T>(0, KeyDim), Stored.Empty<T>(0, ValueDim), 0));
        Assert.Throws<ObjectDisposedException>(() => Save(sequence));
        Assert.Throws<ObjectDisposedException>(() => Truncate(sequence, 0));
    }

    public override void Save(int sequence)
    {
        byte[] file = SavedCaches.Save(stream => Save(Caches[sequence], stream));
        var loaded = load(new MemoryStream(file));
        Caches[sequence].Dispose();
        Caches[sequence] = loaded;
        Assert.Equal(file, SavedCaches.Save(stream => Save(loaded, stream)));
    }

    public override void Dispose() => Caches.ForEach(cache => cache.Dispose());

    protected abstract void Save(TCache cache, Stream stream);
}

internal sealed class WholeSubject<T>(int capacity)
    : SingleSubject<T, KeyValueCache<T>>(() => new(2, 32, 24, Layers, capacity), KeyValueCache<T>.Load)
    where T : unmanaged
{
    private readonly CachedKernel<T> _kernel = Whole.Of<T>(PagedCalls.Plain);

    public override bool IsFull(int length, int tokens) => capacity > 0 && length + tokens > capacity;

    public override void Append(int sequence, Rows<T> keys, Rows<T> values, int layer) => Caches[sequence].Append(keys.Elements, values.Elements, keys.Scales, values.Scales, layer);

    public override void Read(int sequence, int first, Rows<T> keys, Rows<T> values, int layer) => Caches[sequence].Read(first, keys.Elements, values.Elements, keys.Scales, values.Scales, layer);

    public override void Step(int[] sequences, int[] starts, Inputs inputs, int layer, float[] output) => _kernel.Step(inputs.Query, inputs.Key, inputs.Value, Caches[sequences[0]], layer, 1, output);

    public override void Look(int sequence, float[] query, int layer, float[] output) => _kernel.Read(query, Caches[sequence], layer, 1, output);

    public override void Fork(int sequence) => Caches.Add(Caches[sequence].Clone());

    public override void Truncate(int sequence, int length) => Caches[sequence].Truncate(length);

    protected override void Save(KeyValueCache<T> cache, Stream stream) => cache.Save(stream);
}

internal sealed class RingSubject<T>(int slack)
    : SingleSubject<T, RingKeyValueCache<T>>(() => RingCalls.Create<T>(RingCalls.First, slack, Layers), RingKeyValueCache<T>.Load)
    where T : unmanaged
{
    private readonly (RingStep<T> Step, RingRead<T> Read) _kernel = RingCalls.Of<T>(RingCalls.First);

    public override Declaration Declaration => RingCalls.First;

    public override Range Retained(int sequence, int layer) => Caches[sequence].RetainedOf(layer);

    public override void Append(int sequence, Rows<T> keys, Rows<T> values, int layer) => Caches[sequence].Append(keys.Elements, values.Elements, keys.Scales, values.Scales, layer);

    public override void Read(int sequence, int first, Rows<T> keys, Rows<T> values, int layer) => Caches[sequence].Read(first, keys.Elements, values.Elements, keys.Scales, values.Scales, layer);

    public override void Step(int[] sequences, int[] starts, Inputs inputs, int layer, float[] output) => _kernel.Step(inputs.Query, inputs.Key, inputs.Value, Caches[sequences[0]], layer, 1, output);

    public override void Look(int sequence, float[] query, int layer, float[] output) => _kernel.Read(query, Caches[sequence], layer, 1, output);

    public override void Fork(int sequence) => Caches.Add(Caches[sequence].Clone());

    public override void Truncate(int sequence, int length) => Caches[sequence].Truncate(length);

    protected override void Save(RingKeyValueCache<T> cache, Stream stream) => cache.Save(stream);
}

internal sealed class PagedSubject<T>(int pageTokens) : CacheSubject<T>
    where T : unmanaged
{
    private readonly PagedKernel<T> _kernel = Paged.Of<T>(PagedCalls.Plain);
    private readonly List<SequenceId> _ids = [];
    private PagedKeyValueCache<T> _cache = PagedCalls.Create<T>(PagedCalls.Plain, pageTokens, Pages, Layers);

    public override bool IsPaged => true;

    public override void Create() => _ids.Add(_cache.CreateSequence());

    public override int LengthOf(int sequence, int layer) => _cache.LengthOf(_ids[sequence], layer);

    public override void Append(int sequence, Rows<T> keys, Rows<T> values, int layer) => _cache.Append(_ids[sequence], keys.Elements, values.Elements, keys.Scales, values.Scales, layer);

    public override void Read(int sequence, int first, Rows<T> keys, Rows<T> values, int layer) => _cache.Read(_ids[sequence], first, keys.Elements, values.Elements, keys.Scales, values.Scales, layer);

    public override void Step(int[] sequences, int[] starts, Inputs inputs, int layer, float[] output) =>
        _kernel.Step(inputs.Query, inputs.Key, inputs.Value, starts, _cache, [.. sequences.Select(sequence => _ids[sequence])], layer, 1, output);

    public override void Look(int sequence, float[] query, int layer, float[] output) => _kernel.Read(query, [0, query.Length / 128], _cache, [_ids[sequence]], layer, 1, output);

    public override void Fork(int sequence) => _ids.Add(_cache.Fork(_ids[sequence]));

    public override void Truncate(int sequence, int length) => _cache.Truncate(_ids[sequence], length);

    public override void Free(int sequence) => _cache.Free(_ids[sequence]);

    public override void Save(int sequence)
    {
        SequenceId[] saved = [];
        byte[] file = SavedCaches.Save(stream => saved = _cache.Save(stream));
        var loaded = PagedKeyValueCache<T>.Load(new MemoryStream(file));
        Assert.Equal((_cache.UsedPages, _cache.Pages, _cache.Sequences), (loaded.UsedPages, loaded.Pages, loaded.Sequences));
        var ids = loaded.GetSequences();
        for (int i = 0; i < saved.Length; i++) _ids[_ids.IndexOf(saved[i])] = ids[i];
        _cache.Dispose();
        _cache = loaded;
        Assert.Equal(file, SavedCaches.Save(stream => loaded.Save(stream)));
    }

    public override void CheckFreed(int sequence)
    {
        Assert.Throws<ArgumentException>(() => LengthOf(sequence, 0));
        Assert.Throws<ArgumentException>(() => Free(sequence));
    }

    public override void Check(CacheModel<T>[] models)
    {
        Assert.Equal(models.Length, _cache.Sequences);
        Assert.InRange(_cache.UsedPages, 0, models.Sum(model => (model.Longest + pageTokens - 1) / pageTokens)); // less where pages are shared
    }

    /// <summary>No call needs more pages than those that it writes to.</summary>
    public void CheckFull(CacheFullException exception, params (int Length, int Tokens)[] appended)
    {
        Assert.Equal(_cache.FreePages, exception.FreePages);
        Assert.InRange(exception.NeededPages, exception.FreePages + 1, appended.Sum(one => (one.Length + one.Tokens + pageTokens - 1) / pageTokens - one.Length / pageTokens));
    }

    public override void Dispose() => _cache.Dispose();
}
