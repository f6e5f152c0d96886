using System.Runtime.CompilerServices;
using AttentionGen.CompilerServices;

namespace AttentionGen.Neon.Tests;

/// <summary>What the runtime library does around a core of decode, on one thread and for one key-value head: a leaf, too.</summary>
internal static class DecodeDriver
{
    public static unsafe void Run<TCore>(ref float query, ref float key, ref float value, ref float output, ref NeonCall call)
        where TCore : struct, IDecodeCore
    {
        var plan = TCore.DecodePlan;
        int queries = (int)call.Queries, group = (int)call.Group, rows = queries * group;
        ref var memory = ref call.Memory;
        if (memory.States == null)
        {
            memory.WorkingFloats = plan.ScratchFloats;
            memory.StateFloats = memory.OtherFloats = rows * plan.StateRowFloats;
            return;
        }

        long firstKeys = call.EndOfFirst(queries - 1);
        call.Range(0, queries - 1, out long begin, out long end);
        bool begun = false;
        for (long first = begin; first < end || (!begun && firstKeys > 0); first += call.Stretch)
        {
            var runs = default(NeonRuns);
            if (!begun && firstKeys > 0) runs.Add(call.RunOfFirst(firstKeys, query: 0, Unsafe.AsPointer(ref key), Unsafe.AsPointer(ref value)));
            if (first < end)
            {
                void* firstKey = Unsafe.AsPointer(ref Unsafe.Add(ref key, (nint)(first * call.KeyStride))), firstValue = Unsafe.AsPointer(ref Unsafe.Add(ref value, (nint)(first * call.ValueStride)));
                runs.Add(call.Run(first, Math.Min(call.Stretch, end - first), query: 0, firstKey, firstValue));
            }

            var chunk = new DecodeBlock
            {
                QueryRows = Driver.Rows(ref query, 0, call.QueryStride, call.QueryHeadStride),
                Queries = queries,
                Heads = group,
                KeyHeads = 1,
                KeyStride = (nint)call.KeyStride,
                ValueStride = (nint)call.ValueStride,
                Runs = ref runs.First,
                RunCount = runs.Count,
                First = true,
                State = ref *(begun ? memory.Others : memory.States),
                Scratch = ref *memory.Working,
                Place = new ForwardPlace(call.Operands, call.Sequence, head: 0, row: 0),
            };
            TCore.Decode(in chunk);
            if (begun) TCore.Merge(ref *memory.States, ref *memory.Others, rows);
            begun = true;
        }

        for (int head = 0; head < group; head++)
        {
            ref float to = ref Unsafe.Add(ref output, (nint)(head * call.OutputHeadStride));
            if (!begun) Driver.Clear(ref to, (nint)call.OutputStride, queries, (int)call.ValueDim, *call.Operands, head, first: 0);
            else TCore.Finish(ref *(memory.States + head * queries * plan.StateRowFloats), new TokenRows(Unsafe.AsPointer(ref to), (nint)call.OutputStride), queries, new ForwardPlace(call.Operands, call.Sequence, head, row: 0));
        }
    }
}
