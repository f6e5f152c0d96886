using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace AttentionGen.CompilerServices;

/// <summary>Queries times the matrix of their head, as rows of floats: W^T q. Each element is summed in one order, whatever is computed beside it.</summary>
/// <param name="query">The queries.</param>
/// <param name="shape">The lengths of the call.</param>
/// <param name="weight">[heads, query.Dim, dim].</param>
/// <param name="target">[batch, queries, heads, dim].</param>
/// <param name="dim">The elements of a projected query.</param>
/// <param name="halves">Whether elements of two bytes are halves, and not bfloat16.</param>
internal readonly unsafe struct Projection(StridedTensor query, ForwardShape shape, float* weight, float* target, int dim, bool halves)
{
    /// <summary>Rows that share loads of the weights: with two vectors of columns and their partial sums, 16 registers are enough for them.</summary>
    private const int Rows = 4;

    /// <summary>Products of a partial sum: longer ones lose precision.</summary>
    private const int Chain = 16;

    /// <summary>The projected queries.</summary>
    public readonly StridedTensor Target = new(target, shape.Queries, shape.Heads, dim);

    /// <summary>Blocks of rows of one head.</summary>
    public long Blocks => (long)shape.Heads * shape.Batch * BlocksOfItem;

    /// <summary>The multiplications and additions of a block.</summary>
    public long Flops => 2L * Rows * query.Dim * dim;

    private int BlocksOfItem => (shape.Queries + Rows - 1) / Rows;

    /// <summary>The bytes of the target.</summary>
    /// <exception cref="OverflowException">They exceed the address space.</exception>
    public static nuint BytesOf(in ForwardShape shape, int dim) => checked((nuint)shape.Batch * (nuint)shape.Queries * (nuint)shape.Heads * (nuint)dim * sizeof(float));

    /// <summary>Computes some blocks: those of a head follow each other, so that its weights stay in the cache.</summary>
    public static void Run(in Projection projection, long first, long end)
    {
        if (Vector512.IsHardwareAccelerated && Avx512F.IsSupported) projection.Run<Floats512>(first, end);
        else if (Vector256.IsHardwareAccelerated && Avx.IsSupported && Fma.IsSupported) projection.Run<Floats256>(first, end);
        else projection.Run<Floats128>(first, end);
    }

    [SkipLocalsInit]
    private void Run<TVector>(long first, long end)
        where TVector : struct, IFloats<TVector>
    {
        float* buffer = stackalloc float[Rows * CacheShape.MostSharedDim];
        float** rows = stackalloc float*[Rows], targets = stackalloc float*[Rows];
        for (long block = first; block < end; block++)
        {
            var (item, inItem) = Math.DivRem(block, BlocksOfItem);
            int head = (int)(item / shape.Batch), batch = (int)(item % shape.Batch);
            for (int row = 0; row < Rows; row++)
            {
                // The last row stands for those that are missing: it is computed again.
                int token = (int)Math.Min(inItem * Rows + row, shape.Queries - 1);
                rows[row] = Row(query.Row(batch, token, head), buffer + row * query.Dim);
                targets[row] = (float*)Target.Row(batch, token, head);
            }

            Product<TVector>(rows, weight + (nint)head * query.Dim * dim, targets);
        }
    }

    /// <summary>A query as floats.</summary>
    private float* Row(byte* row, float* buffer)
    {
        var floats = new Span<float>(buffer, query.Dim);
        if (query.ElementBytes == sizeof(float)) new ReadOnlySpan<float>(row, query.Dim).CopyTo(floats);
        else if (halves) Narrowing.Widen(new ReadOnlySpan<Half>(row, query.Dim), floats);
        else Narrowing.Widen(new ReadOnlySpan<BFloat16>(row, query.Dim), floats);
        return buffer;
    }

    private void Product<TVector>(float** rows, float* weights, float** targets)
        where TVector : struct, IFloats<TVector>
    {
        int column = 0;
        for (; column + 2 * TVector.Count <= dim; column += 2 * TVector.Count)
        {
            Columns<TVector>(rows, weights + column, targets, column, TVector.Count);
            Columns<TVector>(rows, weights + column + TVector.Count, targets, column + TVector.Count, TVector.Count);
        }

        for (; column < dim; column += TVector.Count) Columns<TVector>(rows, weights + column, targets, column, Math.Min(dim - column, TVector.Count));
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private void Columns<TVector>(float** rows, float* weights, float** targets, int column, int count)
        where TVector : struct, IFloats<TVector>
    {
        TVector zero = TVector.All(0), t0 = zero, t1 = zero, t2 = zero, t3 = zero;
        float* q0 = rows[0], q1 = rows[1], q2 = rows[2], q3 = rows[3];
        for (int from = 0; from < query.Dim; from += Chain)
        {
            TVector s0 = zero, s1 = zero, s2 = zero, s3 = zero;
            for (int d = from, end = Math.Min(from + Chain, query.Dim); d < end; d++)
            {
                float* at = weights + (nint)d * dim;
                var w = count == TVector.Count ? TVector.Load(at) : TVector.LoadFirst(at, count);
                s0 = TVector.MulAdd(TVector.All(q0[d]), w, s0);
                s1 = TVector.MulAdd(TVector.All(q1[d]), w, s1);
                s2 = TVector.MulAdd(TVector.All(q2[d]), w, s2);
                s3 = TVector.MulAdd(TVector.All(q3[d]), w, s3);
            }

            (t0, t1, t2, t3) = (t0 + s0, t1 + s1, t2 + s2, t3 + s3);
        }

        Store(t0, targets[0] + column, count);
        Store(t1, targets[1] + column, count);
        Store(t2, targets[2] + column, count);
        Store(t3, targets[3] + column, count);

        static void Store(TVector sums, float* target, int count)
        {
            if (count == TVector.Count) TVector.Store(sums, target);
            else TVector.StoreFirst(sums, target, count);
        }
    }
}
