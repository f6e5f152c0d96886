using System.Runtime.CompilerServices;

namespace AttentionGen.CompilerServices;

/// <summary>
/// Runs products with packed weights. A unit is a block of rows times a group of columns: their sums stay in the second-level cache until they are complete, and only then is the output written.
/// Units of the same columns follow each other, so that weights are read once. No result depends on the number of threads or on the other rows of a call.
/// </summary>
internal sealed unsafe class LinearJob : PooledJob<LinearJob>
{
    /// <summary>The most rows of a unit. Their sums, packed input and a panel take some 300 KiB.</summary>
    private const int BlockRows = 96;

    // The work for which a further thread pays, as for decode.
    private const double BytesPerThread = 256 << 10, FlopsPerThread = 2e6;

    private LinearCall _call;
    private int _blocks;     // of rows
    private int _blockRows;  // of each but the last
    private nint _bytes;     // of memory of a thread

    private static LinearJob Create() => new();

    public static void Run(in LinearCall call)
    {
        if (call.Rows == 0) return;
        long units = 0;
        double work = 0;
        int parts = 1;
        var (blocks, blockRows) = BlocksOf(call.Rows);
        for (int i = 0; i < call.TargetCount; i++)
        {
            ref readonly var target = ref call.Targets[i];
            units += (long)Groups(target) * blocks;
            parts = Math.Max(parts, target.Parts);
            double weights = (double)target.Depth * target.Columns * target.Parts;
            work += Math.Max(weights * ElementTable.Of(target.Type).Bytes / BytesPerThread, 2 * weights * call.Rows / FlopsPerThread);
        }

        int threads = (int)Math.Clamp(work, 1, Math.Min(Math.Min(call.MaxThreads, MaxThreads), units));
        var job = threads > 1 ? RentFor(call) : null;
        if (job is null) (job, threads) = (Alone(&Create), 1);
        job._call = call;
        (job._blocks, job._blockRows) = (blocks, blockRows);
        job._bytes = BytesOf(blockRows, parts);
        job.Run(units, threads);
    }

    /// <summary>The bytes of <see cref="LinearCall.Memory"/> for a product of one part.</summary>
    public static nint BytesOf(int rows) => rows == 0 ? 0 : BytesOf(BlocksOf(rows).RowsOfEach, parts: 1);

    private static nint BytesOf(int blockRows, int parts) => sizeof(float) * blockRows * (LinearCores.Best.Plan.InputRow + (nint)parts * LinearCores.Best.Plan.SumRow);

    /// <summary>The blocks of rows, and the rows of each but the last.</summary>
    private static (int Blocks, int RowsOfEach) BlocksOf(int rows)
    {
        ref readonly var plan = ref LinearCores.Best.Plan;
        int blocks = (rows + BlockRows - 1) / BlockRows, blockRows = (rows + blocks - 1) / blocks;
        if (rows > plan.FewRows) blockRows = (blockRows + plan.TileRows - 1) / plan.TileRows * plan.TileRows;
        return ((rows + blockRows - 1) / blockRows, blockRows);
    }

    /// <summary>A job for several threads; null if there is none. A call that has its memory does without one that cannot be made.</summary>
    private static LinearJob? RentFor(in LinearCall call)
    {
        try
        {
            return Rent(&Create);
        }
        catch (OutOfMemoryException) when (call.Memory != null)
        {
            return null;
        }
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
        int index = 0;
        for (long own; unit >= (own = (long)Groups(_call.Targets[index]) * _blocks); unit -= own) index++;
        ref readonly var target = ref _call.Targets[index];
        ref readonly var walk = ref LinearCores.Best;
        var (group, block) = Math.DivRem((int)unit, _blocks);
        int groups = Groups(target), from = (int)((long)group * target.PartPanels / groups), end = (int)((long)(group + 1) * target.PartPanels / groups);
        int first = block * _blockRows, rows = Math.Min(_blockRows, _call.Rows - first);
        float* sums = memory, packed = sums + (nint)target.Parts * _blockRows * walk.Plan.SumRow;
        new Span<float>(sums, target.Parts * _blockRows * walk.Plan.SumRow).Clear();
        if (rows <= walk.Plan.FewRows) Few(target, first, rows, from, end - from, sums);
        else Many(target, first, rows, from, end - from, sums, packed);
        int column = from * walk.Plan.PanelColumns;
        Finish(target, first, rows, column, Math.Min(end * walk.Plan.PanelColumns, target.Columns) - column, sums);
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
                case ElementType.Float: walk.Few(ref input, _call.InputStride, rows, ref Unsafe.As<byte, float>(ref weights), target.PanelBytes / sizeof(float), panels, target.Depth, ref *sums); break;
                case ElementType.BFloat16: walk.FewBFloat16(ref input, _call.InputStride, rows, ref Unsafe.As<byte, BFloat16>(ref weights), target.PanelBytes / sizeof(BFloat16), panels, target.Depth, ref *sums); break;
                default: walk.FewSByte(ref input, _call.InputStride, rows, ref Unsafe.As<byte, sbyte>(ref weights), target.PanelBytes, panels, target.Depth, ref *sums); break;
            }
        }
    }

    /// <summary>The sums of many rows: a part of the depth of all rows is packed, then meets the panels one after the other.</summary>
    private void Many(in LinearTarget target, int first, int rows, int panel, int panels, float* sums, float* packed)
    {
        ref readonly var walk = ref LinearCores.Best;
        for (int from = 0; from < target.Depth; from += walk.Plan.BlockDepth)
        {
            int depth = Math.Min(target.Depth - from, walk.Plan.BlockDepth), padded = (depth + 3) / 4 * 4;
            for (int row = 0; row < rows; row++)
            {
                var own = new Span<float>(packed + (nint)row * walk.Plan.InputRow, padded);
                new ReadOnlySpan<float>(_call.Input + (first + row) * _call.InputStride + from, depth).CopyTo(own);
                own[depth..].Clear();
            }

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
        float* other = sums + (nint)_blockRows * sumRow;
        nint second = (nint)target.Columns + column; // of a gate: the columns that it multiplies
        for (int i = 0; i < rows; i++, sums += sumRow, other += sumRow)
        {
            nint row = first + i;
            var output = new Span<float>(target.Output + row * target.OutputStride + column, columns);
            var residual = Numbers(target.Residual, row * target.ResidualStride + column, columns);
            ReadOnlySpan<float> own = new(sums, columns), scales = Numbers(target.Scales, column, columns), bias = Numbers(target.Bias, column, columns);
            if (target.Parts == 1) Activations.Finish(own, scales, bias, residual, target.Activation, output);
            else Activations.FinishGate(own, new(other, columns), scales, Numbers(target.Scales, second, columns), bias, Numbers(target.Bias, second, columns), residual, output);
        }
    }

    private static ReadOnlySpan<float> Numbers(float* origin, nint offset, int count) => origin == null ? default : new(origin + offset, count);
}
