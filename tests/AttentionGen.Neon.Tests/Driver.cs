using System.Diagnostics.CodeAnalysis;
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

    /// <summary>How many of the first keys a query sees beside a window, up to its own position: a zone of their own.</summary>
    public long First;

    /// <summary>Bytes of an element.</summary>
    public long QueryBytes, KeyBytes, OutputBytes;

    /// <summary>Keys and values in a cache: tokens of a page, 0 without a cache; in a ring, which has one page, the first tokens, which stay, and the places behind them.</summary>
    public long PageTokens, Kept, Ring;

    /// <summary>The pages of a cache.</summary>
    internal unsafe void** KeyPages, ValuePages;

    /// <summary>The scales of keys and values, a float for each token of a page, where they are integers; otherwise null.</summary>
    internal unsafe float** KeyScalePages, ValueScalePages;

    /// <summary>The most runs of keys that a core of decode gets at once.</summary>
    public long MostRuns;

    /// <summary>What belongs to the scores, and the log-sum-exp, as the harness lays it out.</summary>
    internal unsafe ForwardOperands* Operands;

    /// <summary>The memory of a thread. A call that brings none is asked how much it needs.</summary>
    internal NeonMemory Memory;

    /// <summary>The queries against the keys.</summary>
    internal readonly ForwardSequence Sequence => new() { Queries = (int)Queries, Keys = (int)Keys, Step = 1, Start = (nint)Start };

    /// <summary>The first key that a query sees, counted past both ends.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public readonly long Begin(long query) => Left < 0 ? 0 : Start + query - Left;

    /// <summary>The key after the last one that a query sees, counted past both ends.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public readonly long End(long query) => Right < 0 ? Keys : Start + query + Right + 1;

    /// <summary>The keys of the zone of the first keys that some of the queries see: in a ring, those that the window hides; else those before a query, and the window excludes them.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public readonly long EndOfFirst(long last) => Math.Max(Math.Min(EndOfFirstOf(last), Math.Min(First, Keys)), 0);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private readonly long EndOfFirstOf(long query) => Ring > 0 ? Begin(query) : End(query);

    /// <summary>The keys of the window that some of the queries see.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public readonly void Range(long first, long last, out long begin, out long end)
    {
        end = Math.Max(Math.Min(End(last), Keys), 0);
        begin = Math.Max(Math.Min(Math.Max(Begin(first), Ring > 0 ? 0 : First), end), 0);
    }

    /// <summary>The address of a key.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal readonly unsafe void* Key(void* tensor, long key) => Row(tensor, KeyPages, key, KeyStride);

    /// <summary>The address of a value.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal readonly unsafe void* Value(void* tensor, long key) => Row(tensor, ValuePages, key, ValueStride);

    /// <summary>The address of the scale of a key; null where keys have none.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal readonly unsafe float* KeyScale(long key) => KeyScalePages == null ? null : KeyScalePages[Place(key) / PageTokens] + Place(key) % PageTokens;

    /// <summary>The address of the scale of a value; null where values have none.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal readonly unsafe float* ValueScale(long key) => ValueScalePages == null ? null : ValueScalePages[Place(key) / PageTokens] + Place(key) % PageTokens;

    /// <summary>The end of the keys from one on, at most <paramref name="end"/>, that lie at equal distances.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public readonly long EndOfPage(long key, long end) => PageTokens == 0 ? end : Math.Min(end, key + PageTokens - Place(key) % PageTokens);

    /// <summary>The elements from the page of a key to each page of the keys up to another one, as the library lists them.</summary>
    /// <returns>The key after the last of those pages.</returns>
    [MethodImpl(MethodImplOptions.NoInlining)]
    internal readonly unsafe long ListPages(long from, long end, ref NeonPages pages, out int first, out int pageKeys)
    {
        first = pages.Count;
        long next = EndOfPage(from, end);
        pageKeys = (int)(next - from);
        pages.First[pages.Count++] = 0;
        byte* page = (byte*)KeyPages[from / PageTokens];
        for (; pageKeys == PageTokens && next < end && pages.Count < NeonPages.Most; next = Math.Min(next + pageKeys, end))
            pages.First[pages.Count++] = (nint)(((byte*)KeyPages[next / PageTokens] - page) / KeyBytes);
        for (int i = 0; i < NeonPages.Ahead; i++) pages.First[pages.Count + i] = pages.First[pages.Count - 1];
        return next;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private readonly long Place(long key) => Ring == 0 || key < Kept ? key : Kept + (key - Kept) % Ring;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private readonly unsafe void* Row(void* tensor, void** pages, long key, long stride) =>
        PageTokens == 0 ? (byte*)tensor + key * stride * KeyBytes : (byte*)pages[Place(key) / PageTokens] + Place(key) % PageTokens * stride * KeyBytes;

    /// <summary>Keys of the zone of the first keys against queries from one on.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal readonly unsafe KeyRun RunOfFirst(long from, long keys, long query, void* firstKey, void* firstValue, float* keyScale = null, float* valueScale = null) => new()
    {
        FirstKey = firstKey, FirstValue = firstValue, FirstKeyScale = keyScale, FirstValueScale = valueScale, Key = (int)from, Count = (int)keys, Visible = (nint)(EndOfFirstOf(query) - from), Hidden = -(1 << 30), Decided = true,
    };

    /// <summary>The same of the window.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal readonly unsafe KeyRun Run(long from, long keys, long query, void* firstKey, void* firstValue, float* keyScale = null, float* valueScale = null, nint* pages = null, int pageKeys = 0) => new()
    {
        FirstPage = pages, PageKeys = pageKeys,
        FirstKey = firstKey, FirstValue = firstValue, FirstKeyScale = keyScale, FirstValueScale = valueScale, Key = (int)from, Count = (int)keys, Least = (int)Math.Max(First - from, 0), Visible = (nint)(End(query) - from), Hidden = (nint)(Begin(query) - from), Decided = true,
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

    /// <summary>Keys of a panel that lie in several pages, side by side, and their values.</summary>
    public byte* PanelKeys, PanelValues;

    /// <summary>How many bytes each has.</summary>
    public long PanelKeyBytes, PanelValueBytes;

    /// <summary>The scales of these keys and values.</summary>
    public float* PanelKeyScales, PanelValueScales;

    /// <summary>How many each has.</summary>
    public long PanelScaleFloats;
}

/// <summary>The runs of a block, one after the other.</summary>
internal struct NeonRuns
{
    private Runs _runs;
    public int Count;

    [UnscopedRef]
    public ref KeyRun First => ref Unsafe.As<Runs, KeyRun>(ref _runs);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Add(in KeyRun run) => Unsafe.Add(ref Unsafe.As<Runs, KeyRun>(ref _runs), Count++) = run;

    [InlineArray(Most)]
    private struct Runs
    {
        public const int Most = 32; // as in the library

        private KeyRun _first;
    }
}

/// <summary>The lists of pages of some runs, one after the other, and what a core may read behind the last.</summary>
internal struct NeonPages
{
    public const int Most = 96, Ahead = 8; // as in the library

    private Offsets _offsets;
    public int Count;

    [UnscopedRef]
    public unsafe nint* First
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        get => (nint*)Unsafe.AsPointer(ref Unsafe.As<Offsets, nint>(ref _offsets));
    }

    [InlineArray(Most + Ahead)]
    private struct Offsets
    {
        private nint _first;
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
    [SkipLocalsInit]
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
            memory.PanelKeyBytes = plan.PanelKeys * call.HeadDim * call.KeyBytes;
            memory.PanelValueBytes = plan.PanelKeys * call.ValueDim * call.KeyBytes;
            memory.PanelScaleFloats = plan.PanelKeys;
            memory.StateFloats = (isShort ? 1 : (call.Queries + plan.QueryBlock - 1) / plan.QueryBlock) * plan.StateFloats;
            return;
        }

        for (long first = 0; first < call.Keys; first += stretch)
        {
            int count = (int)Math.Min(stretch, call.Keys - first);
            bool finite = Pack<TCore>(Unsafe.AsPointer(ref key), Unsafe.AsPointer(ref value), ref call, first, count, plan.PanelKeys, plan.PackedKeyFloats, plan.PackedValueFloats);
            for (long row = 0, index = 0; row < call.Queries; row += plan.QueryBlock, index++)
            {
                int rows = (int)Math.Min(plan.QueryBlock, call.Queries - row);
                long firstKeys = call.EndOfFirst(row + rows - 1);
                call.Range(row, row + rows - 1, out long begin, out long end);
                if (begin == end && firstKeys == 0)
                {
                    if (first == 0) Clear(Row(ref output, row * call.OutputStride, call.OutputBytes), (nint)call.OutputStride, call.OutputBytes, rows, (int)call.ValueDim, *call.Operands, head: 0, (int)row);
                    continue;
                }

                Unsafe.SkipInit(out NeonRuns runs); // the runtime's way to clear so many is not there
                runs.Count = 0;
                if (firstKeys > 0 && first == 0) runs.Add(call.RunOfFirst(from: 0, firstKeys, row, memory.PackedKeys, memory.PackedValues));
                if (begin < end) begin = begin / plan.KeyBlock * plan.KeyBlock; // blocks of keys stand at fixed keys
                long from = Math.Max(begin, first), seen = Math.Min(end - from, first + count - from);
                nint place = (nint)(from - first); // among the packed keys
                if (seen > 0) runs.Add(call.Run(from, seen, row, memory.PackedKeys + place * plan.PackedKeyFloats, memory.PackedValues + place * plan.PackedValueFloats));
                if (runs.Count == 0) continue;
                var block = new PrefillBlock
                {
                    QueryRows = new TokenRows(Row(ref query, row * call.QueryStride, call.QueryBytes), (nint)call.QueryStride),
                    OutputRows = new TokenRows(Row(ref output, row * call.OutputStride, call.OutputBytes), (nint)call.OutputStride),
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

    /// <summary>Packs keys: whole panels of a page where they lie, and those of several pages put together.</summary>
    private static unsafe bool Pack<TCore>(void* key, void* value, ref NeonCall call, long first, long count, int panel, int keyFloats, int valueFloats)
        where TCore : struct, IPrefillCore
    {
        ref var memory = ref call.Memory;
        bool finite = true;
        for (long from = first, next; from < first + count; from = next)
        {
            var keys = new KeysToPack
            {
                PackedKeys = ref *(memory.PackedKeys + (from - first) * keyFloats),
                PackedValues = ref *(memory.PackedValues + (from - first) * valueFloats),
                Key = (int)from,
                Place = new ForwardPlace(call.Operands, call.Sequence, head: 0, row: 0),
                Scratch = ref *memory.Working,
            };
            next = call.EndOfPage(from, first + count);
            if (next < first + count) next -= (next - from) % panel;
            if (next > from)
            {
                keys.KeyRows = new TokenRows(call.Key(key, from), (nint)call.KeyStride, scales: call.KeyScale(from), scaleStride: 1);
                keys.ValueRows = new TokenRows(call.Value(value, from), (nint)call.ValueStride, scales: call.ValueScale(from), scaleStride: 1);
            }
            else
            {
                next = Math.Min(from + panel, first + count);
                for (long i = from; i < next; i++)
                {
                    Copy(call.Key(key, i), memory.PanelKeys, i - from, call.HeadDim * call.KeyBytes);
                    Copy(call.Value(value, i), memory.PanelValues, i - from, call.ValueDim * call.KeyBytes);
                    if (call.KeyScalePages == null) continue;
                    memory.PanelKeyScales[i - from] = *call.KeyScale(i);
                    memory.PanelValueScales[i - from] = *call.ValueScale(i);
                }

                keys.KeyRows = new TokenRows(memory.PanelKeys, (nint)call.HeadDim, scales: memory.PanelKeyScales, scaleStride: 1);
                keys.ValueRows = new TokenRows(memory.PanelValues, (nint)call.ValueDim, scales: memory.PanelValueScales, scaleStride: 1);
            }

            keys.Count = (int)(next - from);
            finite &= TCore.Pack(in keys);
        }

        return finite;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static unsafe void Copy(void* from, byte* to, long row, long bytes)
    {
        for (long i = 0; i < bytes; i++) to[row * bytes + i] = ((byte*)from)[i];
    }

    /// <summary>The address of an element.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal static unsafe void* Row(ref float tensor, long element, long bytes) => (byte*)Unsafe.AsPointer(ref tensor) + element * bytes;

    /// <summary>What is written of rows that see no key.</summary>
    [MethodImpl(MethodImplOptions.NoInlining)]
    internal static unsafe void Clear(void* output, nint stride, long bytes, int rows, int dim, in ForwardOperands operands, int head, int first)
    {
        for (int row = 0; row < rows; row++)
        {
            for (long i = 0; i < dim * bytes; i++) ((byte*)output)[row * stride * bytes + i] = 0;
            operands.WriteEmpty(batch: 0, head, first + row);
        }
    }
}
