using System.Runtime.CompilerServices;
using AttentionGen.CompilerServices;

namespace AttentionGen.Neon.Tests;

/// <summary>What the runtime library does around a core for few query rows, on one thread and for one key-value head: a leaf, too.</summary>
internal static class RowsDriver
{
    /// <param name="scratch">Working memory, the state of all rows and another of them.</param>
    public static unsafe void Run<TCore>(ref float query, ref float key, ref float value, ref float output, ref float scratch, ref NeonCall call)
        where TCore : struct, IRowsCore
    {
        var plan = TCore.Plan;
        int queries = (int)call.Queries, group = (int)call.Group, rows = queries * group;
        ref float state = ref Unsafe.Add(ref scratch, plan.RowsScratchFloats);
        ref float other = ref Unsafe.Add(ref state, rows * plan.StateRowFloats);

        long firstKeys = call.EndOfFirst(queries - 1);
        call.Range(0, queries - 1, out long begin, out long end);
        bool begun = false;
        for (long first = begin; first < end || (!begun && firstKeys > 0); first += call.Stretch)
        {
            var runs = default(NeonRuns);
            if (!begun && firstKeys > 0) runs.Add(call.RunOfFirst(firstKeys, query: 0));
            if (first < end) runs.Add(call.Run(first, Math.Min(call.Stretch, end - first), packed: 0, query: 0));
            var chunk = new ForwardRows
            {
                Query = ref query,
                QueryStride = (nint)call.QueryStride,
                HeadStride = (nint)call.QueryHeadStride,
                Queries = queries,
                Heads = group,
                KeyHeads = 1,
                Key = ref key,
                KeyStride = (nint)call.KeyStride,
                Value = ref value,
                ValueStride = (nint)call.ValueStride,
                Runs = ref runs.First,
                RunCount = runs.Count,
                First = true,
                State = ref begun ? ref other : ref state,
                Scratch = ref scratch,
                Place = new ForwardPlace(call.Operands, call.Sequence, head: 0, row: 0),
            };
            TCore.AttendRows(in chunk);
            if (begun) TCore.Merge(ref state, ref other, rows);
            begun = true;
        }

        for (int head = 0; head < group; head++)
        {
            ref float to = ref Unsafe.Add(ref output, (nint)(head * call.OutputHeadStride));
            if (!begun) Driver.Clear(ref to, (nint)call.OutputStride, queries, (int)call.ValueDim, *call.Operands, head, first: 0);
            else TCore.Finish(ref Unsafe.Add(ref state, head * queries * plan.StateRowFloats), ref to, (nint)call.OutputStride, queries, new ForwardPlace(call.Operands, call.Sequence, head, row: 0));
        }
    }
}
