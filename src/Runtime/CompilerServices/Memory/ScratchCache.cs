namespace AttentionGen.CompilerServices;

/// <summary>The working memory of the threads of calls, kept between calls.</summary>
internal static unsafe class ScratchCache
{
    /// <summary>The most that a worker asks for. Longer key ranges are cut to fit into it.</summary>
    public const int MaxBytes = 8 << 20;

    // Room for two blocks for each processor, so that concurrent callers seldom find it full.
    private static readonly BlockCache s_workers = new(2 * Environment.ProcessorCount);

    // Of layers, whose memory grows with their tokens: apart, so that no thread of another call takes a large block for little.
    private static readonly BlockCache s_layers = new(2 * Environment.ProcessorCount);

    /// <summary>The number of blocks that were allocated and not freed, kept or in use.</summary>
    internal static long LiveBlocks => s_workers.LiveBlocks + s_layers.LiveBlocks;

    /// <summary>The bytes that layers have left.</summary>
    internal static long LayerBytes => s_layers.CachedBytes;

    public static long CachedBytes => s_workers.CachedBytes + s_layers.CachedBytes;

    /// <inheritdoc cref="BlockCache.Rent"/>
    public static float* Rent(nuint bytes) => s_workers.Rent(bytes);

    public static void Return(float* memory) => s_workers.Return(memory);

    /// <summary>The memory of a layer: see <see cref="BlockCache.Rent"/>.</summary>
    public static float* RentForLayer(nuint bytes) => s_layers.Rent(bytes);

    public static void ReturnOfLayer(float* memory) => s_layers.Return(memory);

    public static void Trim()
    {
        s_workers.Trim();
        s_layers.Trim();
    }
}
