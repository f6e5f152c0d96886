using System.ComponentModel;
using System.Runtime.CompilerServices;

namespace AttentionGen.CompilerServices;

/// <summary>
/// Consecutive keys of a sequence, with their values, against query rows. Each row sees a part of them. A core receives runs: of packed keys in prefill, of
/// keys in the caller's memory, or in pages of a cache, in decode.
/// </summary>
[EditorBrowsable(EditorBrowsableState.Never)]
public readonly unsafe struct KeyRun
{
    internal void* FirstKey { get; init; }

    internal void* FirstValue { get; init; }

    internal nint* FirstPage { get; init; }

    internal float* FirstKeyScale { get; init; }

    internal float* FirstValueScale { get; init; }

    /// <summary>The index of the first key in its sequence.</summary>
    public int Key { get; init; }

    /// <summary>The number of keys that may be read, 1 or more.</summary>
    public int Count { get; init; }

    /// <summary>Under a mask of the user: the number of keys at the start of the run that no row sees.</summary>
    public int Least { get; init; }

    /// <summary>
    /// With an upper bound that moves from row to row: the number of keys of the run before the bound of the first row. It may be negative or larger than the
    /// run. Each further row has one more.
    /// </summary>
    public nint Visible { get; init; }

    /// <summary>
    /// In a window: the number of keys of the run before the first key that the first row sees. It may be negative or larger than the run. Each further row has
    /// one more.
    /// </summary>
    public nint Hidden { get; init; }

    /// <summary>Whether the bounds alone decide that a key is visible; otherwise the core computes the user's mask.</summary>
    public bool Decided { get; init; }

    /// <summary>The first element of the first key.</summary>
    /// <typeparam name="T">The element type; float for packed keys.</typeparam>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public ref T Keys<T>()
        where T : unmanaged => ref *(T*)FirstKey;

    /// <summary>The first element of the first value.</summary>
    /// <typeparam name="T">The element type; float for packed values.</typeparam>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public ref T Values<T>()
        where T : unmanaged => ref *(T*)FirstValue;

    /// <summary>The scale of the first key, where keys are integers. Scales are <see cref="DecodeBlock.ScaleStride"/> apart.</summary>
    public ref float KeyScales => ref *FirstKeyScale;

    /// <summary>The scale of the first value, where values are integers. Scales are <see cref="DecodeBlock.ScaleStride"/> apart.</summary>
    public ref float ValueScales => ref *FirstValueScale;

    /// <summary>In pages: the number of keys in each, the last one excepted. Otherwise 0.</summary>
    public int PageKeys { get; init; }

    /// <summary>In pages: the elements from the first page to each. A few more, behind the last, may be read to fetch memory ahead.</summary>
    public ref nint Pages => ref *FirstPage;

    /// <summary>The first element of the first key of a page.</summary>
    /// <typeparam name="T">The element type.</typeparam>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public ref T KeysOf<T>(int page)
        where T : unmanaged => ref *((T*)FirstKey + FirstPage[page]);

    /// <summary>The first element of the first value of a page.</summary>
    /// <typeparam name="T">The element type.</typeparam>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public ref T ValuesOf<T>(int page)
        where T : unmanaged => ref *((T*)FirstValue + FirstPage[page]);

    /// <summary>The scale of the first key of a page, whose elements are bytes.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public ref float KeyScalesOf(int page) => ref *(FirstKeyScale + FirstPage[page] / sizeof(float));

    /// <summary>The scale of the first value of a page, whose elements are bytes.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public ref float ValueScalesOf(int page) => ref *(FirstValueScale + FirstPage[page] / sizeof(float));

    /// <summary>Elements from a page to the one that is some pages ahead.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public nint Ahead(int page, int pages) => FirstPage[page + pages] - FirstPage[page];
}
