using System.ComponentModel;

namespace AttentionGen.CompilerServices;

/// <summary>
/// A conjunction of bounds: of the position p of a query, of a key j and of their distance. Each pair of bounds is the first value and the one after the last.
/// A mask is a union of terms: a query sees a key if at least one term lets it.
/// </summary>
[EditorBrowsable(EditorBrowsableState.Never)]
public struct MaskTerm
{
    /// <summary>The most terms of a call. The generator never emits more.</summary>
    internal const int MaxTerms = 8;

    /// <summary>The most terms of a call with the declared masks, which are up to 4: rows inside and after the prefix, each with the window and with the first keys.</summary>
    internal const int MaxCombined = 4 * MaxTerms;

    /// <summary>Larger than every position and distance. A sum of a few of them does not overflow.</summary>
    internal const long Far = 1L << 40;

    internal long FromQuery, ToQuery, FromKey, ToKey, FromDistance, ToDistance;

    /// <summary>
    /// The first key as factor * chunk + constant, where chunk is the chunk of the query's position, and the key after the last in the same form. The factors 0
    /// with constants of -<see cref="Far"/> and <see cref="Far"/> mean no bound.
    /// </summary>
    internal long FromChunk, FromChunkKey, ToChunk, ToChunkKey;

    /// <summary>Whether all keys within the bounds are visible; otherwise the user's mask decides.</summary>
    internal bool Decided;

    /// <summary>The term without bounds: a query sees all keys.</summary>
    internal static MaskTerm All => new() { FromQuery = -Far, ToQuery = Far, FromKey = 0, ToKey = Far, FromDistance = -Far, ToDistance = Far, FromChunkKey = -Far, ToChunkKey = Far, Decided = true };

    /// <summary>Makes a term from bounds of positions, keys and distances (key - position). Each pair is the first value and the one after the last.</summary>
    /// <param name="decided">Whether all keys within the bounds are visible; otherwise the core computes the mask for them.</param>
    /// <param name="fromQuery">The first position.</param>
    /// <param name="toQuery">The position after the last.</param>
    /// <param name="fromKey">The first key.</param>
    /// <param name="toKey">The key after the last.</param>
    /// <param name="fromDistance">The least distance.</param>
    /// <param name="toDistance">The distance after the largest.</param>
    /// <param name="fromChunk">The factor of the first key, fromChunk * chunk + <paramref name="fromChunkKey"/>, where chunk is the chunk of the query.</param>
    /// <param name="fromChunkKey">The constant of the first key: see <paramref name="fromChunk"/>.</param>
    /// <param name="toChunk">The factor of the key after the last, toChunk * chunk + <paramref name="toChunkKey"/>.</param>
    /// <param name="toChunkKey">The constant of the key after the last: see <paramref name="toChunk"/>.</param>
    public static MaskTerm Of(
        bool decided, long fromQuery = -Far, long toQuery = Far, long fromKey = 0, long toKey = Far, long fromDistance = -Far, long toDistance = Far,
        long fromChunk = 0, long fromChunkKey = -Far, long toChunk = 0, long toChunkKey = Far)
    {
        return new()
        {
            Decided = decided,
            FromQuery = Within(fromQuery), ToQuery = Within(toQuery), FromKey = Within(fromKey), ToKey = Within(toKey), FromDistance = Within(fromDistance), ToDistance = Within(toDistance),
            FromChunk = fromChunk, FromChunkKey = Within(fromChunkKey), ToChunk = toChunk, ToChunkKey = Within(toChunkKey),
        };

        static long Within(long bound) => Math.Clamp(bound, -Far, Far);
    }

    /// <summary>The intersection of both terms. Only this one may have bounds by chunk.</summary>
    internal readonly MaskTerm And(in MaskTerm other) => this with
    {
        FromQuery = Math.Max(FromQuery, other.FromQuery),
        ToQuery = Math.Min(ToQuery, other.ToQuery),
        FromKey = Math.Max(FromKey, other.FromKey),
        ToKey = Math.Min(ToKey, other.ToKey),
        FromDistance = Math.Max(FromDistance, other.FromDistance),
        ToDistance = Math.Min(ToDistance, other.ToDistance),
        Decided = Decided && other.Decided,
    };

    /// <summary>The same term with keys and positions counted from another key, in steps of several keys.</summary>
    internal readonly MaskTerm From(long origin, int step) => this with
    {
        FromQuery = Steps(FromQuery - origin, step),
        ToQuery = Steps(ToQuery - origin, step),
        FromKey = Steps(FromKey - origin, step),
        ToKey = Steps(ToKey - origin, step),
        FromDistance = Steps(FromDistance, step),
        ToDistance = Steps(ToDistance, step),
    };

    /// <summary>The term for the queries of one chunk: bounds by chunk become bounds of keys.</summary>
    internal readonly MaskTerm Of(long chunk) => this with
    {
        FromKey = Math.Max(FromKey, Math.Clamp(FromChunk * chunk + FromChunkKey, -Far, Far)),
        ToKey = Math.Min(ToKey, Math.Clamp(ToChunk * chunk + ToChunkKey, -Far, Far)),
        FromChunk = 0, FromChunkKey = -Far, ToChunk = 0, ToChunkKey = Far,
    };

    /// <summary>The first step at or after a place.</summary>
    private static long Steps(long place, int step) => place is <= -Far / 2 or >= Far / 2 ? place : place > 0 ? (place + step - 1) / step : place / step;
}
