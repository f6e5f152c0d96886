namespace AttentionGen.CompilerServices;

/// <summary>The shape of the tokens of a cache.</summary>
internal sealed record CacheShape(int Heads, int HeadDim, int ValueDim, ElementType Element)
{
    /// <summary>The limits of declarations.</summary>
    public const int MostHeads = 4096, MostDim = 512;

    public int ElementBytes => ElementTable.Of(Element).Bytes;
}
