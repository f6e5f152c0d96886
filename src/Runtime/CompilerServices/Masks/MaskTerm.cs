using System.ComponentModel;

namespace AttentionGen.CompilerServices;

/// <summary>
/// A part of a mask: bounds of the position p of a query, of a key j, and of their distance, each from the first to the one after the last. What a
/// query sees is what some of the terms of the call let it see.
/// </summary>
[EditorBrowsable(EditorBrowsableState.Never)]
public struct MaskTerm
{
    /// <summary>The most terms of a call; more is an error of the generator.</summary>
    internal const int MaxTerms = 8;

    /// <summary>Beyond every position and every distance; sums of a few of them do not overflow.</summary>
    internal const long Far = 1L << 40;

    internal long FromQuery, ToQuery, FromKey, ToKey, FromDistance, ToDistance;

    /// <summary>Keys from so many for each chunk of the query's position on, and these; and the same for their end. No bounds where the factors and keys are 0 and far.</summary>
    internal long FromChunk, FromChunkKey, ToChunk, ToChunkKey;

    /// <summary>Whether all keys within the bounds are visible; otherwise the user's own mask decides.</summary>
    internal bool Decided;

    /// <summary>Everything.</summary>
    internal static MaskTerm All => new() { FromQuery = -Far, ToQuery = Far, FromKey = 0, ToKey = Far, FromDistance = -Far, ToDistance = Far, FromChunkKey = -Far, ToChunkKey = Far, Decided = true };

    /// <summary>Bounds of positions, keys and distances (key - position), each from the first to the one after the last.</summary>
    /// <param name="decided">Whether all keys within the bounds are visible; otherwise the mask is computed for them.</param>
    /// <param name="fromQuery">Of positions.</param>
    /// <param name="toQuery">Of positions.</param>
    /// <param name="fromKey">Of keys.</param>
    /// <param name="toKey">Of keys.</param>
    /// <param name="fromDistance">Of distances.</param>
    /// <param name="toDistance">Of distances.</param>
    /// <param name="fromChunk">Keys from so many for each chunk before that of the query on, and from <paramref name="fromChunkKey"/>.</param>
    /// <param name="fromChunkKey">See <paramref name="fromChunk"/>.</param>
    /// <param name="toChunk">The same for the key after the last.</param>
    /// <param name="toChunkKey">See <paramref name="toChunk"/>.</param>
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

    /// <summary>What both let a query see; only this one may have chunks.</summary>
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

    /// <summary>The same counted from another key, in steps of some keys.</summary>
    internal readonly MaskTerm From(long origin, int step) => this with
    {
        FromQuery = Steps(FromQuery - origin, step),
        ToQuery = Steps(ToQuery - origin, step),
        FromKey = Steps(FromKey - origin, step),
        ToKey = Steps(ToKey - origin, step),
        FromDistance = Steps(FromDistance, step),
        ToDistance = Steps(ToDistance, step),
    };

    /// <summary>The same for queries of one chunk.</summary>
    internal readonly MaskTerm Of(long chunk) => this with
    {
        FromKey = Math.Max(FromKey, Math.Clamp(FromChunk * chunk + FromChunkKey, -Far, Far)),
        ToKey = Math.Min(ToKey, Math.Clamp(ToChunk * chunk + ToChunkKey, -Far, Far)),
        FromChunk = 0, FromChunkKey = -Far, ToChunk = 0, ToChunkKey = Far,
    };

    /// <summary>The first step that is not before a place.</summary>
    private static long Steps(long place, int step) => place is <= -Far / 2 or >= Far / 2 ? place : place > 0 ? (place + step - 1) / step : place / step;
}
