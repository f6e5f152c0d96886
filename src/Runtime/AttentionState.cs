using System.Numerics.Tensors;

namespace AttentionGen;

/// <summary>
/// Merges results over parts of the keys into the result over all keys. A caller may split a sequence at any key, over threads, pages or machines. Each
/// part must supply its outputs and their log-sum-exps.
/// </summary>
/// <remarks>
/// <para>
/// With outputs o1, o2 and log-sum-exps l1, l2 of the same rows: l = ln(e^l1 + e^l2), o = o1 e^(l1 - l) + o2 e^(l2 - l). If a row sees no key of a part,
/// its log-sum-exp is -infinity, and the part does not change the result. Pass a sink to one of the parts only.
/// </para>
/// <para>
/// Kernels write outputs token by token (or head by head, with <see cref="AttentionLayout.HeadMajor"/>), and log-sum-exps always head by head.
/// <see cref="Merge"/> and <see cref="MergeAll"/> read both in these orders. <see cref="MergeRows"/> and <see cref="MergeAllRows"/> read outputs and
/// log-sum-exps in the same order of rows.
/// </para>
/// <para>Milakov and Gimelshein, Online normalizer calculation for softmax, <see href="https://arxiv.org/abs/1805.02867"/>.</para>
/// </remarks>
public static class AttentionState
{
    /// <summary>Merges the result of a kernel over another part of the keys into a result. Both have the orders in which kernels write them.</summary>
    /// <param name="output">[batch, queries, heads, valueDim], or [batch, heads, queries, valueDim] if head-major. It receives the merged output.</param>
    /// <param name="logSumExp">[batch, heads, queries]. It receives the merged log-sum-exp.</param>
    /// <param name="otherOutput">The same shape as <paramref name="output"/>.</param>
    /// <param name="otherLogSumExp">[batch, heads, queries].</param>
    /// <param name="heads">The number of query heads.</param>
    /// <param name="layout">The order of tokens and heads in the outputs.</param>
    /// <param name="batch">The number of batch items.</param>
    /// <exception cref="ArgumentException">The lengths do not match, or a written span overlaps another argument. The method then writes nothing.</exception>
    /// <exception cref="ArgumentOutOfRangeException"><paramref name="heads"/>, <paramref name="layout"/> or <paramref name="batch"/> is invalid.</exception>
    public static void Merge(
        Span<float> output, Span<float> logSumExp, ReadOnlySpan<float> otherOutput, ReadOnlySpan<float> otherLogSumExp, int heads, AttentionLayout layout = AttentionLayout.TokenMajor, int batch = 1)
    {
        CheckPair(output, logSumExp, otherOutput, otherLogSumExp);
        Add(output, logSumExp, otherOutput, otherLogSumExp, RowOrder.Of(logSumExp, heads, layout, batch));
    }

    /// <summary>
    /// Merges results of a kernel over parts of the keys into one result. The parts follow each other in the spans. All have the orders in which kernels
    /// write them.
    /// </summary>
    /// <param name="outputs">[parts, batch, queries, heads, valueDim], or [parts, batch, heads, queries, valueDim] if head-major.</param>
    /// <param name="logSumExps">[parts, batch, heads, queries].</param>
    /// <param name="output">
    /// [batch, queries, heads, valueDim], or [batch, heads, queries, valueDim] if head-major: one part of <paramref name="outputs"/>. It receives the
    /// merged output.
    /// </param>
    /// <param name="logSumExp">[batch, heads, queries]. It receives the merged log-sum-exp.</param>
    /// <param name="heads">The number of query heads.</param>
    /// <param name="layout">The order of tokens and heads in the outputs.</param>
    /// <param name="batch">The number of batch items.</param>
    /// <exception cref="ArgumentException">The lengths do not match, or a written span overlaps another argument. The method then writes nothing.</exception>
    /// <exception cref="ArgumentOutOfRangeException"><paramref name="heads"/>, <paramref name="layout"/> or <paramref name="batch"/> is invalid.</exception>
    public static void MergeAll(
        ReadOnlySpan<float> outputs, ReadOnlySpan<float> logSumExps, Span<float> output, Span<float> logSumExp, int heads, AttentionLayout layout = AttentionLayout.TokenMajor, int batch = 1) =>
        AddAll(outputs, logSumExps, output, logSumExp, RowOrder.Of(logSumExp, heads, layout, batch));

