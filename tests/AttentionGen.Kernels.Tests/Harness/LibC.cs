using System.Runtime.InteropServices;

namespace AttentionGen.Kernels.Tests;

/// <summary>The calls of Linux that give memory and protect it.</summary>
internal static partial class LibC
{
    [LibraryImport("libc", SetLastError = true)]
    internal static partial nint mmap(nint address, nint length, int protection, int flags, int file, nint offset);

    [LibraryImport("libc", SetLastError = true)]
    internal static partial int mprotect(nint address, nint length, int protection);

    [LibraryImport("libc", SetLastError = true)]
    internal static partial int munmap(nint address, nint length);

    [LibraryImport("libc", SetLastError = true)]
    internal static partial int madvise(nint address, nint length, int advice);
}
