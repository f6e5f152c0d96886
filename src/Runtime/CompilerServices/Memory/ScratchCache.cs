using System.Runtime.InteropServices;

namespace AttentionGen.CompilerServices;

/// <summary>Native memory that is kept between calls. One atomic exchange removes or returns a block, so there is no lock.</summary>
internal static unsafe class ScratchCache
{
    /// <summary>The most that a worker asks for. Longer key ranges are cut to fit into it.</summary>
    public const int MaxBytes = 8 << 20;

    /// <summary>Room for two blocks for each processor, so that concurrent callers seldom find it full.</summary>
    private static readonly nint[] s_blocks = new nint[2 * Environment.ProcessorCount];

    /// <summary>Precedes every block. Its size is the alignment of the block.</summary>
    private struct Header
    {
        public nuint Bytes;
    }

    private const nuint Alignment = 64;

    private static long s_live;

    /// <summary>The number of blocks that were allocated and not freed, kept or in use.</summary>
    internal static long LiveBlocks => Volatile.Read(ref s_live);

    public static long CachedBytes
    {
        get
        {
            long sum = 0;
            for (int i = 0; i < s_blocks.Length; i++)
            {
                // Removes the block while it reads it, because another thread may free it at any time.
                var block = (Header*)Interlocked.Exchange(ref s_blocks[i], 0);
                if (block == null) continue;
                sum += (long)block->Bytes;
                Put(block);
            }

            return sum;
        }
    }

    /// <summary>Memory of at least <paramref name="bytes"/> bytes, aligned to 64, not cleared.</summary>
    /// <exception cref="OutOfMemoryException">There is not enough memory.</exception>
    public static float* Rent(nuint bytes)
    {
        Faults.Before(Fault.NativeMemory);
        for (int i = 0; i < s_blocks.Length; i++)
        {
            if (Volatile.Read(ref s_blocks[i]) == 0) continue;
            var block = (Header*)Interlocked.Exchange(ref s_blocks[i], 0);
            if (block == null) continue;
            if (block->Bytes >= bytes) return Memory(block);
            Free(block); // too small for the current calls: the cache grows with use
            break;
        }

        var fresh = (Header*)NativeMemory.AlignedAlloc(checked(bytes + Alignment), Alignment);
        fresh->Bytes = bytes;
        Interlocked.Increment(ref s_live);
        MemoryPressure.Watch();
        return Memory(fresh);
    }

    public static void Return(float* memory) => Put((Header*)((byte*)memory - Alignment));

    public static void Trim()
    {
        for (int i = 0; i < s_blocks.Length; i++)
            Free((Header*)Interlocked.Exchange(ref s_blocks[i], 0));
    }

    private static void Free(Header* block)
    {
        if (block == null) return;
        NativeMemory.AlignedFree(block);
        Interlocked.Decrement(ref s_live);
    }

    private static float* Memory(Header* block) => (float*)((byte*)block + Alignment);

    private static void Put(Header* block)
    {
        for (int i = 0; i < s_blocks.Length; i++)
            if (Volatile.Read(ref s_blocks[i]) == 0 && Interlocked.CompareExchange(ref s_blocks[i], (nint)block, 0) == 0)
                return;
        Free(block);
    }
}