    /// <summary>Merges another part into a result, row by row. Outputs and log-sum-exps must have the same order of rows; any order is valid.</summary>
    /// <param name="output">[rows, valueDim]. It receives the merged output.</param>
    /// <param name="logSumExp">[rows], in the same order. It receives the merged log-sum-exp.</param>
    /// <param name="otherOutput">[rows, valueDim].</param>
    /// <param name="otherLogSumExp">[rows].</param>
    /// <exception cref="ArgumentException">The lengths do not match, or a written span overlaps another argument. The method then writes nothing.</exception>
    public static void MergeRows(Span<float> output, Span<float> logSumExp, ReadOnlySpan<float> otherOutput, ReadOnlySpan<float> otherLogSumExp)
    {
        CheckPair(output, logSumExp, otherOutput, otherLogSumExp);
        Add(output, logSumExp, otherOutput, otherLogSumExp, RowOrder.Same);
    }

    /// <summary>
    /// Merges parts into one result, row by row. The parts follow each other in the spans. Outputs and log-sum-exps must have the same order of rows; any
    /// order is valid.
    /// </summary>
    /// <param name="outputs">[parts, rows, valueDim].</param>
    /// <param name="logSumExps">[parts, rows].</param>
    /// <param name="output">[rows, valueDim]. It receives the merged output.</param>
    /// <param name="logSumExp">[rows]. It receives the merged log-sum-exp.</param>
    /// <exception cref="ArgumentException">The lengths do not match, or a written span overlaps another argument. The method then writes nothing.</exception>
    public static void MergeAllRows(ReadOnlySpan<float> outputs, ReadOnlySpan<float> logSumExps, Span<float> output, Span<float> logSumExp) =>
        AddAll(outputs, logSumExps, output, logSumExp, RowOrder.Same);

    private static void CheckPair(ReadOnlySpan<float> output, ReadOnlySpan<float> logSumExp, ReadOnlySpan<float> otherOutput, ReadOnlySpan<float> otherLogSumExp)
    {
        int rows = logSumExp.Length;
        if (otherLogSumExp.Length != rows)
            throw new ArgumentException($"{nameof(otherLogSumExp)} has {otherLogSumExp.Length} rows, {nameof(logSumExp)} has {rows}.", nameof(otherLogSumExp));
        if (otherOutput.Length != output.Length)
            throw new ArgumentException($"{nameof(otherOutput)} has {otherOutput.Length} elements, {nameof(output)} has {output.Length}.", nameof(otherOutput));
        CheckRows(output, logSumExp);
        if (output.Overlaps(otherOutput) || output.Overlaps(otherLogSumExp) || output.Overlaps(logSumExp))
            throw new ArgumentException($"{nameof(output)} overlaps another argument, and is written while they are read.", nameof(output));
        if (logSumExp.Overlaps(otherOutput) || logSumExp.Overlaps(otherLogSumExp))
            throw new ArgumentException($"{nameof(logSumExp)} overlaps another argument, and is written while they are read.", nameof(logSumExp));
    }

    private static void CheckRows(ReadOnlySpan<float> output, ReadOnlySpan<float> logSumExp)
    {
        int rows = logSumExp.Length;
        if (rows == 0 ? output.Length != 0 : output.Length % rows != 0)
            throw new ArgumentException($"{nameof(output)} has {output.Length} elements, which is not a multiple of the {rows} rows of {nameof(logSumExp)}.", nameof(output));
    }

