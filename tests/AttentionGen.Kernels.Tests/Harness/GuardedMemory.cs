using System.Runtime.InteropServices;

namespace AttentionGen.Kernels.Tests;

/// <summary>Memory between two pages that end the process when they are touched.</summary>
internal sealed unsafe partial class GuardedMemory : IDisposable
{
    private const int ReadWrite = 3, Private = 2, Anonymous = 0x20;

    private readonly nint _start;
    private readonly nint _bytes; // between the pages

    public GuardedMemory(int bytes)
    {
        nint page = Environment.SystemPageSize;
        _bytes = Math.Max(1, (bytes + page - 1) / page) * page;
        _start = mmap(0, _bytes + 2 * page, 0, Private | Anonymous, -1, 0);
        if (_start == -1 || mprotect(_start + page, _bytes, ReadWrite) != 0) throw new InvalidOperationException($"mmap: {Marshal.GetLastPInvokeErrorMessage()}");
    }

    /// <summary>Why there is no such memory on this machine; null where there is.</summary>
    public static string? Missing => OperatingSystem.IsLinux() ? null : "pages are protected by calls of Linux here";

    /// <summary>Elements whose end, or whose beginning, is a protected page.</summary>
    public Span<T> Take<T>(int length, bool atEnd)
        where T : unmanaged
    {
        nint bytes = (nint)length * sizeof(T), begin = _start + Environment.SystemPageSize;
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

    public void Dispose() => munmap(_start, _bytes + 2 * Environment.SystemPageSize);

    [LibraryImport("libc", SetLastError = true)]
    private static partial nint mmap(nint address, nint length, int protection, int flags, int file, nint offset);

    [LibraryImport("libc", SetLastError = true)]
    private static partial int mprotect(nint address, nint length, int protection);

    [LibraryImport("libc", SetLastError = true)]
    private static partial int munmap(nint address, nint length);
}
