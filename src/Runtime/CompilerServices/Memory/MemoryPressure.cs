namespace AttentionGen.CompilerServices;

/// <summary>
/// Frees the kept memory when the machine runs short of memory. The garbage collector knows of the shortage, but does not count native memory. An unreachable
/// object is finalised at each collection; its finaliser checks the memory load and waits for the next collection.
/// </summary>
internal sealed class MemoryPressure
{
    private static int s_watches;

    /// <summary>Whether memory is short, at the load where the collector itself becomes aggressive. Tests replace this function.</summary>
    internal static Func<bool> IsHigh { get; set; } = static () => GC.GetGCMemoryInfo() is var info && info.MemoryLoadBytes >= info.HighMemoryLoadThresholdBytes;

    private MemoryPressure()
    {
    }

    /// <summary>Starts to watch the memory load, once for the process.</summary>
    public static void Watch()
    {
        if (Volatile.Read(ref s_watches) == 0 && Interlocked.Exchange(ref s_watches, 1) == 0) _ = new MemoryPressure();
    }

    ~MemoryPressure()
    {
        if (IsHigh()) ScratchCache.Trim();
        if (!Environment.HasShutdownStarted) GC.ReRegisterForFinalize(this);
    }
}
