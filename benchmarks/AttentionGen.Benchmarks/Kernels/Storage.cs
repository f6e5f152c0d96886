using System.Runtime.CompilerServices;
using AttentionGen.Benchmarks.Contenders;
using AttentionGen.Benchmarks.Shapes;

namespace AttentionGen.Benchmarks.Kernels;

/// <summary>A type in which caches store keys and values.</summary>
/// <param name="name">For people and in results.</param>
/// <param name="suffix">Of the ids of rows.</param>
internal abstract class Storage(string name, string suffix)
{
    public static Storage Float { get; } = new Storage<float>(
        "float", "", number => number, number => number, FloatCaches.H12D64, FloatCaches.H32D128, FloatCaches.H32On8D128, FloatCaches.H32On8D128Paged);

    /// <summary>All of them, <see cref="Float"/> first.</summary>
    public static IReadOnlyList<Storage> All { get; } =
    [
        Float,
        new Storage<Half>("Half", "-half", number => (Half)number, number => (float)number, HalfCaches.H12D64, HalfCaches.H32D128, HalfCaches.H32On8D128, HalfCaches.H32On8D128Paged),
        new Storage<BFloat16>("bfloat16", "-bfloat16", number => (BFloat16)number, number => (float)number, BFloat16Caches.H12D64, BFloat16Caches.H32D128, BFloat16Caches.H32On8D128, BFloat16Caches.H32On8D128Paged),
    ];

    public string Name { get; } = name;

    public string Suffix { get; } = suffix;

    /// <summary>The bytes of a head's row.</summary>
    public abstract int BytesOf(int headDim);

    /// <summary>Makes numbers such as are stored without an error.</summary>
    public abstract void Round(Span<float> numbers);

    /// <summary>Our kernel over the cache of a shape.</summary>
    public abstract Contender Contender(Inputs inputs, int threads);

    /// <summary>What it is compared with: see <see cref="CacheRow.Beside"/>. Null where it is compared with nothing.</summary>
    public abstract Contender? Beside(Inputs inputs, int threads);

    /// <summary>Our kernel over the cache of one sequence, in one piece.</summary>
    protected abstract Contender OnePiece(Inputs inputs, int threads);

    protected static Contender OnePiece(Storage storage, Inputs inputs, int threads) => storage.OnePiece(inputs, threads);
}

/// <inheritdoc/>
internal sealed class Storage<T>(
    string name, string suffix, Func<float, T> narrow, Func<T, float> widen,
    SequenceStep<T> h12D64, SequenceStep<T> h32D128, SequenceStep<T> h32On8D128, PagedStep<T> h32On8D128Paged) : Storage(name, suffix)
    where T : unmanaged
{
    public override int BytesOf(int headDim) => headDim * Unsafe.SizeOf<T>();

    public override void Round(Span<float> numbers)
    {
        foreach (ref float number in numbers) number = widen(narrow(number));
    }

    public override Contender Contender(Inputs inputs, int threads) => inputs.Shape.Cache!.Kind switch
    {
        CacheKind.Sequence => OnePiece(inputs, threads),
        CacheKind.Pages or CacheKind.Batch => new PagedCacheContender<T>(inputs, h32On8D128Paged, this, threads, apart: false),
        _ => new AppendContender<T>(inputs, this),
    };

    public override Contender? Beside(Inputs inputs, int threads) => inputs.Shape.Cache!.Kind switch
    {
        CacheKind.Sequence => this == Float
            ? new AttentionGenContender(inputs, AttentionLayout.TokenMajor, threads, KernelTable.Of(ShapeTable.Find(inputs.Shape.Cache.Spans), AttentionLayout.TokenMajor)!)
            : OnePiece(Float, inputs, threads),
        CacheKind.Pages => OnePiece(inputs, threads),
        CacheKind.Batch => new PagedCacheContender<T>(inputs, h32On8D128Paged, this, threads, apart: true),
        _ => null,
    };

    /// <summary>Numbers as they are stored.</summary>
    public T[] Narrow(ReadOnlySpan<float> numbers)
    {
        var narrowed = new T[numbers.Length];
        for (int i = 0; i < narrowed.Length; i++) narrowed[i] = narrow(numbers[i]);
        return narrowed;
    }

    public float[] Widen(ReadOnlySpan<T> numbers)
    {
        float[] widened = new float[numbers.Length];
        for (int i = 0; i < widened.Length; i++) widened[i] = widen(numbers[i]);
        return widened;
    }

    protected override Contender OnePiece(Inputs inputs, int threads) => new SequenceCacheContender<T>(
        inputs, inputs.Shape is { HeadDim: 64 } ? h12D64 : inputs.Shape is { KeyValueHeads: 8 } ? h32On8D128 : h32D128, this, threads);
}

/// <summary>A kernel over the cache of a sequence.</summary>
internal delegate void SequenceStep<T>(
    ReadOnlySpan<float> query, ReadOnlySpan<float> key, ReadOnlySpan<float> value, KeyValueCache<T> cache, Span<float> output, int maxThreads)
    where T : unmanaged;

/// <summary>A kernel over sequences in pages.</summary>
internal delegate void PagedStep<T>(
    ReadOnlySpan<float> query, ReadOnlySpan<float> key, ReadOnlySpan<float> value, ReadOnlySpan<int> documentStarts,
    PagedKeyValueCache<T> cache, ReadOnlySpan<SequenceId> sequences, Span<float> output, int maxThreads)
    where T : unmanaged;
