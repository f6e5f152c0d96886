using System.Runtime.CompilerServices;

namespace AttentionGen.CompilerServices;

// Tokens one by one.
internal unsafe partial struct RecurrenceUnit<TVector>
{
    /// <summary>Tokens one after the other.</summary>
    /// <param name="state">The state.</param>
    /// <param name="row">Floats from row to row of it.</param>
    /// <param name="group">Floats from a group of columns to the next.</param>
    /// <param name="first">The first token.</param>
    /// <param name="count">The number of tokens.</param>
    private readonly void Steps(float* state, nint row, nint group, int first, int count)
    {
        float* key = KeyRow(0), query = QueryRow(0), sums = _memory + _layout.Sums;
        nint ahead = state == State && _index + 1 < _layout.UnitHeads ? (nint)D * V : 0;
        var token = new RecurrenceToken { Depth = D, Key = key, Query = query, Factors = Ones, Decayed = _call.Corrects ? Product : null, DecayedQuery = Other, Ahead = ahead };
        for (int i = first; i < first + count; i++)
        {
            FeatureRows.Map<TVector>(Floats(_call.Key, _call.KeyType, i, _head, D), key, D, _call.Map, 1);
            if (!_call.Decays)
            {
                VectorRows.Fill(Ones, 1, D);
            }
            else if (_call.DecaysElements)
            {
                FeatureRows.Exponentials<TVector>(_call.Decay.At(_batch, _first + i, _head), Ones, D);
            }
            else
            {
                FeatureRows.Exponentials<TVector>(_call.Decay.At(_batch, _first + i, _head), Other, 1);
                VectorRows.Fill(Ones, *Other, D);
            }

            if (_call.Corrects)
            {
                token.Beta = *_call.Beta.At(_batch, _first + i, _head);
                VectorRows.Multiply<TVector>(key, Ones, Product, D);
            }

            if (_normalizer != null)
                for (int d = 0; d < D; d++) _normalizer[d] = _normalizer[d] * Ones[d] + key[d];
            for (int own = _head * _call.Group; own < (_head + 1) * _call.Group; own++)
            {
                FeatureRows.Map<TVector>(Floats(_call.Query, _call.QueryType, i, own, D), query, D, _call.Map, _call.Scale);
                float* value = own == _head * _call.Group ? Floats(_call.Value, _call.KeyType, i, _head, V) : null;
                if (value != null && _call.Corrects)
                {
                    VectorRows.Multiply<TVector>(query, Ones, Other, D);
                    token.Same = VectorRows.Dot<TVector>(query, key, D);
                }

                float denominator = _normalizer == null ? 1 : VectorRows.Dot<TVector>(query, _normalizer, D);
                byte* output = _call.Output.Row(_batch, _first + i, own);
                for (int column = 0, part = 0; column < V; column += _layout.Plan.GroupColumns, part++)
                {
                    int columns = Math.Min(V - column, _layout.Plan.GroupColumns);
                    if (value != null) RecurrenceStep.Update<TVector>(state + part * group, row, token, value + column, columns, sums);
                    else RecurrenceStep.Read<TVector>(state + part * group, row, query, D, columns, sums);
                    if (_normalizer != null) VectorRows.Divide<TVector>(sums, 0, &denominator, 1, columns);
                    Store(sums, columns, output, column);
                }
            }
        }
    }
}
