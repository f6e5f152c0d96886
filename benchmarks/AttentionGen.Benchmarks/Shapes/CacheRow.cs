using AttentionGen.Benchmarks.Kernels;

namespace AttentionGen.Benchmarks.Shapes;

/// <summary>What our kernel does with a cache.</summary>
internal enum CacheKind
{
    /// <summary>A call appends the newest tokens to the cache of one sequence, and attends.</summary>
    Sequence,

    /// <summary>The same, with the cache in pages.</summary>
    Pages,

    /// <summary>One call does so for many sequences in pages, a token of each.</summary>
    Batch,

    /// <summary>A token is appended, and nothing else.</summary>
    Append,
}

/// <summary>The cache of a shape.</summary>
/// <param name="Storage">How elements are stored.</param>
/// <param name="Kind">What a call does.</param>
/// <param name="Spans">The id of the shape whose kernel does the same over spans; empty where none does.</param>
internal sealed record CacheRow(Storage Storage, CacheKind Kind, string Spans)
{
    /// <summary>Tokens of a page; the smallest pages cost the most.</summary>
    public const int PageTokens = 16;

    /// <summary>What is timed beside it, in the same rounds.</summary>
    public string Beside => Kind switch
    {
        CacheKind.Sequence => Storage == Storage.Float ? "spans" : Storage.Float.Name,
        CacheKind.Pages => "one piece",
        CacheKind.Batch => "single calls",
        _ => "",
    };

    /// <summary>For people.</summary>
    public string Title => $"cache of {Storage.Name}{(Kind is CacheKind.Pages or CacheKind.Batch ? $", pages of {PageTokens}" : "")}";
}
