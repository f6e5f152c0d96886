using System.Diagnostics.CodeAnalysis;

namespace AttentionGen.CompilerServices;

/// <summary>
/// A reusable job: one for each thread that works alone, and a pool for calls on several threads. Jobs are created by a function of their own: <c>new TJob()</c>
/// would go through reflection, which a first call pays for.
/// </summary>
internal abstract unsafe class PooledJob<TJob> : ParallelJob
    where TJob : PooledJob<TJob>
{
    // The pool bounds the jobs for several threads. A job that a late worker still holds cannot serve the next call. If none is free, the call runs on its own
    // thread instead of allocating.
    private static readonly TJob?[] s_spare = new TJob?[2 * Environment.ProcessorCount + 14];
    private static int s_created;

    [ThreadStatic]
    private static TJob? t_alone;

    /// <summary>The job of this thread for calls without other threads.</summary>
    protected static TJob Alone(delegate*<TJob> create) => t_alone ??= create();

    /// <summary>A job for several threads; null if the pool is exhausted or no job can be made: the caller then works alone.</summary>
    [SuppressMessage("Design", "CA1031", Justification = "Only the constructor is called. A call that has begun to write has no way back, and does not need the job.")]
    protected static TJob? Rent(delegate*<TJob> create)
    {
        for (int i = 0; i < s_spare.Length; i++)
            if (Volatile.Read(ref s_spare[i]) is not null && Interlocked.Exchange(ref s_spare[i], null) is { } spare)
                return spare;
        if (Volatile.Read(ref s_created) >= s_spare.Length) return null;
        if (Interlocked.Increment(ref s_created) > s_spare.Length)
        {
            Interlocked.Decrement(ref s_created);
            return null;
        }

        try
        {
            Faults.Before(Fault.Job);
            return create();
        }
        catch (Exception)
        {
            Interlocked.Decrement(ref s_created);
            return null;
        }
    }

    protected sealed override void Release()
    {
        if (this == t_alone) return;
        int i = 0;
        while (Interlocked.CompareExchange(ref s_spare[i], (TJob)this, null) is not null) i = (i + 1) % s_spare.Length; // there are as many places as jobs
    }

    /// <summary>Lets the pool create another job in its place.</summary>
    protected sealed override void Lose()
    {
        if (this == t_alone) t_alone = null;
        else Interlocked.Decrement(ref s_created);
    }

    /// <summary>The working memory of a thread of a call; null if there is none and the call can do without the thread.</summary>
    protected static float* TakeMemory(in ForwardArguments call, nint bytes, int worker)
    {
        if (call.Scratch != null) return (float*)(call.Scratch + (nint)worker * bytes);
        try
        {
            return ScratchCache.Rent((nuint)bytes);
        }
        catch (OutOfMemoryException) when (worker != 0)
        {
            return null;
        }
    }

    protected static void ReturnMemory(in ForwardArguments call, float* memory)
    {
        if (call.Scratch == null) ScratchCache.Return(memory);
    }
}
