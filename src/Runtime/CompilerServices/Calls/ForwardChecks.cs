using System.Diagnostics.CodeAnalysis;

namespace AttentionGen.CompilerServices;

/// <summary>
/// Checks the preconditions of a core once for each call, after the layout. Cores are leaves that trust rows, keys and strides. A layout that breaks a
/// precondition is a bug of the library. The call then fails before anything is written, instead of touching memory of others.
/// </summary>
internal static unsafe class ForwardChecks
{
    /// <summary>Checks that the tensors have the dimensions and element types of the core, and numbers of heads that fit each other.</summary>
    public static void Tensors(in ForwardWalks walks, in KernelTensor query, in KernelTensor key, in KernelTensor value, in KernelTensor output)
    {
        if (walks.Prefill.Exists) Tensors(walks.Prefill.Plan.HeadDim, walks.Prefill.Plan.ValueDim, walks.Prefill.Plan.Elements, query, key, value, output);
        if (walks.Decode.Exists) Tensors(walks.Decode.Plan.HeadDim, walks.Decode.Plan.ValueDim, walks.Decode.Plan.Elements, query, key, value, output);
        if (walks.Prefill.Exists) Chosen(walks.Prefill.Plan.Chosen, walks.Prefill.Plan.StateRowFloats, value, output);
        if (walks.Decode.Exists) Chosen(walks.Decode.Plan.Chosen, walks.Decode.Plan.StateRowFloats, value, output);
        if (value.Heads != key.Heads || output.Heads != query.Heads || query.Heads % key.Heads != 0) Broken("heads");
    }

    /// <summary>Checks that the tensors of linear attention have the dimensions and types that its loops take from some of them for all.</summary>
    public static void Recurrence(in KernelTensor query, in KernelTensor key, in KernelTensor value, in KernelTensor output)
    {
        if (key.Heads < 1 || value.Heads != key.Heads || output.Heads != query.Heads || query.Heads % key.Heads != 0) Broken("heads");
        if (query.Dim != key.Dim || output.Dim != value.Dim || key.Dim > CacheShape.MostDim || value.Dim > CacheShape.MostDim) Broken("head dimensions");
        if (value.Element != key.Element) Broken("elements");
    }

    private static void Tensors(int headDim, int valueDim, TensorBytes bytes, in KernelTensor query, in KernelTensor key, in KernelTensor value, in KernelTensor output)
    {
        if (query.Dim != headDim || key.Dim != headDim || value.Dim != valueDim || output.Dim != valueDim) Broken("head dimensions");
        if (bytes != new TensorBytes(query.ElementBytes, key.ElementBytes, value.ElementBytes, output.ElementBytes)) Broken("elements");
    }

    private static void Chosen(in ChosenValue chosen, int stateRow, in KernelTensor value, in KernelTensor output)
    {
        if (chosen.Exists && (chosen.Key >= stateRow || chosen.ValueBytes != value.ElementBytes || chosen.OutputBytes != output.ElementBytes)) Broken("chosen keys");
    }

    /// <summary>Checks that sequences are inside the tensors, that pieces cover all their rows, and that zones are inside their keys.</summary>
    public static void Layout(in ForwardArguments call) => Layout(call, default(PrefillPlan));

    /// <summary>Checks the layout, and that blocks have the numbers of rows and keys that prefill requires.</summary>
    public static void Layout(in ForwardArguments call, in PrefillPlan plan)
    {
        int piece = 0;
        for (int i = 0; i < call.SequenceCount; i++)
        {
            ref readonly var sequence = ref call.Sequences[i];
            if ((uint)sequence.Batch >= (uint)call.Shape.Batch || sequence.Step < 1) Broken("batch items");
            if (!IsInside(sequence.Query, sequence.Queries, sequence.Step, call.Shape.Queries)) Broken("queries");
            if (!IsInside(sequence.Key, sequence.Keys, sequence.Step, call.Shape.Keys)) Broken("keys");
            if (sequence.FirstPiece != piece || sequence.Pieces > call.PieceCount - piece) Broken("pieces");
            int row = 0;
            for (; piece < sequence.FirstPiece + sequence.Pieces; piece++)
            {
                ref readonly var rows = ref call.Pieces[piece];
                if (rows.Sequence != i || rows.FirstRow != row || rows.Rows < 1 || rows.Rows > sequence.Queries - row) Broken("rows");
                row += rows.Rows;
                Zones(call, plan, sequence, rows);
            }

            if (row != sequence.Queries) Broken("rows");
        }

        if (piece != call.PieceCount) Broken("pieces");
    }

    private static void Zones(in ForwardArguments call, in PrefillPlan plan, in ForwardSequence sequence, in RowPiece rows)
    {
        for (int i = rows.FirstZone; i < rows.FirstZone + rows.Zones; i++)
        {
            ref readonly var zone = ref call.Zones[i];
            if (zone.Begin < 0 || zone.End > sequence.Keys) Broken("zones");
            if (plan.MostKeys > 0 && zone.End > plan.MostKeys) Broken("keys of a row");
            if (plan.RunKeys > 0 && (zone.Begin, zone.End) != (0, plan.RunKeys)) Broken("keys of a row");
        }

        if (plan.LeastRows <= 1) return;
        int last = rows.Rows % plan.QueryBlock;
        if (rows.Rows < plan.LeastRows || (last > 0 && last < plan.LeastRows)) Broken("rows of a block");
    }

    /// <summary>Whether <paramref name="count"/> tokens, <paramref name="step"/> apart, are inside a tensor.</summary>
    private static bool IsInside(int first, int count, int step, int tokens) => count == 0 || (first >= 0 && count > 0 && first + (count - 1L) * step < tokens);

    [DoesNotReturn]
    private static void Broken(string what) =>
        throw new InvalidOperationException($"The layout of this call does not fit the kernel's code ({what}). This is a fault of AttentionGen; nothing was written.");
}
