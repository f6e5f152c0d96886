using System.Runtime.InteropServices;
using static AttentionGen.Kernels.Tests.LibC;

namespace AttentionGen.Kernels.Tests;

/// <summary>More addresses than there is memory: a page gets some when it is touched. All is 0 at first.</summary>
internal sealed unsafe class ReservedMemory : IDisposable
{
    private const int ReadWrite = 3, Private = 2, Anonymous = 0x20, NoReserve = 0x4000, NoHugePage = 15;

    private readonly nint _bytes;

    private ReservedMemory(nint start, nint bytes)
    {
        Start = (float*)start;
        _bytes = bytes;
    }

    /// <summary>Why there is no such memory on this machine; null where there is.</summary>
    public static string? Missing => OperatingSystem.IsLinux() && Environment.Is64BitProcess ? null : "memory is reserved by calls of 64-bit Linux here";

    public float* Start { get; }

    /// <exception cref="InvalidOperationException">The process may not have so many addresses.</exception>
    public static ReservedMemory Of(nint floats)
    {
        nint bytes = floats * sizeof(float), start = mmap(0, bytes, ReadWrite, Private | Anonymous | NoReserve, -1, 0);
        if (start == -1) throw new InvalidOperationException($"mmap of {bytes} bytes: {Marshal.GetLastPInvokeErrorMessage()}");
        _ = madvise(start, bytes, NoHugePage); // a touched page would be one of 2 MiB; kernels without such pages refuse
        return new ReservedMemory(start, bytes);
    }

    public void Dispose() => munmap((nint)Start, _bytes);
}
