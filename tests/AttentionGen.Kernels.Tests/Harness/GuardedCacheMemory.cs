using System.Collections.Concurrent;
using System.Runtime.InteropServices;
using AttentionGen.CompilerServices;

namespace AttentionGen.Kernels.Tests;

/// <summary>While it lives, caches take their memory from between protected pages, as near to the page behind it as the alignment allows; what is freed is protected, too.</summary>
internal sealed unsafe class GuardedCacheMemory : IDisposable
{
    private const byte Filling = 0xFF; // a NaN in every type

    private readonly ConcurrentDictionary<nint, GuardedMemory> _blocks = new();

    public GuardedCacheMemory()
    {
        if (GuardedMemory.Missing is null) OwnedMemory.Injected = (Allocate, Free);
    }

    /// <summary>The number of blocks that are not freed.</summary>
    public int Blocks => _blocks.Count;

    public void Dispose()
    {
        OwnedMemory.Injected = null;
        foreach (var block in _blocks.Values) block.Dispose();
    }

    private nint Allocate(nuint bytes)
    {
        var memory = new GuardedMemory(checked((int)bytes));
        var span = memory.Take<byte>(checked((int)bytes), atEnd: true);
        span.Fill(Filling);
        nint address;
        fixed (byte* first = span) address = (nint)first;
        _blocks[address] = memory;
        return address;
    }

    private void Free(nint address, nuint bytes)
    {
        if (_blocks.TryRemove(address, out var memory)) memory.Dispose();
        else NativeMemory.AlignedFree((void*)address); // from before
    }
}
