using System.Buffers;
using System.Runtime.CompilerServices;

namespace AttentionGen.CompilerServices;

/// <summary>
/// Copies of the starts, lengths and lists of a call. They bound the memory that a kernel reads and writes, and the caller's memory may change at any time, so
/// the call uses the numbers that it has checked. Copies of a call share these arrays. Only the first copy that runs may use and return them.
/// </summary>
internal struct CallNumbers
{
    private Arrays? _arrays;
    private long _turn;

    /// <summary>Makes a copy that is valid until <see cref="Return"/>. A call that fails earlier leaves it to the garbage collector.</summary>
    public ReadOnlySpan<int> Copy(ReadOnlySpan<int> numbers)
    {
        var copy = Take(numbers.Length);
        numbers.CopyTo(copy);
        return copy;
    }

    /// <summary>Takes room for numbers, as <see cref="Copy"/> does.</summary>
    public Span<int> Take(int count)
    {
        if (count == 0) return default;
        if (_arrays is null)
        {
            _arrays = Arrays.Rent();
            _turn = _arrays.Turn;
        }

        CheckOwned();
        return _arrays.Take(count);
    }

    /// <exception cref="InvalidOperationException">A copy of this call has run, and its numbers now belong to another call.</exception>
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

        /// <summary>The number of calls that have returned the arrays.</summary>
        public long Turn { get; private set; }

        public static Arrays Rent()
        {
            var spare = t_spare ?? new Arrays();
            t_spare = null;
            return spare;
        }

        public Span<int> Take(int count)
        {
            if (_count == Items.Most) throw new InvalidOperationException("A call has given its starts, lengths and lists already.");
            Faults.Before(Fault.Array);
            int[] numbers = ArrayPool<int>.Shared.Rent(count);
            _items[_count++] = numbers;
            return numbers.AsSpan(0, count);
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
        /// <summary>
        /// The most arrays: starts of queries, lengths of keys or ids of sequences, lengths of prefixes, starts of documents for queries and for keys, starts of lists, and lists.
        /// </summary>
        public const int Most = 7;

        private int[]? _first;
    }
}
