using System.Runtime.CompilerServices;

namespace AttentionGen.CompilerServices;

/// <summary>
/// Runs products with packed weights. A unit is a block of rows times some groups of columns, which may belong to several targets: the rows are packed once for all of them, the sums of a group stay in the second-level cache until they
/// are complete, and only then is the output written. No result depends on the number of threads or on the other rows of a call.
/// </summary>
internal sealed unsafe class LinearJob : PooledJob<LinearJob>
{
    /// <summary>The most rows of a unit. The sums of a group and a packed part of the depth take some 200 KiB.</summary>
    private const int BlockRows = 96;

    /// <summary>
    /// The most floats of packed rows. Rows of more elements are packed again for each group of columns. Packed once, 512 rows of 768 elements on 768 columns take 0.98 of the time, of 4096 on 4096 0.93 (AVX-512, Zen 4).
    /// </summary>
    private const int MostPacked = 1 << 19;

    /// <summary>Units for each thread, so that all are busy to the end.</summary>
    private const int UnitsPerThread = 4;

    // The work for which a further thread pays, as for decode.
    private const double BytesPerThread = 256 << 10, FlopsPerThread = 2e6;

    private LinearCall _call;
    private int _blocks;     // of rows
    private int _blockRows;  // of each but the last
    private int _groups;     // of columns, of all targets
    private int _parts;      // into which the groups are cut: the units of a block of rows
    private nint _bytes;     // of memory of a thread

    private static LinearJob Create() => new();

    public static void Run(in LinearCall call)
    {
        if (call.Rows == 0) return;
        double work = 0;
        nint bytes = 0;
        int groups = 0;
        var (blocks, blockRows) = BlocksOf(call.Rows);
        for (int i = 0; i < call.TargetCount; i++)
        {
            ref readonly var target = ref call.Targets[i];
            groups += Groups(target);
            bytes = Math.Max(bytes, BytesOf(blockRows, call.Depth, target.Parts));
            double weights = (double)call.Depth * target.Columns * target.Parts;
            work += Math.Max(weights * ElementTable.Of(target.Type).Bytes / BytesPerThread, 2 * weights * call.Rows / FlopsPerThread);
        }

        int threads = (int)Math.Clamp(work, 1, Math.Min(Math.Min(call.MaxThreads, MaxThreads), (long)groups * blocks));
        var job = threads > 1 ? Rent(&Create) : null;
        if (job is null) (job, threads) = (Alone(&Create), 1);
        int parts = threads == 1 ? 1 : Math.Min((UnitsPerThread * threads + blocks - 1) / blocks, groups);
        job._call = call;
        (job._blocks, job._blockRows, job._groups, job._parts, job._bytes) = (blocks, blockRows, groups, parts, bytes);
        job.Run((long)parts * blocks, threads);
    }

    /// <summary>Makes what a call on this thread cannot do without, beside its memory.</summary>
    public static void Prepare() => _ = Alone(&Create);

    /// <summary>The bytes of <see cref="LinearCall.Memory"/> for a product of one part.</summary>
    public static nint BytesOf(int rows, int depth) => rows == 0 ? 0 : BytesOf(BlocksOf(rows).RowsOfEach, depth, parts: 1);

    private static nint BytesOf(int blockRows, int depth, int parts) =>
        sizeof(float) * (PackedFloats(blockRows, depth) + (nint)blockRows * parts * LinearCores.Best.Plan.SumRow);

    private static nint PackedFloats(int blockRows, int depth) => (nint)blockRows * (PacksOnce(blockRows, depth) ? DepthBlocks(depth) : 1) * LinearCores.Best.Plan.InputRow;

    private static bool PacksOnce(int blockRows, int depth) => (long)blockRows * DepthBlocks(depth) * LinearCores.Best.Plan.InputRow <= MostPacked;

    private static int DepthBlocks(int depth) => (int)(((long)depth + LinearCores.Best.Plan.BlockDepth - 1) / LinearCores.Best.Plan.BlockDepth);

