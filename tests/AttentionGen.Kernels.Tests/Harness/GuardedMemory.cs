using System.Runtime.InteropServices;
using static AttentionGen.Kernels.Tests.LibC;

namespace AttentionGen.Kernels.Tests;

/// <summary>Memory between two pages, or two ranges of them, that end the process when they are touched.</summary>
internal sealed unsafe class GuardedMemory : IDisposable
{
    private const int ReadWrite = 3, Private = 2, Anonymous = 0x20;

    private readonly nint _start;
    private readonly nint _bytes; // between the pages
    private readonly nint _guard; // of protected pages, on either side

    public GuardedMemory(int bytes, int guard = 1)
    {
        (_bytes, _guard) = (Pages(bytes), Pages(guard));
        _start = mmap(0, _bytes + 2 * _guard, 0, Private | Anonymous, -1, 0);
        if (_start == -1 || mprotect(_start + _guard, _bytes, ReadWrite) != 0) throw new InvalidOperationException($"mmap: {Marshal.GetLastPInvokeErrorMessage()}");
    }

    /// <summary>Why there is no such memory on this machine; null where there is.</summary>
    public static string? Missing => OperatingSystem.IsLinux() ? null : "pages are protected by calls of Linux here";

    /// <summary>Elements whose end, or whose beginning, is a protected page.</summary>
    public Span<T> Take<T>(int length, bool atEnd)
        where T : unmanaged
    {
        nint bytes = (nint)length * sizeof(T), begin = _start + _guard;
        ArgumentOutOfRangeException.ThrowIfGreaterThan(bytes, _bytes);
        return new Span<T>((void*)(atEnd ? begin + _bytes - bytes : begin), length);
    }

    public Span<T> Copy<T>(ReadOnlySpan<T> from, bool atEnd)
        where T : unmanaged
    {
        var span = Take<T>(from.Length, atEnd);
        from.CopyTo(span);
        return span;
    }

    /// <summary>A span of which only a part may be touched: what lies before and behind that is protected.</summary>
    public ReadOnlySpan<T> CopyPart<T>(ReadOnlySpan<T> from, Range part, bool atEnd)
        where T : unmanaged
    {
        var (first, length) = part.GetOffsetAndLength(from.Length);
        ArgumentOutOfRangeException.ThrowIfGreaterThan((nint)Math.Max(first, from.Length - first - length) * sizeof(T), _guard);
        fixed (T* copy = Copy(from.Slice(first, length), atEnd)) return new ReadOnlySpan<T>(copy - first, from.Length);
    }

    public void Dispose() => munmap(_start, _bytes + 2 * _guard);

    private static nint Pages(int bytes)
    {
        nint page = Environment.SystemPageSize;
        return Math.Max(1, (bytes + page - 1) / page) * page;
    }
}
