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
        // Few rows: as many streams as accumulators allow, four at most.
        var streams = Enumerable.Range(1, FewRows).Select(few => Math.Max(Math.Min(machine.Accumulators / (LinearPlan.Vectors * few), 4), 1));
        return new(machine.Isa, machine.Lanes, rows, BlockDepth(machine.Lanes), streams.ToEquatableArray());
    }

    /// <summary>The most rows that read the weights in place.</summary>
    private const int FewRows = 4;

    /// <summary>A part of a panel takes 24 KiB with 16 lanes, 16 KiB with 8.</summary>
    private static int BlockDepth(int lanes) => lanes == 16 ? 192 : 256;
}
