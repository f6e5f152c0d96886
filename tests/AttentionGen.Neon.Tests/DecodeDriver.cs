using System.Runtime.CompilerServices;
using AttentionGen.CompilerServices;

namespace AttentionGen.Neon.Tests;

/// <summary>What the runtime library does around a core of decode, on one thread and for one key-value head: a leaf, too.</summary>
internal static class DecodeDriver
{
    [SkipLocalsInit]
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
        void* keys = Unsafe.AsPointer(ref key), values = Unsafe.AsPointer(ref value);
        bool begun = false;
        for (long first = begin; first < end || (!begun && firstKeys > 0); first += call.Stretch)
        {
            // The first keys, then those of the window, page by page; the core gets some of them at a time.
            Unsafe.SkipInit(out NeonRuns runs); // the runtime's way to clear so many is not there
            runs.Count = 0;
            float* state = begun ? memory.Others : memory.States;
            bool starts = true;
            for (long from = 0, next; !begun && from < firstKeys; from = next)
            {
                next = call.EndOfPage(from, firstKeys);
                if (runs.Count == call.MostRuns) Attend<TCore>(ref query, ref call, ref runs, state, ref starts);
                runs.Add(call.RunOfFirst(from, next - from, query: 0, call.Key(keys, from), call.Value(values, from), call.KeyScale(from), call.ValueScale(from)));
            }

            long to = Math.Min(first + call.Stretch, end);
            Unsafe.SkipInit(out NeonPages pages);
            pages.Count = 0;
            for (long from = first, next; from < to; from = next)
            {
                if (runs.Count == call.MostRuns || pages.Count == NeonPages.Most)
                {
                    Attend<TCore>(ref query, ref call, ref runs, state, ref starts);
                    pages.Count = 0;
                }

                int firstPage = 0, pageKeys = 0;
                next = plan.InPages ? call.ListPages(from, to, ref pages, out firstPage, out pageKeys) : call.EndOfPage(from, to);
                runs.Add(call.Run(from, next - from, query: 0, call.Key(keys, from), call.Value(values, from), call.KeyScale(from), call.ValueScale(from), pages.First + firstPage, pageKeys));
            }

            Attend<TCore>(ref query, ref call, ref runs, state, ref starts);
            if (begun) TCore.Merge(ref *memory.States, ref *memory.Others, rows);
            begun = true;
        }

        for (int head = 0; head < group; head++)
        {
            void* to = Driver.Row(ref output, head * call.OutputHeadStride, call.OutputBytes);
            if (!begun) Driver.Clear(to, (nint)call.OutputStride, call.OutputBytes, queries, (int)call.ValueDim, *call.Operands, head, first: 0);
            else TCore.Finish(ref *(memory.States + head * queries * plan.StateRowFloats), new TokenRows(to, (nint)call.OutputStride), queries, new ForwardPlace(call.Operands, call.Sequence, head, row: 0));
        }
    }

    /// <summary>Computes all rows against some runs.</summary>
    private static unsafe void Attend<TCore>(ref float query, ref NeonCall call, ref NeonRuns runs, float* state, ref bool starts)
        where TCore : struct, IDecodeCore
    {
        var chunk = new DecodeBlock
        {
            QueryRows = new TokenRows(Unsafe.AsPointer(ref query), (nint)call.QueryStride, (nint)call.QueryHeadStride),
            Queries = (int)call.Queries,
            Heads = (int)call.Group,
            KeyHeads = 1,
            KeyStride = (nint)call.KeyStride,
            ValueStride = (nint)call.ValueStride,
            ScaleStride = 1,
            Runs = ref runs.First,
            RunCount = runs.Count,
            First = starts,
            State = ref *state,
            Scratch = ref *call.Memory.Working,
            Place = new ForwardPlace(call.Operands, call.Sequence, head: 0, row: 0),
        };
        TCore.Decode(in chunk);
        (starts, runs.Count) = (false, 0);
    }
}
