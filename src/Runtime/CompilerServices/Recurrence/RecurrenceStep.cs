using System.Runtime.CompilerServices;

namespace AttentionGen.CompilerServices;

/// <summary>
/// One token of linear attention. One pass over the state [headDim, valueDim] writes it and reads the output of a query. With the delta rule, a pass before it reads what the state has for the key and for the
/// query: with S' = aS + k u^T, the output S'^T q is (aS)^T q + u (k^T q), so that the second pass only writes.
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
            float* decayedQuery = token.DecayedQuery;
            TVector r0 = TVector.All(0), r1 = r0, r2 = r0, r3 = r0, p0 = r0, p1 = r0, p2 = r0, p3 = r0;
            for (int d = 0; d < depth; d++, s += row)
            {
                TVector k = TVector.All(decayed[d]), q = TVector.All(decayedQuery[d]);
                TVector s0 = TVector.Load(s), s1 = TVector.Load(s + TVector.Count), s2 = TVector.Load(s + 2 * TVector.Count), s3 = TVector.Load(s + 3 * TVector.Count);
                r0 = TVector.MulAdd(k, s0, r0);
                r1 = TVector.MulAdd(k, s1, r1);
                r2 = TVector.MulAdd(k, s2, r2);
                r3 = TVector.MulAdd(k, s3, r3);
                p0 = TVector.MulAdd(q, s0, p0);
                p1 = TVector.MulAdd(q, s1, p1);
                p2 = TVector.MulAdd(q, s2, p2);
                p3 = TVector.MulAdd(q, s3, p3);
            }

            TVector beta = TVector.All(token.Beta), same = TVector.All(token.Same);
            u0 = beta * (u0 - r0);
            u1 = beta * (u1 - r1);
            u2 = beta * (u2 - r2);
            u3 = beta * (u3 - r3);
            StoreFour(TVector.MulAdd(same, u0, p0), TVector.MulAdd(same, u1, p1), TVector.MulAdd(same, u2, p2), TVector.MulAdd(same, u3, p3), output);
            s = state;
            for (int d = 0; d < depth; d++, s += row)
            {
                TVector a = TVector.All(factors[d]), k = TVector.All(key[d]);
                if (token.Ahead != 0) KernelMemory.PrefetchRow(ref *s, token.Ahead, Strip * TVector.Count);
                StoreFour(
                    TVector.MulAdd(k, u0, a * TVector.Load(s)), TVector.MulAdd(k, u1, a * TVector.Load(s + TVector.Count)),
                    TVector.MulAdd(k, u2, a * TVector.Load(s + 2 * TVector.Count)), TVector.MulAdd(k, u3, a * TVector.Load(s + 3 * TVector.Count)), s);
            }

            return;
        }

        TVector o0 = TVector.All(0), o1 = o0, o2 = o0, o3 = o0;
        for (int d = 0; d < depth; d++, s += row)
        {
            TVector a = TVector.All(factors[d]), k = TVector.All(key[d]), q = TVector.All(query[d]);
            if (token.Ahead != 0) KernelMemory.PrefetchRow(ref *s, token.Ahead, Strip * TVector.Count);
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

    /// <summary>The key and the query times the factors where a rule corrects the state; else the first is null.</summary>
    public float* Decayed, DecayedQuery;

    public float Beta;

    /// <summary>The product of the key and the query, where a rule corrects the state.</summary>
    public float Same;

    /// <summary>Floats to the state that follows, which is fetched meanwhile; 0 for none.</summary>
    public nint Ahead;
}
