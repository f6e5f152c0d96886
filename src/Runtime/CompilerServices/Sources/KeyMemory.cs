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

    /// <summary>Bytes from the start of a page to its mark, where elements are halves, and 0 where there is none: see <see cref="IsFinite"/>.</summary>
    public nint Marks;

    /// <summary>
    /// In a ring: the number of first tokens, which stay, and of places behind them, each for tokens so many apart. Otherwise 0.
    /// </summary>
    public int Kept, Ring;

    private const int Stays = int.MaxValue;

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

    /// <summary>Whether all elements in some pages from that of a token on are known to be finite: no page has a mark.</summary>
    public readonly bool IsFinite(nint token, int pages)
    {
        if (Marks == 0) return false;
        for (byte** page = PagesFrom(token); pages > 0; pages--, page++)
            if (*(int*)(*page + Marks) != 0) return false;
        return true;
    }

    /// <summary>Marks the page of a token with an infinity or NaN. It is called for each token that is written, in their order, since what takes the place of such a token removes the mark.</summary>
    public readonly void Mark(nint token, bool isFinite)
    {
        nint place = Place(token);
        ref int mark = ref *(int*)(Pages[place / PageTokens] + Marks); // the last such token of the page, plus 1
        bool begins = place == token && place % PageTokens == 0; // tokens behind it were cut off, or the page is new
        if (begins || (Ring > 0 && mark != Stays && mark - 1 + (nint)Ring <= token)) mark = 0;
        if (!isFinite) mark = Ring > 0 && token < Kept ? Stays : Math.Max(mark, (int)token + 1);
    }

    /// <summary>Removes the mark of the first page, which is in new memory.</summary>
    public readonly void RemoveMark()
    {
        if (Marks > 0) *(int*)(*Pages + Marks) = 0;
    }

    /// <summary>The index of a token among the places of all pages.</summary>
    private readonly nint Place(nint token) => Ring == 0 || token < Kept ? token : Kept + (token - Kept) % Ring;

    private readonly byte* Row(nint part, nint token, int head, int rowBytes)
    {
        nint place = Place(token), page = place / PageTokens;
        return Pages[page] + part + ((nint)head * PageTokens + (place - page * PageTokens)) * rowBytes;
    }
}
