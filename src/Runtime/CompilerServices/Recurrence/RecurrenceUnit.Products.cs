using System.Runtime.CompilerServices;

namespace AttentionGen.CompilerServices;

// Products of small matrices, and what factors of elements change in them.
internal unsafe partial struct RecurrenceUnit<TVector>
{
    private static void Multiply(float* input, int rows, float* panel, int depth, float* sums) => LinearCores.Best.Multiply(ref *input, ref *panel, ref *panel, depth, rows, ref *sums);

    /// <summary>The sums of a panel of columns.</summary>
    private readonly float* SumsOf(float* sums, int rows, int panel)
    {
        var (group, own) = Math.DivRem(panel, _layout.Plan.GroupColumns / PanelColumns);
        return sums + (nint)group * rows * SumRow + own * PanelColumns;
    }

    /// <summary>The product of the packed rows with a panel over the elements of a key head.</summary>
    private readonly void MultiplyLeft(int first, int rows, float* panel, float* sums)
    {
        for (int block = 0, from = 0; from < D; block++, from += _layout.Plan.BlockDepth)
            Multiply(_memory + _layout.Left + ((nint)block * Rows + first) * InputRow, rows, panel + from * PanelColumns, Math.Min(D - from, _layout.Plan.BlockDepth), sums);
    }

    private readonly void MultiplyState(int count, float* sums)
    {
        for (int panel = 0; panel < _layout.ValuePanels; panel++) MultiplyLeft(0, count, _memory + _layout.StatePanels + panel * _layout.StatePanel, SumsOf(sums, Rows, panel));
    }

    /// <summary>The products of the packed rows with the keys, up to the diagonal at least.</summary>
    private readonly void Triangle(int count)
    {
        for (int panel = 0, from = 0; from < count; panel++, from += PanelColumns)
        {
            float* scores = _memory + _layout.Scores + (nint)from * SumRow + from;
            VectorRows.Clear<TVector>(scores, SumRow, count - from, PanelColumns);
            MultiplyLeft(from, count - from, _memory + _layout.Keys + panel * _layout.KeyPanel, scores);
        }
    }

    /// <summary>The end of the columns that products read of a row of weights: that of its tile, a multiple of four.</summary>
    private readonly int EndOf(int row) => RecurrenceLayout.Up((row / _layout.Plan.TileRows + 1) * _layout.Plan.TileRows, 4);

    /// <summary>The weights from the scores: those up to a row, or before it, times the factors between the two tokens; with corrections, times the negative rate of the row.</summary>
    private readonly void Mask(int count, bool isStrict, float* weights) => Mask(
        _memory + _layout.Scores, SumRow, _call.Decays ? _memory + _layout.Decays : null, isStrict ? Betas : null, weights, InputRow, count, isStrict ? 0 : 1, _layout.Plan.TileRows);

    [MethodImpl(MethodImplOptions.AggressiveOptimization | MethodImplOptions.NoInlining)]
    private static void Mask(float* scores, int scoreRow, float* decays, float* rates, float* weights, int weightRow, int count, int more, int tile)
    {
        int end = 0;
        for (int i = 0; i < count; i++, scores += scoreRow, weights += weightRow)
        {
            if (i >= end) end += tile;
            int columns = i + more, j = 0, last = Math.Min(RecurrenceLayout.Up(end, 4), RecurrenceLayout.Up(Rows, 16));
            var rate = TVector.All(rates == null ? 1 : -rates[i]);
            for (; j < columns; j += TVector.Count)
            {
                var x = TVector.Load(scores + j) * rate;
                if (decays != null) x *= TVector.Load(decays + j);
                if (columns - j < TVector.Count) x = TVector.KeepFirst(x, columns - j);
                TVector.Store(x, weights + j);
            }

            for (; j < last; j += TVector.Count) TVector.Store(TVector.All(0), weights + j);
            if (decays != null) decays += RecurrenceLayout.DecayRow;
        }
    }

    /// <summary>Adds the products of the weights with the values to the outputs: of each tile of rows only up to its last row.</summary>
    private readonly void MultiplyTriangle(int count)
    {
        int tile = _layout.Plan.TileRows;
        for (int from = 0; from < count; from += tile)
        {
            int rows = Math.Min(tile, count - from);
            for (int panel = 0; panel < _layout.ValuePanels; panel++)
                Multiply(_memory + _layout.Weights + from * InputRow, rows, _memory + _layout.Values + panel * _layout.ValuePanel, from + rows, SumsOf(_memory + _layout.Sums, Rows, panel) + (nint)from * SumRow);
        }
    }

