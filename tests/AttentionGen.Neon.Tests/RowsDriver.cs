using System.Runtime.CompilerServices;
using AttentionGen.CompilerServices;

namespace AttentionGen.Neon.Tests;

/// <summary>What the runtime library does around a core for few query rows, on one thread and for one key-value head: a leaf, too.</summary>
internal static class RowsDriver
{
    /// <param name="scratch">Working memory, the state of all rows and another of them.</param>
    public static void Run<TCore>(ref float query, ref float key, ref float value, ref float output, ref float scratch, ref NeonCall call)
        where TCore : struct, IRowsCore
    {
        var plan = TCore.Plan;
        int queries = (int)call.Queries, group = (int)call.Group, rows = queries * group;
        ref float state = ref Unsafe.Add(ref scratch, plan.RowsScratchFloats);
        ref float other = ref Unsafe.Add(ref state, rows * plan.StateRowFloats);

        for (long first = 0; first < call.Keys; first += call.Stretch)
        {
            var chunk = new ForwardRows
            {
                Query = ref query,
                QueryStride = (nint)call.QueryStride,
                HeadStride = (nint)call.QueryHeadStride,
                Queries = queries,
                Heads = group,
                KeyHeads = 1,
                Key = ref Unsafe.Add(ref key, (nint)(first * call.KeyStride)),
                KeyStride = (nint)call.KeyStride,
                Value = ref Unsafe.Add(ref value, (nint)(first * call.ValueStride)),
                ValueStride = (nint)call.ValueStride,
                Keys = (int)Math.Min(call.Stretch, call.Keys - first),
                Visible = (nint)(call.Start + 1 - first),
                State = ref first == 0 ? ref state : ref other,
                Scratch = ref scratch,
            };
            TCore.AttendRows(in chunk);
            if (first > 0) TCore.Merge(ref state, ref other, rows);
        }

        for (int head = 0; head < group; head++)
        {
            TCore.Finish(
                ref Unsafe.Add(ref state, head * queries * plan.StateRowFloats), ref Unsafe.Add(ref output, (nint)(head * call.OutputHeadStride)),
                (nint)call.OutputStride, queries);
        }
    }
}
