using System.Runtime.CompilerServices;

namespace AttentionGen.CompilerServices;

/// <summary>
/// One token of linear attention: one pass over the state [headDim, valueDim] writes it and reads the output of a query; with the delta rule a pass before it reads what the state has for the key.
/// </summary>
internal static unsafe class RecurrenceStep
{
    /// <summary>Vectors of columns that a pass takes together: 4 sums and 4 changes stay in registers.</summary>
    private const int Strip = 4;

    /// <param name="state">Rows of the state.</param>
    /// <param name="row">Floats from row to row.</param>
    /// <param name="token">The numbers of the token.</param>
    /// <param name="value">The value, for these columns.</param>
    /// <param name="columns">The columns.</param>
    /// <param name="output">S^T q of the first query, for these columns.</param>
    [MethodImpl(MethodImplOptions.AggressiveOptimization | MethodImplOptions.NoInlining)]
    public static void Update<TVector>(float* state, nint row, in RecurrenceToken token, float* value, int columns, float* output)
        where TVector : struct, IFloats<TVector>
    {
        int column = 0;
        for (; column + Strip * TVector.Count <= columns; column += Strip * TVector.Count) UpdateStrip<TVector>(state + column, row, token, value + column, output + column);
        for (; column < columns; column += TVector.Count) UpdateOne<TVector>(state + column, row, token, value + column, columns - column, output + column);
    }

    /// <summary>S^T q for some columns.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization | MethodImplOptions.NoInlining)]
    public static void Read<TVector>(float* state, nint row, float* query, int depth, int columns, float* output)
        where TVector : struct, IFloats<TVector>
    {
        int column = 0;
        for (; column + Strip * TVector.Count <= columns; column += Strip * TVector.Count)
        {
            TVector o0 = TVector.All(0), o1 = o0, o2 = o0, o3 = o0;
            float* s = state + column;
            for (int d = 0; d < depth; d++, s += row)
            {
                var q = TVector.All(query[d]);
                o0 = TVector.MulAdd(q, TVector.Load(s), o0);
                o1 = TVector.MulAdd(q, TVector.Load(s + TVector.Count), o1);
                o2 = TVector.MulAdd(q, TVector.Load(s + 2 * TVector.Count), o2);
                o3 = TVector.MulAdd(q, TVector.Load(s + 3 * TVector.Count), o3);
            }

            StoreFour(o0, o1, o2, o3, output + column);
        }

        for (; column < columns; column += TVector.Count)
        {
            var o = TVector.All(0);
            float* s = state + column;
            for (int d = 0; d < depth; d++, s += row) o = TVector.MulAdd(TVector.All(query[d]), VectorRows.Load<TVector>(s, columns - column), o);
            VectorRows.Store(o, output + column, columns - column);
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void UpdateStrip<TVector>(float* state, nint row, in RecurrenceToken token, float* value, float* output)
        where TVector : struct, IFloats<TVector>
    {
        int depth = token.Depth;
        float* s = state, key = token.Key, factors = token.Factors, query = token.Query;
        TVector u0 = TVector.Load(value), u1 = TVector.Load(value + TVector.Count), u2 = TVector.Load(value + 2 * TVector.Count), u3 = TVector.Load(value + 3 * TVector.Count);
        if (token.Decayed != null)
        {
            float* decayed = token.Decayed;
            TVector r0 = TVector.All(0), r1 = r0, r2 = r0, r3 = r0;
            for (int d = 0; d < depth; d++, s += row)
            {
                var k = TVector.All(decayed[d]);
                r0 = TVector.MulAdd(k, TVector.Load(s), r0);
                r1 = TVector.MulAdd(k, TVector.Load(s + TVector.Count), r1);
                r2 = TVector.MulAdd(k, TVector.Load(s + 2 * TVector.Count), r2);
                r3 = TVector.MulAdd(k, TVector.Load(s + 3 * TVector.Count), r3);
            }

            var beta = TVector.All(token.Beta);
            (u0, u1, u2, u3) = (beta * (u0 - r0), beta * (u1 - r1), beta * (u2 - r2), beta * (u3 - r3));
            s = state;
        }

        TVector o0 = TVector.All(0), o1 = o0, o2 = o0, o3 = o0;
        for (int d = 0; d < depth; d++, s += row)
        {
            TVector a = TVector.All(factors[d]), k = TVector.All(key[d]), q = TVector.All(query[d]);
            var s0 = TVector.MulAdd(k, u0, a * TVector.Load(s));
            var s1 = TVector.MulAdd(k, u1, a * TVector.Load(s + TVector.Count));
            var s2 = TVector.MulAdd(k, u2, a * TVector.Load(s + 2 * TVector.Count));
            var s3 = TVector.MulAdd(k, u3, a * TVector.Load(s + 3 * TVector.Count));
            StoreFour(s0, s1, s2, s3, s);
            o0 = TVector.MulAdd(q, s0, o0);
            o1 = TVector.MulAdd(q, s1, o1);
            o2 = TVector.MulAdd(q, s2, o2);
            o3 = TVector.MulAdd(q, s3, o3);
        }

        StoreFour(o0, o1, o2, o3, output);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void UpdateOne<TVector>(float* state, nint row, in RecurrenceToken token, float* value, int left, float* output)
        where TVector : struct, IFloats<TVector>
    {
        float* s = state;
        var u = VectorRows.Load<TVector>(value, left);
        if (token.Decayed != null)
        {
            var r = TVector.All(0);
            for (int d = 0; d < token.Depth; d++, s += row) r = TVector.MulAdd(TVector.All(token.Decayed[d]), VectorRows.Load<TVector>(s, left), r);
            u = TVector.All(token.Beta) * (u - r);
            s = state;
        }

        var o = TVector.All(0);
        for (int d = 0; d < token.Depth; d++, s += row)
        {
            var x = TVector.MulAdd(TVector.All(token.Key[d]), u, TVector.All(token.Factors[d]) * VectorRows.Load<TVector>(s, left));
            VectorRows.Store(x, s, left);
            o = TVector.MulAdd(TVector.All(token.Query[d]), x, o);
        }

        VectorRows.Store(o, output, left);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void StoreFour<TVector>(TVector x0, TVector x1, TVector x2, TVector x3, float* to)
        where TVector : struct, IFloats<TVector>
    {
        TVector.Store(x0, to);
        TVector.Store(x1, to + TVector.Count);
        TVector.Store(x2, to + 2 * TVector.Count);
        TVector.Store(x3, to + 3 * TVector.Count);
    }
}

/// <summary>What a token does to a state.</summary>
internal unsafe struct RecurrenceToken
{
    /// <summary>The elements of a key head.</summary>
    public int Depth;

    /// <summary>The key and the first query, after their feature maps, and the factors of the rows of the state.</summary>
    public float* Key, Query, Factors;

    /// <summary>The key times the factors where a rule corrects the state; else null.</summary>
    public float* Decayed;

    public float Beta;
}
