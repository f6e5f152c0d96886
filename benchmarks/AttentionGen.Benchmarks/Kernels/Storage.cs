using System.Runtime.CompilerServices;
using AttentionGen.Benchmarks.Contenders;
using AttentionGen.Benchmarks.Shapes;

namespace AttentionGen.Benchmarks.Kernels;

/// <summary>A type in which caches store keys and values.</summary>
/// <param name="name">For people and in results.</param>
/// <param name="suffix">Of the ids of rows.</param>
internal abstract class Storage(string name, string suffix)
{
    public static Storage Float { get; } = Each<float>("float", "", number => number, number => number, FloatCaches.H12D64, FloatCaches.H32D128, FloatCaches.H32On8D128, FloatCaches.H32On8D128Paged);

    /// <summary>All of them, <see cref="Float"/> first.</summary>
    public static IReadOnlyList<Storage> All { get; } =
    [
        Float,
        Each("Half", "-half", number => (Half)number, number => (float)number, HalfCaches.H12D64, HalfCaches.H32D128, HalfCaches.H32On8D128, HalfCaches.H32On8D128Paged),
        Each("bfloat16", "-bfloat16", number => (BFloat16)number, number => (float)number, BFloat16Caches.H12D64, BFloat16Caches.H32D128, BFloat16Caches.H32On8D128, BFloat16Caches.H32On8D128Paged),
        new Storage<sbyte>("int8", "-int8", Quantized, Dequantized, Int8Caches.H12D64, Int8Caches.H32D128, Int8Caches.H32On8D128, Int8Caches.H32On8D128Paged),
    ];

    public string Name { get; } = name;

    public string Suffix { get; } = suffix;

    /// <summary>The bytes of a head's row.</summary>
    public abstract int BytesOf(int headDim);

    /// <summary>Makes numbers such as are stored without an error.</summary>
    public abstract void Round(Span<float> numbers, int headDim);

    /// <summary>Our kernel over the cache of a shape.</summary>
    public abstract Contender Contender(Inputs inputs, int threads);

    /// <summary>What it is compared with: see <see cref="CacheRow.Beside"/>. Null where it is compared with nothing.</summary>
    public abstract Contender? Beside(Inputs inputs, int threads);

    /// <summary>Our kernel over the cache of one sequence, in one piece.</summary>
    protected abstract Contender OnePiece(Inputs inputs, int threads);

    /// <summary>A type that numbers are rounded to one by one.</summary>
    private static Storage<T> Each<T>(
        string name, string suffix, Func<float, T> narrow, Func<T, float> widen,
        SequenceStep<T> h12D64, SequenceStep<T> h32D128, SequenceStep<T> h32On8D128, PagedStep<T> h32On8D128Paged)
        where T : unmanaged => new(
            name, suffix, (numbers, _) => new StoredRows<T>(Array.ConvertAll(numbers, x => narrow(x)), []), (rows, _) => Array.ConvertAll(rows.Elements, x => widen(x)),
            h12D64, h32D128, h32On8D128, h32On8D128Paged);

    private static StoredRows<sbyte> Quantized(float[] numbers, int headDim)
    {
        var rows = new StoredRows<sbyte>(new sbyte[numbers.Length], new float[numbers.Length / headDim]);
        Int8Rows.Quantize(numbers, headDim, rows.Elements, rows.Scales);
        return rows;
    }

    private static float[] Dequantized(StoredRows<sbyte> rows, int headDim)
    {
        float[] numbers = new float[rows.Elements.Length];
        Int8Rows.Dequantize(rows.Elements, rows.Scales, headDim, numbers);
        return numbers;
    }

    protected static Contender OnePiece(Storage storage, Inputs inputs, int threads) => storage.OnePiece(inputs, threads);
}

/// <summary>Rows of heads as a cache stores them: integers have a scale each.</summary>
internal sealed record StoredRows<T>(T[] Elements, float[] Scales)
    where T : unmanaged;

/// <inheritdoc/>
/// <param name="store">Stores rows of so many elements.</param>
/// <param name="load">The numbers of stored rows of so many elements.</param>
internal sealed class Storage<T>(
    string name, string suffix, Func<float[], int, StoredRows<T>> store, Func<StoredRows<T>, int, float[]> load,
    SequenceStep<T> h12D64, SequenceStep<T> h32D128, SequenceStep<T> h32On8D128, PagedStep<T> h32On8D128Paged) : Storage(name, suffix)
    where T : unmanaged
{
    public override int BytesOf(int headDim) => headDim * Unsafe.SizeOf<T>() + sizeof(float) * Store(new float[headDim], headDim).Scales.Length;

    public override void Round(Span<float> numbers, int headDim) => Load(Store(numbers, headDim), headDim).CopyTo(numbers);

    public StoredRows<T> Store(ReadOnlySpan<float> numbers, int headDim) => store(numbers.ToArray(), headDim);

    public float[] Load(StoredRows<T> rows, int headDim) => load(rows, headDim);

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
