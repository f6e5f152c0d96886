namespace AttentionGen;

/// <summary>
/// A paged cache has too few free pages. Nothing has changed: free or truncate a sequence, and call again. A type of its own, because a scheduler expects it and
/// handles it, while other exceptions of these calls are mistakes.
/// </summary>
public sealed class CacheFullException : InvalidOperationException
{
    internal CacheFullException(SequenceId sequence, string name, int neededPages, int freePages, int pages)
        : base($"{name} {sequence} does not fit: the call needs {neededPages} page{(neededPages == 1 ? "" : "s")}, but the cache has {freePages} free of {pages}.")
    {
        Sequence = sequence;
        NeededPages = neededPages;
        FreePages = freePages;
    }

    /// <summary>The first sequence of the call for which there are too few pages.</summary>
    public SequenceId Sequence { get; }

    /// <summary>The pages that the call needs for all its sequences.</summary>
    public int NeededPages { get; }

    /// <summary>The pages that were free.</summary>
    public int FreePages { get; }
}
