using System.ComponentModel;
using System.Runtime.CompilerServices;

namespace AttentionGen.CompilerServices;

/// <summary>
/// Keys that follow each other in a sequence and in memory, with their values, against query rows of which each sees a part. A core is given runs. In prefill they lie among the
/// packed keys; in decode they lie where the caller has them.
/// </summary>
[EditorBrowsable(EditorBrowsableState.Never)]
public readonly unsafe struct KeyRun
{
    internal void* FirstKey { get; init; }

    internal void* FirstValue { get; init; }

    /// <summary>The index of the first key in its sequence.</summary>
    public int Key { get; init; }

    /// <summary>The number of keys that may be read, 1 or more.</summary>
    public int Count { get; init; }

    /// <summary>In a mask of the user's own: the first keys of the run that no row sees.</summary>
    public int Least { get; init; }

    /// <summary>Where each row has a bound of its own: how many of the keys lie before the bound of the first row, counted past both ends; each further row has one more.</summary>
    public nint Visible { get; init; }

    /// <summary>In a window: how many of the keys lie before the first one that the first row sees, counted past both ends; one more for each further row.</summary>
    public nint Hidden { get; init; }

    /// <summary>Whether the bounds decide; otherwise the user's own mask has the last word.</summary>
    public bool Decided { get; init; }

    /// <summary>The first element of the first key.</summary>
    /// <typeparam name="T">The type of the elements: of packed keys float.</typeparam>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public ref T Keys<T>()
        where T : unmanaged => ref *(T*)FirstKey;

    /// <summary>The first element of the first value.</summary>
    /// <typeparam name="T">The type of the elements: of packed values float.</typeparam>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public ref T Values<T>()
        where T : unmanaged => ref *(T*)FirstValue;
}
