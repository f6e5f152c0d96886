using System.Runtime.InteropServices;
using Xunit;
using static AttentionGen.Kernels.Tests.LibC;

namespace AttentionGen.Kernels.Tests;

/// <summary>Where a span lies in the pages that are opened for it.</summary>
internal enum Edge
{
    /// <summary>It begins where a protected page ends.</summary>
    Beginning,

    /// <summary>It ends where a protected page begins.</summary>
    End,

    /// <summary>Pages that may be written lie on both sides: a stray write is found after the call, and does not end the process.</summary>
    Middle,
}

/// <summary>
/// The spans of a call, each in pages of its own, with a protected page on either side. What a span leaves of its pages holds a pattern, NaN as a float, that no call may change.
/// </summary>
internal sealed unsafe class GuardedPages : IDisposable
{
    private const int ReadWrite = 3, Private = 2, Anonymous = 0x20, NoReserve = 0x4000;

    private const byte Pattern = 0xFF;

    /// <summary>Pages on either side of a span in the middle.</summary>
    private const int Margin = 4;

    private static readonly nint s_page = Environment.SystemPageSize;

    private readonly List<(string Name, nint Begin, nint Bytes, nint Pages, nint PageBytes)> _spans = [];
    private readonly nint _start;
    private readonly nint _bytes;
    private nint _next;

    /// <param name="bytes">Of all spans.</param>
    /// <param name="spans">How many there are at most.</param>
    public GuardedPages(nint bytes, int spans)
    {
        _bytes = bytes + (spans * (2 * Margin + 3) + 1) * s_page;
        _start = mmap(0, _bytes, 0, Private | Anonymous | NoReserve, -1, 0);
        if (_start == -1) throw new InvalidOperationException($"mmap of {_bytes} bytes: {Marshal.GetLastPInvokeErrorMessage()}");
        _next = _start + s_page;
    }

    public Span<T> Copy<T>(string name, ReadOnlySpan<T> from, Edge edge)
        where T : unmanaged
    {
        var span = Take<T>(name, from.Length, edge, offset: 0, alignment: 1);
        from.CopyTo(span);
        return span;
    }

    /// <summary>Elements that hold the pattern. Their address has a remainder, so that an edge may be some bytes away.</summary>
    public Span<T> Take<T>(string name, int length, Edge edge, int offset, int alignment)
        where T : unmanaged
    {
        nint bytes = (nint)length * sizeof(T), margin = edge == Edge.Middle ? Margin * s_page : 0;
        nint pages = (Math.Max(bytes + offset, 1) + s_page - 1) / s_page * s_page + 2 * margin;
        if (_next + pages + s_page > _start + _bytes) throw new InvalidOperationException("There are more spans than were told.");
        if (mprotect(_next, pages, ReadWrite) != 0) throw new InvalidOperationException($"mprotect: {Marshal.GetLastPInvokeErrorMessage()}");
        nint begin = edge == Edge.End ? _next + pages - bytes : _next + margin + offset;
        if (edge == Edge.End) begin -= ((begin - offset) % alignment + alignment) % alignment;
        _spans.Add((name, begin, bytes, _next, pages));
        Outside(_next, begin).Fill(Pattern);
        Outside(begin + bytes, _next + pages).Fill(Pattern);
        _next += pages + s_page;
        return new Span<T>((void*)begin, length);
    }

    /// <summary>Fails where something was written beside a span.</summary>
    public void Check(string call)
    {
        foreach (var (name, begin, bytes, pages, pageBytes) in _spans)
        {
            Span<byte> before = Outside(pages, begin), after = Outside(begin + bytes, pages + pageBytes);
            int first = before.IndexOfAnyExcept(Pattern), last = before.LastIndexOfAnyExcept(Pattern);
            if (first >= 0) Assert.Fail($"{call}: bytes {first - before.Length} to {last - before.Length} before {name} were written");
            (first, last) = (after.IndexOfAnyExcept(Pattern), after.LastIndexOfAnyExcept(Pattern));
            if (first >= 0) Assert.Fail($"{call}: bytes {first} to {last} after the end of {name} were written");
        }
    }

    public void Dispose() => munmap(_start, _bytes);

    private static Span<byte> Outside(nint begin, nint end) => new((void*)begin, checked((int)(end - begin)));
}
