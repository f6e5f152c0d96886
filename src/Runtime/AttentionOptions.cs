namespace AttentionGen;

/// <summary>Settings of the process that all kernels share.</summary>
public static class AttentionOptions
{
    private static int s_maxDegreeOfParallelism = Environment.ProcessorCount;
    private static long s_maxLayerBytes = long.MaxValue;

    /// <summary>
    /// The maximum number of threads of one call, including the thread of the caller. A kernel with a <c>maxThreads</c> parameter uses that parameter
    /// instead. The initial value is the number of processors. A call with little work uses fewer threads.
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

    /// <summary>
    /// The maximum number of bytes that one call of a layer (<see cref="MultiHeadAttentionAttribute"/>) uses for its queries, keys, values and heads. They grow with the tokens of the call:
    /// <see cref="AttentionKernelInfo.LayerBytes"/> says how. A call that needs more throws. There is no limit initially.
    /// </summary>
    /// <exception cref="ArgumentOutOfRangeException">The value is negative.</exception>
    public static long MaxLayerBytes
    {
        get => Volatile.Read(ref s_maxLayerBytes);
        set
        {
            ArgumentOutOfRangeException.ThrowIfNegative(value);
            Volatile.Write(ref s_maxLayerBytes, value);
        }
    }
}
