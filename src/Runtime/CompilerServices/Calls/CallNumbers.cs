using System.Buffers;
using System.Runtime.CompilerServices;

namespace AttentionGen.CompilerServices;

/// <summary>
/// Copies of the starts, lengths and lists that a call brings along. They bound what a kernel reads and writes, and the caller's memory may change at any time:
/// what was checked has to be what is used.
/// </summary>
internal struct CallNumbers
{
    private Arrays _arrays;
    private int _count;

    /// <summary>A copy, until <see cref="Return"/>. A call that fails before that leaves it to the garbage collector.</summary>
    public ReadOnlySpan<int> Copy(ReadOnlySpan<int> numbers)
    {
        if (numbers.IsEmpty) return default;
        if (_count == Arrays.Most) throw new InvalidOperationException("A call has given its starts, lengths and lists already.");
        Faults.Before(Fault.Array);
        int[] copy = ArrayPool<int>.Shared.Rent(numbers.Length);
        numbers.CopyTo(copy);
        _arrays[_count++] = copy;
        return copy.AsSpan(0, numbers.Length);
    }

    public void Return()
    {
        for (int i = 0; i < _count; i++) ArrayPool<int>.Shared.Return(_arrays[i]!);
        _count = 0;
    }

    [InlineArray(Most)]
    private struct Arrays
    {
        /// <summary>Starts of queries, lengths of keys and prefixes, starts of documents of queries and keys, starts of lists and lists.</summary>
        public const int Most = 7;

        private int[]? _first;
    }
}
