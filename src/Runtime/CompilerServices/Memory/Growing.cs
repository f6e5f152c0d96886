using System.Buffers;

namespace AttentionGen.CompilerServices;

/// <summary>A list that begins in its owner's memory, such as the stack, and moves to rented arrays when that is full.</summary>
internal ref struct Growing<T>(Span<T> first)
    where T : unmanaged
{
    private Span<T> _items = first;
    private T[]? _rented;

    public int Count { get; private set; }

    public readonly Span<T> Items => _items[..Count];

    public void Add(in T item)
    {
        if (Count == _items.Length)
        {
            var larger = ArrayPool<T>.Shared.Rent(2 * Count);
            _items.CopyTo(larger);
            Dispose();
            _items = _rented = larger;
        }

        _items[Count++] = item;
    }

    public void Clear() => Count = 0;

    public readonly void Dispose()
    {
        if (_rented is not null) ArrayPool<T>.Shared.Return(_rented);
    }
}
