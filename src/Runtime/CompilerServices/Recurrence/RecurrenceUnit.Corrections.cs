using System.Runtime.CompilerServices;

namespace AttentionGen.CompilerServices;

// What the delta rules put in place of values.
internal unsafe partial struct RecurrenceUnit<TVector>
{
    /// <summary>What the values of a chunk change after the corrections, in place of the values.</summary>
    private readonly void Correct(int first, int count)
    {
        float* mixing = _memory + _layout.Mixing, solved = _memory + _layout.Solved;
        Pack(_memory + _layout.KeyRows, 0, count, _call.DecaysElements ? Cumulative : null);
        ClearSums(solved, count);
        MultiplyState(count, solved);
        for (int i = 0; i < count; i++)
        {
            float* value = Floats(_call.Value, _call.KeyType, first + i, _head, V);
            float decayed = _call.Decays && !_call.DecaysElements ? Cumulative[i] : 1;
            for (int group = 0; group < _layout.ValueGroups; group++)
            {
                int column = group * _layout.Plan.GroupColumns;
                Differ(solved + ((nint)group * Rows + i) * SumRow, value + column, decayed, Betas[i], Math.Min(V - column, _layout.Plan.GroupColumns));
            }
        }

        if (_call.DecaysElements)
        {
            Within(_memory + _layout.KeyRows, count, isStrict: true, mixing);
            for (int i = 0; i < count; i++) VectorRows.Scale<TVector>(mixing + i * InputRow, -Betas[i], i);
        }
        else
        {
            Triangle(count);
            Mask(count, isStrict: true, mixing);
        }

        for (int from = 0; from < count; from += RecurrenceLayout.SolvedRows)
        {
            int rows = Math.Min(RecurrenceLayout.SolvedRows, count - from);
            for (int panel = 0; panel < _layout.ValuePanels; panel++)
            {
                float* sums = SumsOf(solved, Rows, panel) + (nint)from * SumRow, values = _memory + _layout.Values + panel * _layout.ValuePanel;
                if (from > 0) Multiply(mixing + from * InputRow, rows, values, from, sums);
                Solve(mixing + from * InputRow + from, InputRow, sums, SumRow, rows);
                VectorRows.Copy<TVector>(sums, SumRow, values + from * PanelColumns, PanelColumns, rows, PanelColumns);
            }
        }

        ClearValues(count);
    }

    /// <summary>rate * (value - decayed * sums) in place of the sums.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization | MethodImplOptions.NoInlining)]
    private static void Differ(float* sums, float* value, float decayed, float rate, int count)
    {
        for (int i = 0; i < count; i += TVector.Count)
            VectorRows.Store(TVector.All(rate) * TVector.MulAdd(TVector.All(-decayed), VectorRows.Load<TVector>(sums + i, count - i), VectorRows.Load<TVector>(value + i, count - i)), sums + i, count - i);
    }

    /// <summary>Adds to each row of a panel the rows before it, times their factors.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization | MethodImplOptions.NoInlining)]
    private static void Solve(float* factors, int factorRow, float* sums, int sumRow, int rows)
    {
        for (int i = 1; i < rows; i++)
        {
            float* own = sums + i * sumRow, other = sums, factor = factors + i * factorRow;
            TVector x0 = TVector.Load(own), x1 = TVector.Load(own + TVector.Count);
            for (int j = 0; j < i; j++, other += sumRow)
            {
                var f = TVector.All(factor[j]);
                x0 = TVector.MulAdd(f, TVector.Load(other), x0);
                x1 = TVector.MulAdd(f, TVector.Load(other + TVector.Count), x1);
            }

            TVector.Store(x0, own);
            TVector.Store(x1, own + TVector.Count);
        }
    }

    /// <summary>Whether no product of factors that follow each other is infinite: factors above 1 may grow over a chunk where the recurrence has nothing to multiply.</summary>
    private readonly bool FactorsAreFinite(int count)
    {
        if (!_call.Decays) return true;
        if (_call.DecaysElements) return AreBounded(Factors(0), _layout.KeyRow, count, D);
        float most = 1;
        for (int i = 0; i < count; i++) most *= Math.Max(1, *Factors(i));
        return float.IsFinite(most);
    }

    /// <summary>Whether the products of the numbers above 1 of each column are finite.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization | MethodImplOptions.NoInlining)]
    private static bool AreBounded(float* factors, nint stride, int rows, int columns)
    {
        TVector one = TVector.All(1), zero = TVector.All(0);
        for (int d = 0; d < columns; d += TVector.Count)
        {
            var most = one;
            for (int i = 0; i < rows; i++) most *= TVector.Max(one, VectorRows.Load<TVector>(factors + i * stride + d, columns - d));
            zero += most * TVector.All(0);
        }

        return TVector.Sum(zero) == 0;
    }

    private readonly bool ValuesAreFinite(int count)
    {
        float zero = 0;
        for (int panel = 0; panel < _layout.ValuePanels; panel++) zero += Zeros(_memory + _layout.Values + panel * _layout.ValuePanel, count * PanelColumns);
        return zero == 0;
    }

    /// <summary>The sum of the numbers times 0: NaN if one is not finite.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization | MethodImplOptions.NoInlining)]
    private static float Zeros(float* from, int count)
    {
        TVector sum = TVector.All(0), zero = sum;
        for (int i = 0; i < count; i += TVector.Count) sum = TVector.MulAdd(TVector.Load(from + i), zero, sum);
        return TVector.Sum(sum);
    }
}