    /// <summary>The blocks of rows, and the rows of each but the last.</summary>
    private static (int Blocks, int RowsOfEach) BlocksOf(int rows)
    {
        ref readonly var plan = ref LinearCores.Best.Plan;
        int blocks = (rows + BlockRows - 1) / BlockRows, blockRows = (rows + blocks - 1) / blocks;
        if (rows > plan.FewRows) blockRows = (blockRows + plan.TileRows - 1) / plan.TileRows * plan.TileRows;
        return ((rows + blockRows - 1) / blockRows, blockRows);
    }

    private static int Groups(in LinearTarget target)
    {
        int most = LinearCores.Best.Plan.GroupColumns / LinearCores.Best.Plan.PanelColumns;
        return (target.PartPanels + most - 1) / most;
    }

    protected override void Work(int worker)
    {
        bool isGiven = worker == 0 && _call.Memory != null;
        float* memory;
        try
        {
            memory = isGiven ? _call.Memory : ScratchCache.Rent((nuint)_bytes);
        }
        catch (OutOfMemoryException) when (worker != 0)
        {
            return; // the others do without this thread
        }

        try
        {
            while (TakeUnit(out long unit)) Unit(unit, memory);
        }
        finally
        {
            if (!isGiven) ScratchCache.Return(memory);
        }
    }

    private void Unit(long unit, float* memory)
    {
        ref readonly var walk = ref LinearCores.Best;
        var (part, block) = Math.DivRem((int)unit, _blocks);
        int begin = (int)((long)part * _groups / _parts), last = (int)((long)(part + 1) * _groups / _parts);
        int first = block * _blockRows, rows = Math.Min(_blockRows, _call.Rows - first);
        bool packs = true, packsOnce = PacksOnce(_blockRows, _call.Depth);
        float* packed = memory, sums = memory + PackedFloats(_blockRows, _call.Depth);
        for (int number = begin; number < last; number++, packs = !packsOnce)
        {
            int index = 0, group = number;
            for (int own; group >= (own = Groups(_call.Targets[index])); group -= own) index++;
            ref readonly var target = ref _call.Targets[index];
            int groups = Groups(target), from = (int)((long)group * target.PartPanels / groups), end = (int)((long)(group + 1) * target.PartPanels / groups), column = from * walk.Plan.PanelColumns;
            new Span<float>(sums, target.Parts * _blockRows * walk.Plan.SumRow).Clear();
            if (rows <= walk.Plan.FewRows) Few(target, first, rows, from, end - from, sums);
            else Many(target, first, rows, from, end - from, sums, packed, packs, packsOnce);
            Finish(target, first, rows, column, Math.Min(end * walk.Plan.PanelColumns, target.Columns) - column, sums);
        }
    }

    /// <summary>The sums of few rows: each reads the weights in place.</summary>
    private void Few(in LinearTarget target, int first, int rows, int panel, int panels, float* sums)
    {
        ref readonly var walk = ref LinearCores.Best;
        ref float input = ref *(_call.Input + first * _call.InputStride);
        for (int part = 0; part < target.Parts; part++, sums += (nint)_blockRows * walk.Plan.SumRow)
        {
            ref byte weights = ref *(target.Panels + ((nint)part * target.PartPanels + panel) * target.PanelBytes);
            switch (target.Type)
            {
                case ElementType.Float: walk.Few(ref input, _call.InputStride, rows, ref Unsafe.As<byte, float>(ref weights), target.PanelBytes / sizeof(float), panels, _call.Depth, ref *sums); break;
                case ElementType.BFloat16: walk.FewBFloat16(ref input, _call.InputStride, rows, ref Unsafe.As<byte, BFloat16>(ref weights), target.PanelBytes / sizeof(BFloat16), panels, _call.Depth, ref *sums); break;
                default: walk.FewSByte(ref input, _call.InputStride, rows, ref Unsafe.As<byte, sbyte>(ref weights), target.PanelBytes, panels, _call.Depth, ref *sums); break;
            }
        }
    }

