namespace AttentionGen.Generator.Model;

/// <summary>What the construction of a cache says of it. A number is null if it is not a constant, or if a cache of this kind has no such number.</summary>
/// <param name="GivenValueDim">The elements of a value; 0 for those of a key.</param>
/// <param name="Window">The window of a ring.</param>
/// <param name="FirstKeys">The first keys that a ring keeps.</param>
/// <param name="ValueFromKey">Whether the values are parts of the keys.</param>
internal sealed record CacheSpec(int? KeyValueHeads, int? HeadDim, int? GivenValueDim, int? Layers, int? Window, int? FirstKeys, bool? ValueFromKey)
{
    public int? ValueDim => GivenValueDim == 0 ? HeadDim : GivenValueDim;
}
