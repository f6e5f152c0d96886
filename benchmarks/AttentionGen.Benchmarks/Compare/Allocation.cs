namespace AttentionGen.Benchmarks.Compare;

/// <summary>What a call allocates on .NET's heap.</summary>
internal static class Allocation
{
    private const int Tries = 5;

    /// <summary>The least of several calls: other threads of the process may allocate in between.</summary>
    public static long Bytes(Timed timed)
    {
        long least = long.MaxValue;
        for (int i = 0; i < Tries && least > 0; i++)
        {
            long before = GC.GetTotalAllocatedBytes(precise: true);
            timed.Run();
            least = Math.Min(least, GC.GetTotalAllocatedBytes(precise: true) - before);
        }

        return least;
    }
}
