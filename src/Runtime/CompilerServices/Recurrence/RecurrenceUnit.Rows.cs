using System.Runtime.CompilerServices;

namespace AttentionGen.CompilerServices;

// Rows as they are read and written.
internal unsafe partial struct RecurrenceUnit<TVector>
{
    private readonly float* Floats(in StridedTensor tensor, ElementType type, nint token, int head, int count)
    {
        byte* row = tensor.Row(_batch, _first + token, head);
        if (type == ElementType.Float) return (float*)row;
        var to = new Span<float>(Row, count);
        if (type == ElementType.Half) Narrowing.Widen(new ReadOnlySpan<Half>(row, count), to);
        else Narrowing.Widen(new ReadOnlySpan<BFloat16>(row, count), to);
        return Row;
    }

    private readonly void LoadKeys(int first, int count)
    {
        if (_call.KeyType == ElementType.Float) FeatureRows.Map<TVector>(Floats(_call.Key, _call.KeyType, first, _head, D), _call.Key.TokenStride, KeyRow(0), _layout.KeyRow, count, D, _call.Map, 1);
        else
            for (int i = 0; i < count; i++) FeatureRows.Map<TVector>(Floats(_call.Key, _call.KeyType, first + i, _head, D), KeyRow(i), D, _call.Map, 1);
    }

    private readonly void LoadQueries(int first, int count, int head)
    {
        if (_call.QueryType == ElementType.Float) FeatureRows.Map<TVector>(Floats(_call.Query, _call.QueryType, first, head, D), _call.Query.TokenStride, QueryRow(0), _layout.KeyRow, count, D, _call.Map, _call.Scale);
        else
            for (int i = 0; i < count; i++) FeatureRows.Map<TVector>(Floats(_call.Query, _call.QueryType, first + i, head, D), QueryRow(i), D, _call.Map, _call.Scale);
    }

    private readonly void LoadValues(int first, int count)
    {
        if (_call.KeyType == ElementType.Float) PackValues(0, Floats(_call.Value, _call.KeyType, first, _head, V), _call.Value.TokenStride, count);
        else
            for (int i = 0; i < count; i++) PackValues(i, Floats(_call.Value, _call.KeyType, first + i, _head, V), 0, 1);
        ClearValues(count);
    }

    /// <summary>Writes rows of values into their panels.</summary>
    private readonly void PackValues(int row, float* from, nint stride, int rows)
    {
        float* to = _memory + _layout.Values + row * PanelColumns;
        for (int column = 0; column < V; column += PanelColumns, to += _layout.ValuePanel) VectorRows.Copy<TVector>(from + column, stride, to, PanelColumns, rows, Math.Min(PanelColumns, V - column));
    }

    /// <summary>Clears the rows of values up to a multiple of four, which products read.</summary>
    private readonly void ClearValues(int count)
    {
        int end = RecurrenceLayout.Up(count, 4);
        for (int panel = 0; panel < _layout.ValuePanels; panel++) VectorRows.Clear<TVector>(_memory + _layout.Values + panel * _layout.ValuePanel + count * PanelColumns, PanelColumns, end - count, PanelColumns);
    }

    /// <summary>The rates, the factors of the tokens, and what follows from them: the factors of the chunk so far, and those between two tokens.</summary>
    private readonly void LoadFactors(int first, int count)
    {
        if (_call.Corrects)
            for (int i = 0; i < count; i++) Betas[i] = *_call.Beta.At(_batch, _first + first + i, _head);
        if (!_call.Decays) return;
        if (_call.DecaysElements)
        {
            for (int i = 0; i < count; i++) FeatureRows.Exponentials<TVector>(_call.Decay.At(_batch, _first + first + i, _head), Factors(i), D);
            return;
        }

        for (int i = 0; i < count; i++) Row[i] = *_call.Decay.At(_batch, _first + first + i, _head);
        FeatureRows.Exponentials<TVector>(Row, Factors(0), count);
        float product = 1;
        for (int i = 0; i < count; i++) Cumulative[i] = product *= *Factors(i);
        Between(_memory + _layout.Decays, Factors(0), count);
    }

    /// <summary>D_ij, the product of the factors after j up to i: 1 for i = j.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization | MethodImplOptions.NoInlining)]
    private static void Between(float* decays, float* factors, int count)
    {
        float* one = stackalloc float[33];
        VectorRows.Clear(one, 33);
        one[16] = 1;
        for (int i = 0; i < count; i++, decays += RecurrenceLayout.DecayRow)
        {
            var factor = TVector.All(factors[i]);
            int own = i / TVector.Count * TVector.Count;
            for (int j = 0; j < own; j += TVector.Count) TVector.Store(TVector.Load(decays - RecurrenceLayout.DecayRow + j) * factor, decays + j);
            var last = TVector.Load(one + 16 - (i - own)); // 1 in the place of i
            if (i > own) last = TVector.MulAdd(TVector.Load(decays - RecurrenceLayout.DecayRow + own), factor, last);
            TVector.Store(last, decays + own);
        }
    }

    private readonly void Write(int first, int count, int head)
    {
        for (int group = 0; group < _layout.ValueGroups && _normalizer != null; group++)
            VectorRows.Divide<TVector>(_memory + _layout.Sums + (nint)group * Rows * SumRow, SumRow, Denominators, count, Math.Min(V - group * _layout.Plan.GroupColumns, _layout.Plan.GroupColumns));
        if (_call.OutputType == ElementType.Float)
        {
            float* to = (float*)_call.Output.Row(_batch, _first + first, head);
            for (int column = 0, group = 0; column < V; column += _layout.Plan.GroupColumns, group++)
                VectorRows.Copy<TVector>(_memory + _layout.Sums + (nint)group * Rows * SumRow, SumRow, to + column, _call.Output.TokenStride, count, Math.Min(V - column, _layout.Plan.GroupColumns));
            return;
        }

        for (int i = 0; i < count; i++)
        {
            float* sums = _memory + _layout.Sums + i * SumRow;
            byte* output = _call.Output.Row(_batch, _first + first + i, head);
            for (int group = 0; group < _layout.ValueGroups; group++, sums += (nint)Rows * SumRow)
            {
                int column = group * _layout.Plan.GroupColumns, columns = Math.Min(V - column, _layout.Plan.GroupColumns);
                Store(sums, columns, output, column);
            }
        }
    }

    private readonly void Store(float* from, int count, byte* output, int column)
    {
        var row = new ReadOnlySpan<float>(from, count);
        switch (_call.OutputType)
        {
            case ElementType.Float: row.CopyTo(new Span<float>((float*)output + column, count)); break;
            case ElementType.Half: Narrowing.Narrow(row, new Span<Half>((Half*)output + column, count)); break;
            default: Narrowing.Narrow(row, new Span<BFloat16>((BFloat16*)output + column, count)); break;
        }
    }
}
