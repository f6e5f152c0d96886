using System.Buffers;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace AttentionGen.CompilerServices;

/// <summary>
/// A list that begins in its owner's memory, such as the stack, and moves to rented arrays when that is full. It is written without spans: code of
/// <c>Span&lt;T&gt;</c> for a type of this library cannot be compiled ahead, so each first call would compile it.
/// </summary>
internal ref struct Growing<T>(ref T first, int room)
    where T : unmanaged
{
    private ref T _first = ref first;
    private int _room = room;
    private T[]? _rented;

    public int Count { get; private set; }

    /// <summary>The first item. The others follow it.</summary>
    public readonly ref T First => ref _first;

    public void Add(in T item)
    {
        if (Count == _room) Grow();
        Unsafe.Add(ref _first, Count++) = item;
    }

    private void Grow()
    {
        var larger = ArrayPool<T>.Shared.Rent(2 * Count);
        MemoryMarshal.CreateSpan(ref _first, Count).CopyTo(larger);
        Dispose();
        _rented = larger;
        _first = ref MemoryMarshal.GetArrayDataReference(larger);
        _room = larger.Length;
    }

    public void Clear() => Count = 0;

    public readonly void Dispose()
    {
        if (_rented is not null) ArrayPool<T>.Shared.Return(_rented);
    }
}
