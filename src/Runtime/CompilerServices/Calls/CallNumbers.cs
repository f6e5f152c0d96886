using System.Buffers;
using System.Runtime.CompilerServices;

namespace AttentionGen.CompilerServices;

/// <summary>
/// Copies of the starts, lengths and lists that a call brings along. They bound what a kernel reads and writes, and the caller's memory may change at any time:
/// the call uses the numbers that it has checked. Copies of a call share them, and only the first that runs may use and return them.
/// </summary>
internal struct CallNumbers
{
    private Arrays? _arrays;
    private long _turn;

    /// <summary>A copy, until <see cref="Return"/>. A call that fails before that leaves it to the garbage collector.</summary>
    public ReadOnlySpan<int> Copy(ReadOnlySpan<int> numbers)
    {
        if (numbers.IsEmpty) return default;
        if (_arrays is null)
        {
            _arrays = Arrays.Rent();
            _turn = _arrays.Turn;
        }

        CheckOwned();
        return _arrays.Copy(numbers);
    }

    /// <exception cref="InvalidOperationException">A copy of this call has run: its numbers belong to others now.</exception>
    public readonly void CheckOwned()
    {
        if (_arrays is not null && _arrays.Turn != _turn) throw new InvalidOperationException("This call has run already.");
    }

    public readonly void Return()
    {
        if (_arrays is not null && _arrays.Turn == _turn) _arrays.Return();
    }

    /// <summary>The arrays of a call. A thread keeps one for its next call.</summary>
    private sealed class Arrays
    {
        [ThreadStatic]
        private static Arrays? t_spare;

        private Items _items;
        private int _count;

        /// <summary>How many calls have returned the arrays.</summary>
        public long Turn { get; private set; }

        public static Arrays Rent()
        {
            var spare = t_spare ?? new Arrays();
            t_spare = null;
            return spare;
        }

        public ReadOnlySpan<int> Copy(ReadOnlySpan<int> numbers)
        {
            if (_count == Items.Most) throw new InvalidOperationException("A call has given its starts, lengths and lists already.");
            Faults.Before(Fault.Array);
            int[] copy = ArrayPool<int>.Shared.Rent(numbers.Length);
            numbers.CopyTo(copy);
            _items[_count++] = copy;
            return copy.AsSpan(0, numbers.Length);
        }

        public void Return()
        {
            for (int i = 0; i < _count; i++)
            {
                ArrayPool<int>.Shared.Return(_items[i]!);
                _items[i] = null;
            }

            _count = 0;
            Turn++;
            t_spare = this;
        }
    }

    [InlineArray(Most)]
    private struct Items
    {
        /// <summary>Starts of queries, lengths of keys and prefixes, starts of documents of queries and keys, starts of lists and lists.</summary>
        public const int Most = 7;

        private int[]? _first;
    }
}
