using System.Runtime.CompilerServices;

namespace AttentionGen.CompilerServices;

// The state between chunks.
internal unsafe partial struct RecurrenceUnit<TVector>
{
    private readonly void CopyState(bool isRead)
    {
        for (int group = 0; group < _layout.ValueGroups; group++)
        {
            int column = group * _layout.Plan.GroupColumns, columns = Math.Min(V - column, _layout.Plan.GroupColumns);
            float* own = State + column, sums = _memory + _layout.StateSums + (nint)group * D * SumRow;
            if (isRead) VectorRows.Copy<TVector>(own, V, sums, SumRow, D, columns);
            else VectorRows.Copy<TVector>(sums, SumRow, own, V, D, columns);
        }
    }

    /// <summary>Copies the state into panels, as the right operand of products.</summary>
    private readonly void PackState()
    {
        int groupPanels = _layout.Plan.GroupColumns / PanelColumns;
        for (int panel = 0; panel < _layout.ValuePanels; panel++)
        {
            float* from = _memory + _layout.StateSums + (nint)(panel / groupPanels) * D * SumRow + panel % groupPanels * PanelColumns;
            VectorRows.Copy<TVector>(from, SumRow, _memory + _layout.StatePanels + panel * _layout.StatePanel, PanelColumns, D, PanelColumns);
        }
    }

    /// <summary>The outputs and denominators that the queries have from the state before the chunk.</summary>
    private readonly void ReadState(int count, float* cumulative)
    {
        bool ofElements = cumulative != null && _call.DecaysElements;
        Pack(_memory + _layout.QueryRows, 0, count, ofElements ? Cumulative : null);
        ClearSums(_memory + _layout.Sums, count);
        MultiplyState(count, _memory + _layout.Sums);
        if (_normalizer != null)
            for (int i = 0; i < count; i++) Denominators[i] = DotLeft(i, _normalizer) * (cumulative != null && !ofElements ? cumulative[i] : 1);
        if (cumulative != null && !ofElements) ScaleSums(_memory + _layout.Sums, count, cumulative);
    }

    /// <summary>The product of a packed row with a vector over its elements.</summary>
    private readonly float DotLeft(int row, float* vector)
    {
        float sum = 0;
        for (int block = 0, from = 0; from < D; block++, from += _layout.Plan.BlockDepth)
            sum += VectorRows.Dot<TVector>(_memory + _layout.Left + ((nint)block * Rows + row) * InputRow, vector + from, Math.Min(D - from, _layout.Plan.BlockDepth));
        return sum;
    }

    private readonly void ScaleSums(float* sums, int count, float* factors)
    {
        for (int group = 0; group < _layout.ValueGroups; group++, sums += (nint)Rows * SumRow)
            VectorRows.Scale<TVector>(sums, SumRow, factors, 1, count, Math.Min(V - group * _layout.Plan.GroupColumns, _layout.Plan.GroupColumns));
    }

    private readonly void ClearSums(float* sums, int count)
    {
        for (int group = 0; group < _layout.ValueGroups; group++, sums += (nint)Rows * SumRow) VectorRows.Clear<TVector>(sums, SumRow, count, SumColumns);
    }

    /// <summary>The state after a chunk, from the transposed keys and the values; with the factors of each token to the end of the chunk.</summary>
    private readonly void Accumulate(int count, float* toEnd)
    {
        int end = RecurrenceLayout.Up(count, 4), step = _call.DecaysElements ? 1 : 0;
        float* across = _memory + _layout.Across, factors = _call.DecaysElements ? Cumulative : Cumulative + (count - 1);
        for (int panel = 0, from = 0; from < count; panel++, from += PanelColumns) PackAcross(_memory + _layout.Keys + panel * _layout.KeyPanel, toEnd == null ? null : toEnd + from, across + from, InputRow, D);
        if (end > count)
            for (int d = 0; d < D; d++)
                for (int i = count; i < end; i++) across[d * InputRow + i] = 0;
        if (_normalizer != null)
            for (int d = 0; d < D; d++) _normalizer[d] = _normalizer[d] * (_call.Decays ? factors[d * step] : 1) + Sum(across + d * InputRow, count);
        if (_call.Decays) VectorRows.Scale<TVector>(_memory + _layout.StateSums, SumRow, factors, step, D, SumColumns);
        for (int group = 1; group < _layout.ValueGroups && _call.Decays; group++) VectorRows.Scale<TVector>(_memory + _layout.StateSums + (nint)group * D * SumRow, SumRow, factors, step, D, SumColumns);

        for (int panel = 0; panel < _layout.ValuePanels; panel++)
            Multiply(_memory + _layout.Across, D, _memory + _layout.Values + panel * _layout.ValuePanel, count, SumsOf(_memory + _layout.StateSums, D, panel));
    }

    /// <summary>Copies a panel of transposed keys into rows, as the left operand of products; each column times its factor.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization | MethodImplOptions.NoInlining)]
    private static void PackAcross(float* keys, float* factors, float* to, int row, int rows)
    {
        TVector f0 = TVector.All(1), f1 = f0;
        if (factors != null) (f0, f1) = (TVector.Load(factors), TVector.Load(factors + TVector.Count));
        for (; rows > 0; rows--, keys += 2 * TVector.Count, to += row)
        {
            TVector.Store(TVector.Load(keys) * f0, to);
            TVector.Store(TVector.Load(keys + TVector.Count) * f1, to + TVector.Count);
        }
    }

    private static float Sum(float* row, int count)
    {
        var sum = TVector.All(0);
        for (int i = 0; i < count; i += TVector.Count) sum += VectorRows.Load<TVector>(row + i, count - i);
        return TVector.Sum(sum);
    }
}
