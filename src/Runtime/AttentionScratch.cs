using AttentionGen.CompilerServices;

namespace AttentionGen;

/// <summary>The working memory that kernels keep between calls: native, aligned, at most 8 MiB for a thread.</summary>
public static class AttentionScratch
{
    /// <summary>The number of bytes kept at the moment for later calls.</summary>
    public static long CachedBytes => ScratchCache.CachedBytes;

    /// <summary>Gives back what no running call uses. Later calls allocate anew.</summary>
    public static void Trim() => ScratchCache.Trim();
}