    // The sums of many rows: a part of the depth of all rows is packed, unless it is there, then meets the panels one after the other. Each part may keep memory of its own.
    private void Many(in LinearTarget target, int first, int rows, int panel, int panels, float* sums, float* packed, bool packs, bool keeps)
    {
        ref readonly var walk = ref LinearCores.Best;
        if (packs && keeps) Pack(first, rows, 0, _call.Depth, packed);
        for (int from = 0; from < _call.Depth; from += walk.Plan.BlockDepth)
        {
            int depth = Math.Min(_call.Depth - from, walk.Plan.BlockDepth), padded = (depth + 3) / 4 * 4;
            if (packs && !keeps) Pack(first, rows, from, depth, packed);
            for (int i = 0; i < target.Parts * panels; i++)
            {
                byte* weights = Panel(target, panel, panels, i, from), ahead = i + 1 < target.Parts * panels ? Panel(target, panel, panels, i + 1, from) : Panel(target, panel, panels, 0, from + depth);
                ref float own = ref *(sums + ((nint)(i / panels) * _blockRows * walk.Plan.SumRow) + i % panels * walk.Plan.PanelColumns);
                switch (target.Type)
                {
                    case ElementType.Float: walk.Multiply(ref *packed, ref *(float*)weights, ref *(float*)ahead, padded, rows, ref own); break;
                    case ElementType.BFloat16: walk.MultiplyBFloat16(ref *packed, ref *(BFloat16*)weights, ref *(BFloat16*)ahead, padded, rows, ref own); break;
                    default: walk.MultiplySByte(ref *packed, ref *(sbyte*)weights, ref *(sbyte*)ahead, padded, rows, ref own); break;
                }
            }

            if (keeps) packed += (nint)_blockRows * walk.Plan.InputRow;
        }
    }

    /// <summary>Packs a range of the depth of rows, row after row, each part of it into memory of its own.</summary>
    private void Pack(int first, int rows, int from, int depth, float* packed)
    {
        ref readonly var plan = ref LinearCores.Best.Plan;
        for (int row = 0; row < rows; row++, packed += plan.InputRow)
        {
            float* input = _call.Input + (first + row) * _call.InputStride + from, to = packed;
            for (int left = depth; left > 0; left -= plan.BlockDepth, input += plan.BlockDepth, to += (nint)_blockRows * plan.InputRow)
            {
                int part = Math.Min(left, plan.BlockDepth);
                new ReadOnlySpan<float>(input, part).CopyTo(new Span<float>(to, part));
                if (part % 4 != 0) new Span<float>(to + part, 4 - part % 4).Clear();
            }
        }
    }

    /// <summary>Where a part of the depth of a panel lies, counted over the panels of a group of columns of all parts.</summary>
    private static byte* Panel(in LinearTarget target, int first, int panels, int index, int depth)
    {
        var (part, panel) = Math.DivRem(index, panels);
        return target.Panels + ((nint)part * target.PartPanels + first + panel) * target.PanelBytes + (nint)depth * LinearCores.Best.Plan.PanelColumns * ElementTable.Of(target.Type).Bytes;
    }

    /// <summary>Writes the output of a unit from its sums.</summary>
    private void Finish(in LinearTarget target, int first, int rows, int column, int columns, float* sums)
    {
        int sumRow = LinearCores.Best.Plan.SumRow;
        var own = new FinishedRows
        {
            Sums = sums, SumRow = sumRow, Scales = From(target.Scales, column), Bias = From(target.Bias, column),
            Residual = From(target.Residual, first * target.ResidualStride + column), ResidualRow = target.Residual == null ? 0 : target.ResidualStride,
            Output = target.Output + first * target.OutputStride + column, OutputRow = target.OutputStride, Rows = rows, Count = columns,
        };
        if (target.Parts == 1)
        {
            Activations.Finish(own, target.Activation);
            return;
        }

        nint second = (nint)target.Columns + column; // of a gate: the columns that it multiplies
        Activations.FinishGate(own, new FinishedRows { Sums = sums + (nint)_blockRows * sumRow, Scales = From(target.Scales, second), Bias = From(target.Bias, second) });
    }

    private static float* From(float* origin, nint offset) => origin == null ? null : origin + offset;
}
