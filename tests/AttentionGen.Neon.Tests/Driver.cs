using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using AttentionGen.CompilerServices;

namespace AttentionGen.Neon.Tests;

/// <summary>Lengths and strides of a call, as the harness lays them out.</summary>
[StructLayout(LayoutKind.Sequential)]
public struct NeonCall
{
    public long Queries, Keys, Start, QueryStride, KeyStride, ValueStride, OutputStride, HeadDim, ValueDim, Stretch;

    /// <summary>For few rows: the heads, 0 for packed keys, and elements from head to head.</summary>
    public long Group, QueryHeadStride, OutputHeadStride;

    /// <summary>Keys that a query sees before and behind its position, -1 for all.</summary>
    public long Left, Right;

    /// <summary>How many of the first keys a query sees beside a window, up to its own position: a zone of their own, before the window's.</summary>
    public long First;

    /// <summary>What belongs to the scores, and the log-sum-exp, as the harness lays it out.</summary>
    internal unsafe ForwardOperands* Operands;

    /// <summary>The memory of a thread. A call that brings none is asked how much it needs.</summary>
    internal NeonMemory Memory;

    /// <summary>The queries against the keys.</summary>
    internal readonly ForwardSequence Sequence => new() { Queries = (int)Queries, Keys = (int)Keys, Step = 1, Start = (nint)Start };

    /// <summary>The first key that a query sees, counted past both ends.</summary>
    public readonly long Begin(long query) => Left < 0 ? 0 : Start + query - Left;

    /// <summary>The key after the last one that a query sees, counted past both ends.</summary>
    public readonly long End(long query) => Right < 0 ? Keys : Start + query + Right + 1;

    /// <summary>The keys of the zone before the window that some of the queries see: those before it.</summary>
    public readonly long EndOfFirst(long last) => Math.Max(Math.Min(End(last), Math.Min(First, Keys)), 0);

    /// <summary>The keys of the window that some of the queries see.</summary>
    public readonly void Range(long first, long last, out long begin, out long end)
    {
        end = Math.Max(Math.Min(End(last), Keys), 0);
        begin = Math.Max(Math.Min(Math.Max(Begin(first), First), end), 0);
    }

    /// <summary>Keys of the zone before the window against queries from one on.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal readonly unsafe KeyRun RunOfFirst(long keys, long query, void* firstKey, void* firstValue) => new()
    {
        FirstKey = firstKey, FirstValue = firstValue, Count = (int)keys, Visible = (nint)End(query), Hidden = -(1 << 30), Decided = true,
    };

    /// <summary>The same of the window.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal readonly unsafe KeyRun Run(long from, long keys, long query, void* firstKey, void* firstValue) => new()
    {
        FirstKey = firstKey, FirstValue = firstValue, Key = (int)from, Count = (int)keys, Least = (int)Math.Max(First - from, 0), Visible = (nint)(End(query) - from), Hidden = (nint)(Begin(query) - from), Decided = true,
    };
}

/// <summary>
/// Packed keys and values, working memory, the states of rows and others to merge: one after the other in the library, each by itself here, so that the
/// harness can protect both of its ends.
/// </summary>
[StructLayout(LayoutKind.Sequential)]
internal unsafe struct NeonMemory
{
    public float* PackedKeys, PackedValues, Working, States, Others;

    /// <summary>How many each has.</summary>
    public long PackedKeyFloats, PackedValueFloats, WorkingFloats, StateFloats, OtherFloats;
}

/// <summary>The runs of a block, one after the other.</summary>
[StructLayout(LayoutKind.Sequential)]
internal struct NeonRuns
{
    public KeyRun First, Second;
    public int Count;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Add(in KeyRun run)
    {
        if (Count++ == 0) First = run;
        else Second = run;
    }
}

/// <summary>What the runtime library does around a core, on one thread and for one head: a leaf, so that it runs without a .NET runtime.</summary>
public static class Driver
{
    public static void Run<TCore>(ref float query, ref float key, ref float value, ref float output, ref NeonCall call)
        where TCore : struct, IPrefillCore, IDecodeCore
    {
        if (call.Group > 0)
        {
            DecodeDriver.Run<TCore>(ref query, ref key, ref value, ref output, ref call);
            return;
        }

        RunPrefill<TCore>(ref query, ref key, ref value, ref output, ref call);
    }