    private static void AddAll(ReadOnlySpan<float> outputs, ReadOnlySpan<float> logSumExps, Span<float> output, Span<float> logSumExp, RowOrder order)
    {
        int rows = logSumExp.Length;
        if (rows == 0 ? logSumExps.Length != 0 : logSumExps.Length % rows != 0)
            throw new ArgumentException($"{nameof(logSumExps)} has {logSumExps.Length} elements, which is not a multiple of the {rows} rows of {nameof(logSumExp)}.", nameof(logSumExps));
        int parts = rows == 0 ? 0 : logSumExps.Length / rows;
        if (outputs.Length != (long)parts * output.Length)
            throw new ArgumentException($"{nameof(outputs)} has {outputs.Length} elements, {parts} parts of {output.Length} are needed.", nameof(outputs));
        CheckRows(output, logSumExp);
        if (output.Overlaps(outputs) || output.Overlaps(logSumExps) || output.Overlaps(logSumExp)) throw new ArgumentException($"{nameof(output)} overlaps another argument, and is written while they are read.", nameof(output));
        if (logSumExp.Overlaps(outputs) || logSumExp.Overlaps(logSumExps)) throw new ArgumentException($"{nameof(logSumExp)} overlaps another argument, and is written while they are read.", nameof(logSumExp));

        output.Clear();
        logSumExp.Fill(float.NegativeInfinity);
        for (int part = 0; part < parts; part++)
            Add(output, logSumExp, outputs.Slice(part * output.Length, output.Length), logSumExps.Slice(part * rows, rows), order);
    }

    private static void Add(Span<float> output, Span<float> logSumExp, ReadOnlySpan<float> otherOutput, ReadOnlySpan<float> otherLogSumExp, RowOrder order)
    {
        int rows = logSumExp.Length, dim = rows == 0 ? 0 : output.Length / rows;
        for (int row = 0; row < rows; row++)
        {
            var (mine, others, merged) = Shares(logSumExp[row], otherLogSumExp[row]);
            logSumExp[row] = merged;
            if (others == 0) continue; // Its output may hold any values, even NaN.
            int place = order.OutputRow(row) * dim;
            var to = output.Slice(place, dim);
            var from = otherOutput.Slice(place, dim);
            if (mine == 0)
            {
                from.CopyTo(to);
                continue;
            }

            TensorPrimitives.Multiply(to, mine, to);
            TensorPrimitives.MultiplyAdd(from, others, to, to);
        }
    }

    /// <summary>The factors of two parts of a row, and their merged log-sum-exp.</summary>
    private static (float Mine, float Others, float Merged) Shares(float mine, float others)
    {
        if (float.IsNegativeInfinity(others)) return (1, 0, mine);
        if (float.IsNegativeInfinity(mine)) return (0, 1, others);
        double highest = Math.Max(mine, others), merged = highest + Math.Log(Math.Exp(mine - highest) + Math.Exp(others - highest));
        return ((float)Math.Exp(mine - merged), (float)Math.Exp(others - merged), (float)merged);
    }

    /// <summary>Maps the index of a log-sum-exp to the row of the outputs.</summary>
    private readonly record struct RowOrder(int Heads, int Queries)
    {
        /// <summary>The order in which both have the same index.</summary>
        public static RowOrder Same => default;

        public static RowOrder Of(ReadOnlySpan<float> logSumExp, int heads, AttentionLayout layout, int batch)
        {
            ArgumentOutOfRangeException.ThrowIfNegativeOrZero(heads);
            ArgumentOutOfRangeException.ThrowIfNegative(batch);
            if (!Enum.IsDefined(layout)) throw new ArgumentOutOfRangeException(nameof(layout), layout, $"{nameof(layout)} is {(int)layout}, {AttentionLayout.TokenMajor} or {AttentionLayout.HeadMajor} is needed.");
            int rows = logSumExp.Length;
            if (batch == 0 ? rows != 0 : rows % ((long)batch * heads) != 0)
                throw new ArgumentException($"{nameof(logSumExp)} has {rows} elements, [batch, heads, queries] = [{batch}, {heads}, queries] are needed.", nameof(logSumExp));
            return layout == AttentionLayout.HeadMajor || rows == 0 ? Same : new(heads, rows / batch / heads);
        }

        public int OutputRow(int row)
        {
            if (Heads == 0) return row;
            var (batchHead, query) = Math.DivRem(row, Queries);
            var (item, head) = Math.DivRem(batchHead, Heads);
            return (item * Queries + query) * Heads + head;
        }
    }
}
