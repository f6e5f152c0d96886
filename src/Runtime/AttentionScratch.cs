using AttentionGen.CompilerServices;

namespace AttentionGen;

/// <summary>The working memory that kernels keep between calls. It is native and aligned, at most 8 MiB for each thread.</summary>
public static class AttentionScratch
{
    /// <summary>The number of bytes that are currently kept for later calls.</summary>
    public static long CachedBytes => ScratchCache.CachedBytes;

    /// <summary>Frees the memory that no running call uses. Later calls allocate it again.</summary>
    public static void Trim() => ScratchCache.Trim();
}
