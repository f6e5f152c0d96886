namespace AttentionGen.CompilerServices;

/// <summary>The keys and values of a sequence in pages: [heads, tokens of the page, dim] in each.</summary>
internal unsafe struct KeyMemory
{
    /// <summary>The addresses of the pages, in the order of tokens.</summary>
    public byte** Pages;

    /// <summary>Tokens of a page.</summary>
    public int PageTokens;

    /// <summary>The index of the first token among the keys of the call, which may have several sequences.</summary>
    public int FirstKey;

    /// <summary>Bytes from the start of a page to the keys and to the values.</summary>
    public nint Keys, Values;

    /// <summary>Bytes from the start of a page to the scales of keys and of values, [heads, tokens of the page] each, where rows are integers.</summary>
    public nint KeyScales, ValueScales;

    /// <summary>
    /// In a ring: the number of first tokens, which stay, and of places behind them, each for tokens so many apart. Otherwise 0.
    /// </summary>
    public int Kept, Ring;

    /// <summary>The address of a head of a key.</summary>
    public readonly byte* Key(nint token, int head, int rowBytes) => Row(Keys, token, head, rowBytes);

    /// <summary>The address of a head of a value.</summary>
    public readonly byte* Value(nint token, int head, int rowBytes) => Row(Values, token, head, rowBytes);

    /// <summary>The address of the scale of a head of a key.</summary>
    public readonly float* KeyScale(nint token, int head) => (float*)Row(KeyScales, token, head, sizeof(float));

    /// <summary>The address of the scale of a head of a value.</summary>
    public readonly float* ValueScale(nint token, int head) => (float*)Row(ValueScales, token, head, sizeof(float));

    /// <summary>The number of tokens from one on, <paramref name="step"/> apart, that lie in its page.</summary>
    public readonly int Consecutive(nint token, int step)
    {
        nint place = Place(token), count = PageTokens - place % PageTokens;
        if (Ring > 0) count = Math.Min(count, Kept + Ring - place); // the last page may be longer than the ring
        return ((int)count - 1) / step + 1;
    }

    /// <summary>The addresses of the pages from that of a token on.</summary>
    public readonly byte** PagesFrom(nint token) => Pages + Place(token) / PageTokens;

    /// <summary>The index of a token among the places of all pages.</summary>
    private readonly nint Place(nint token) => Ring == 0 || token < Kept ? token : Kept + (token - Kept) % Ring;

    private readonly byte* Row(nint part, nint token, int head, int rowBytes)
    {
        nint place = Place(token), page = place / PageTokens;
        return Pages[page] + part + ((nint)head * PageTokens + (place - page * PageTokens)) * rowBytes;
    }
}
