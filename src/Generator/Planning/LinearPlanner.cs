using AttentionGen.Generator.Model;

namespace AttentionGen.Generator.Planning;

/// <summary>Chooses the numbers of products with packed weights.</summary>
internal static class LinearPlanner
{
    /// <summary>Columns of a unit of work.</summary>
    public const int GroupColumns = 256;

    /// <summary>The plans for all instruction sets, best first.</summary>
    public static IReadOnlyList<LinearPlan> BestFirst { get; } = [.. Machine.BestFirst.Select(Plan)];

    private static LinearPlan Plan(Machine machine)
    {
        int rows = machine.Accumulators / LinearPlan.Vectors;
        var streams = Enumerable.Range(1, rows).Select(few => Math.Min(machine.Accumulators / (LinearPlan.Vectors * few), MostStreams)).TakeWhile(few => few >= LeastStreams);
        return new(machine.Isa, machine.Lanes, rows, BlockDepth(machine.Lanes), streams.ToEquatableArray());
    }

    /// <summary>
    /// Panels that few rows read side by side: as many as accumulators allow. 64 MiB out of DRAM at 30 GB/s with four, one row or two; with two panels at 27 (float) and 14 GB/s (bfloat16, three
    /// rows, AVX2), where tiles that fetch the next panel take 0.7 of the time (Zen 4).
    /// </summary>
    private const int MostStreams = 4, LeastStreams = 3;

    /// <summary>A part of a panel takes 24 KiB with 16 lanes, 16 KiB with 8.</summary>
    private static int BlockDepth(int lanes) => lanes == 16 ? 192 : 256;
}
