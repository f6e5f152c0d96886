using AttentionGen.CompilerServices;

namespace AttentionGen;

/// <summary>
/// The parts of a page with the keys and values of some tokens: keys [heads, tokens, headDim], values [heads, tokens, valueDim], then, where rows are integers,
/// the scales of keys and those of values, [heads, tokens] each. Values that are the first elements of keys have no part of their own. Behind keys that are halves lies a mark (<see cref="KeyMemory.IsFinite"/>). Each part is aligned to 64 bytes. Head by head, since decode then reads the keys of a head in
/// the order of memory.
/// </summary>
internal readonly struct PageLayout
{
    private readonly int _tokens;
    private readonly nint _marks, _values, _keyScales, _valueScales;

    /// <exception cref="OverflowException">A page would be larger than the address space.</exception>
    public PageLayout(CacheShape shape, nint tokens)
    {
        _tokens = checked((int)tokens);
        checked
        {
            nint rows = shape.Heads * tokens, scales = shape.HasScales ? OwnedMemory.Aligned(rows * sizeof(float)) : 0;
            nint keys = OwnedMemory.Aligned(rows * shape.HeadDim * shape.ElementBytes);
            if (shape.Element == ElementType.Half) (_marks, keys) = (keys, keys + OwnedMemory.Aligned(sizeof(int)));
            _values = shape.ValueFromKey ? 0 : keys;
            _keyScales = keys + OwnedMemory.Aligned(rows * shape.StoredValueDim * shape.ElementBytes);
            _valueScales = _keyScales + (shape.ValueFromKey ? 0 : scales);
            Bytes = _valueScales + scales;
        }
    }

    /// <summary>The bytes of a page, a multiple of 64.</summary>
    public nint Bytes { get; }

    /// <summary>Where the keys and values of pages lie.</summary>
    /// <param name="pages">The addresses of the pages.</param>
    /// <param name="offset">Bytes from such an address to the parts.</param>
    public unsafe KeyMemory Memory(byte** pages, nint offset = 0) => new()
    {
        Pages = pages,
        PageTokens = _tokens,
        Keys = offset,
        Values = offset + _values,
        Marks = _marks > 0 ? offset + _marks : 0,
        KeyScales = offset + _keyScales,
        ValueScales = offset + _valueScales,
    };
}
