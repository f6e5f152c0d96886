using System.Runtime.InteropServices;

namespace AttentionGen.CompilerServices;

/// <summary>Native memory that is kept between calls. One atomic exchange removes or returns a block, so there is no lock.</summary>
/// <param name="places">The most blocks that are kept.</param>
internal sealed unsafe class BlockCache(int places)
{
    private readonly nint[] _blocks = new nint[places];
    private long _live;

    /// <summary>Precedes every block. Its size is the alignment of the block.</summary>
    private struct Header
    {
        public nuint Bytes;
    }

    private const nuint Alignment = 64;

    /// <summary>The number of blocks that were allocated and not freed, kept or in use.</summary>
    public long LiveBlocks => Volatile.Read(ref _live);

    public long CachedBytes
    {
        get
        {
            long sum = 0;
            for (int i = 0; i < _blocks.Length; i++)
            {
                // Removes the block while it reads it, because another thread may free it at any time.
                var block = (Header*)Interlocked.Exchange(ref _blocks[i], 0);
                if (block == null) continue;
                sum += (long)block->Bytes;
                Put(block);
            }

            return sum;
        }
    }

    /// <summary>Memory of at least <paramref name="bytes"/> bytes, aligned to 64, not cleared.</summary>
    /// <exception cref="OutOfMemoryException">There is not enough memory.</exception>
    public float* Rent(nuint bytes)
    {
        Faults.Before(Fault.NativeMemory);
        for (int i = 0; i < _blocks.Length; i++)
        {
            if (Volatile.Read(ref _blocks[i]) == 0) continue;
            var block = (Header*)Interlocked.Exchange(ref _blocks[i], 0);
            if (block == null) continue;
            if (block->Bytes >= bytes) return Memory(block);
            Free(block); // too small for the current calls: the cache grows with use
            break;
        }

        var fresh = (Header*)NativeMemory.AlignedAlloc(checked(bytes + Alignment), Alignment);
        fresh->Bytes = bytes;
        Interlocked.Increment(ref _live);
        MemoryPressure.Watch();
        return Memory(fresh);
    }

    public void Return(float* memory) => Put((Header*)((byte*)memory - Alignment));

    public void Trim()
    {
        for (int i = 0; i < _blocks.Length; i++)
            Free((Header*)Interlocked.Exchange(ref _blocks[i], 0));
    }

    private void Free(Header* block)
    {
        if (block == null) return;
        NativeMemory.AlignedFree(block);
        Interlocked.Decrement(ref _live);
    }

    private static float* Memory(Header* block) => (float*)((byte*)block + Alignment);

    private void Put(Header* block)
    {
        for (int i = 0; i < _blocks.Length; i++)
            if (Volatile.Read(ref _blocks[i]) == 0 && Interlocked.CompareExchange(ref _blocks[i], (nint)block, 0) == 0)
                return;
        Free(block);
    }
}