    /// <summary>Packs rows as the left operand of products; with factors, each row times those of all rows from the first on, which stay.</summary>
    private readonly void Pack(float* rows, int first, int count, float* cumulative)
    {
        for (int block = 0, from = 0; from < D; block++, from += _layout.Plan.BlockDepth)
        {
            float* own = rows + first * _layout.KeyRow + from, to = _memory + _layout.Left + (nint)block * Rows * InputRow;
            int columns = Math.Min(D - from, _layout.Plan.BlockDepth);
            if (cumulative == null) VectorRows.Copy<TVector>(own, _layout.KeyRow, to, InputRow, count, columns);
            else PackDecayed(own, Factors(first) + from, _layout.KeyRow, cumulative + from, to, InputRow, count, columns);
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization | MethodImplOptions.NoInlining)]
    private static void PackDecayed(float* rows, float* factors, int stride, float* cumulative, float* to, int toStride, int count, int columns)
    {
        for (int d = 0; d < columns; d += TVector.Count)
        {
            var product = TVector.All(1);
            for (int i = 0; i < count; i++)
            {
                product *= VectorRows.Load<TVector>(factors + i * stride + d, columns - d);
                VectorRows.Store(VectorRows.Load<TVector>(rows + i * stride + d, columns - d) * product, to + i * toStride + d, columns - d);
            }

            VectorRows.Store(product, cumulative + d, columns - d);
        }
    }

    /// <summary>Writes rows as columns of the panels of keys.</summary>
    private readonly void Transpose(float* rows, int first, int count)
    {
        int step = KernelIsa.Avx2 ? 8 : 4;
        for (int i = 0; i < count; i += step)
        {
            int column = first + i;
            float* to = _memory + _layout.Keys + column / PanelColumns * _layout.KeyPanel + column % PanelColumns, from = rows + i * _layout.KeyRow;
            for (int d = 0; d < D; d += step)
            {
                ref float source = ref *(from + d), target = ref *(to + d * PanelColumns);
                if (KernelIsa.Avx2) Vectors256.Transpose8(ref source, _layout.KeyRow, count - i - 1, ref target, PanelColumns);
                else if (KernelIsa.Neon) Vectors128.Transpose4(ref source, _layout.KeyRow, count - i - 1, ref target, PanelColumns);
                else
                {
                    for (int j = 0; j < Math.Min(step, count - i); j++)
                        for (int e = 0; e < Math.Min(step, D - d); e++) Unsafe.Add(ref target, e * PanelColumns + j) = Unsafe.Add(ref source, j * _layout.KeyRow + e);
                }
            }
        }
    }

    /// <summary>
    /// The products of rows with the keys before them, or up to them, with the factors of each element between the two. The keys end with their factors up to the end of the chunk, in panels.
    /// </summary>
    private readonly void Within(float* rows, int count, bool isStrict, float* target)
    {
        float* factors = Other, advanced = _memory + _layout.Advanced;
        for (int first = 0; first < count; first += RecurrenceLayout.BlockRows)
        {
            int block = Math.Min(RecurrenceLayout.BlockRows, count - first);
            Pack(rows, first, block, factors);
            if (first > 0)
            {
                float* scores = _memory + _layout.Scores + first * SumRow;
                for (int panel = 0, from = 0; from < first; panel++, from += PanelColumns)
                {
                    VectorRows.Clear<TVector>(scores + from, SumRow, block, PanelColumns);
                    MultiplyLeft(0, block, _memory + _layout.Keys + panel * _layout.KeyPanel, scores + from);
                    AdvanceKeys(_memory + _layout.Keys + panel * _layout.KeyPanel, factors, D);
                }

                for (int i = 0; i < block; i++, scores += SumRow) new ReadOnlySpan<float>(scores, first).CopyTo(new Span<float>(target + (first + i) * InputRow, first));
            }

            for (int i = 0; i < block; i++)
            {
                int own = first + i, end = Math.Min(EndOf(own), RecurrenceLayout.Up(Rows, 16));
                float* row = rows + own * _layout.KeyRow, weights = target + own * InputRow;
                for (int j = 0; j < i; j++) weights[first + j] = VectorRows.AdvanceDot<TVector>(advanced + j * _layout.KeyRow, Factors(own), row, _layout.KeyRow);
                new ReadOnlySpan<float>(KeyRow(own), _layout.KeyRow).CopyTo(new Span<float>(advanced + i * _layout.KeyRow, _layout.KeyRow));
                weights[own] = isStrict ? 0 : VectorRows.Dot<TVector>(KeyRow(own), row, D);
                for (int j = own + 1; j < end; j++) weights[j] = 0;
            }

            Transpose(advanced, first, block);
        }
    }

    /// <summary>Multiplies the columns of a panel of keys by a factor for each element.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization | MethodImplOptions.NoInlining)]
    private static void AdvanceKeys(float* panel, float* factors, int depth)
    {
        for (int d = 0; d < depth; d++, panel += 2 * TVector.Count)
        {
            var factor = TVector.All(factors[d]);
            TVector.Store(TVector.Load(panel) * factor, panel);
            TVector.Store(TVector.Load(panel + TVector.Count) * factor, panel + TVector.Count);
        }
    }
}
