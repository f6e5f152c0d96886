namespace AttentionGen;

/// <summary>Settings of the process that all kernels share.</summary>
public static class AttentionOptions
{
    private static int s_maxDegreeOfParallelism = Environment.ProcessorCount;

    /// <summary>
    /// The most threads, the caller's included, that one call uses, where the kernel has no <c>maxThreads</c> parameter. The number of
    /// processors at first. A call with little to do uses fewer.
    /// </summary>
    /// <exception cref="ArgumentOutOfRangeException">The value is less than 1.</exception>
    public static int MaxDegreeOfParallelism
    {
        get => Volatile.Read(ref s_maxDegreeOfParallelism);
        set
        {
            ArgumentOutOfRangeException.ThrowIfLessThan(value, 1);
            Volatile.Write(ref s_maxDegreeOfParallelism, value);
        }
    }
}