    /// <summary>The same for a core that has no way for few rows.</summary>
    public static unsafe void RunPrefill<TCore>(ref float query, ref float key, ref float value, ref float output, ref NeonCall call)
        where TCore : struct, IPrefillCore
    {
        var plan = TCore.PrefillPlan;
        int stretch = (int)Math.Min(Math.Max(call.Stretch / plan.KeyBlock, 1), (call.Keys + plan.KeyBlock - 1) / plan.KeyBlock) * plan.KeyBlock;
        bool isShort = call.Keys <= stretch; // then a block of rows meets all of its keys at once, and one state is enough
        ref var memory = ref call.Memory;
        if (memory.States == null)
        {
            memory.PackedKeyFloats = (long)stretch * plan.PackedKeyFloats;
            memory.PackedValueFloats = (long)stretch * plan.PackedValueFloats;
            memory.WorkingFloats = plan.ScratchFloats;
            memory.StateFloats = (isShort ? 1 : (call.Queries + plan.QueryBlock - 1) / plan.QueryBlock) * plan.StateFloats;
            return;
        }

        for (long first = 0; first < call.Keys; first += stretch)
        {
            int count = (int)Math.Min(stretch, call.Keys - first);
            var keys = new KeysToPack
            {
                KeyRows = Rows(ref key, first * call.KeyStride, call.KeyStride),
                ValueRows = Rows(ref value, first * call.ValueStride, call.ValueStride),
                Count = count,
                PackedKeys = ref *memory.PackedKeys,
                PackedValues = ref *memory.PackedValues,
                Key = (int)first,
                Place = new ForwardPlace(call.Operands, call.Sequence, head: 0, row: 0),
                Scratch = ref *memory.Working,
            };
            bool finite = TCore.Pack(in keys);
            for (long row = 0, index = 0; row < call.Queries; row += plan.QueryBlock, index++)
            {
                int rows = (int)Math.Min(plan.QueryBlock, call.Queries - row);
                long firstKeys = call.EndOfFirst(row + rows - 1);
                call.Range(row, row + rows - 1, out long begin, out long end);
                if (begin == end && firstKeys == 0)
                {
                    if (first == 0) Clear(ref Unsafe.Add(ref output, (nint)(row * call.OutputStride)), (nint)call.OutputStride, rows, (int)call.ValueDim, *call.Operands, head: 0, (int)row);
                    continue;
                }

                var runs = default(NeonRuns);
                if (firstKeys > 0 && first == 0) runs.Add(call.RunOfFirst(firstKeys, row, memory.PackedKeys, memory.PackedValues));
                if (begin < end) begin = begin / plan.KeyBlock * plan.KeyBlock; // blocks of keys stand at fixed keys
                long from = Math.Max(begin, first), seen = Math.Min(end - from, first + count - from);
                nint place = (nint)(from - first); // among the packed keys
                if (seen > 0) runs.Add(call.Run(from, seen, row, memory.PackedKeys + place * plan.PackedKeyFloats, memory.PackedValues + place * plan.PackedValueFloats));
                if (runs.Count == 0) continue;
                var block = new PrefillBlock
                {
                    QueryRows = Rows(ref query, row * call.QueryStride, call.QueryStride),
                    OutputRows = Rows(ref output, row * call.OutputStride, call.OutputStride),
                    Rows = rows,
                    Runs = ref runs.First,
                    RunCount = runs.Count,
                    ValuesFinite = finite,
                    First = firstKeys > 0 ? first == 0 : from == begin,
                    Last = begin == end || from + seen == end,
                    State = ref *(memory.States + (isShort ? 0 : index * plan.StateFloats)),
                    Scratch = ref *memory.Working,
                    Place = new ForwardPlace(call.Operands, call.Sequence, head: 0, (int)row),
                };
                TCore.Prefill(in block);
            }
        }
    }

    /// <summary>Rows of a tensor from an element on.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal static unsafe TokenRows Rows(ref float tensor, long first, long stride, long headStride = 0) =>
        new(Unsafe.AsPointer(ref Unsafe.Add(ref tensor, (nint)first)), (nint)stride, (nint)headStride);

    /// <summary>What is written of rows that see no key.</summary>
    [MethodImpl(MethodImplOptions.NoInlining)]
    internal static void Clear(ref float output, nint stride, int rows, int dim, in ForwardOperands operands, int head, int first)
    {
        for (int row = 0; row < rows; row++)
        {
            for (int i = 0; i < dim; i++) Unsafe.Add(ref output, row * stride + i) = 0;
            operands.WriteEmpty(batch: 0, head, first + row);
        }
    }
}
