namespace AttentionGen.CompilerServices;

/// <summary>
/// Gives the kept memory back where the machine runs short of it: the garbage collector knows, and does not count native memory. An object that nobody refers to is
/// finalised at each collection, looks, and waits for the next one.
/// </summary>
internal sealed class MemoryPressure
{
    private static int s_watches;

    /// <summary>Whether memory is short: where the collector itself becomes aggressive. Tests put their own answer here.</summary>
    internal static Func<bool> IsHigh { get; set; } = static () => GC.GetGCMemoryInfo() is var info && info.MemoryLoadBytes >= info.HighMemoryLoadThresholdBytes;

    private MemoryPressure()
    {
    }

    /// <summary>Begins to watch, once for the process.</summary>
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
