using System.Runtime.InteropServices;

namespace AttentionGen.Benchmarks.Machine;

/// <summary>Memory on huge pages, where Linux gives them for the asking: a read of much memory then waits less for address translation.</summary>
internal sealed unsafe partial class HugePages : IDisposable
{
    private const nuint PageBytes = 2 << 20;
    private const int AdviseHugePages = 14;

    private HugePages(nint address) => Address = address;

    public nint Address { get; }

    /// <summary>Memory that is filled; null where there is none of the kind.</summary>
    public static HugePages? Allocate(long bytes)
    {
        if (!OperatingSystem.IsLinux()) return null;
        nuint size = ((nuint)bytes + PageBytes - 1) / PageBytes * PageBytes;
        void* address = NativeMemory.AlignedAlloc(size, PageBytes);
        if (Advise((nint)address, size, AdviseHugePages) != 0)
        {
            NativeMemory.AlignedFree(address);
            return null;
        }

        NativeMemory.Fill(address, size, 1);
        return new HugePages((nint)address);
    }

    public void Dispose() => NativeMemory.AlignedFree((void*)Address);

    [LibraryImport("libc", EntryPoint = "madvise")]
    private static partial int Advise(nint address, nuint length, int advice);
}
