using System.Numerics.Tensors;

namespace AttentionGen;

/// <summary>
/// Results over parts of the keys, merged into the result over all of them: a sequence may be split anywhere, over threads, pages or machines, as long as
/// each part gives its outputs and their log-sum-exps.
/// </summary>
/// <remarks>
/// With outputs o1, o2 and log-sum-exps l1, l2 of the same rows: l = ln(e^l1 + e^l2), o = o1 e^(l1 - l) + o2 e^(l2 - l). A part of which a row sees no key
/// has the log-sum-exp -infinity and changes nothing. A sink belongs to one of the parts only.
/// </remarks>
public static class AttentionState
{
    /// <summary>Adds another part to a result.</summary>
    /// <param name="output">[rows, valueDim], in any order of rows; the merged output afterwards.</param>
    /// <param name="logSumExp">[rows], in the same order; the merged one afterwards.</param>
    /// <param name="otherOutput">[rows, valueDim].</param>
    /// <param name="otherLogSumExp">[rows].</param>
    /// <exception cref="ArgumentException">The lengths do not fit each other, or what is written overlaps what is read.</exception>
    public static void Merge(Span<float> output, Span<float> logSumExp, ReadOnlySpan<float> otherOutput, ReadOnlySpan<float> otherLogSumExp)
    {
        int rows = logSumExp.Length;
        if (otherLogSumExp.Length != rows)
            throw new ArgumentException($"{nameof(otherLogSumExp)} has {otherLogSumExp.Length} rows, {nameof(logSumExp)} has {rows}.", nameof(otherLogSumExp));
        if (otherOutput.Length != output.Length)
            throw new ArgumentException($"{nameof(otherOutput)} has {otherOutput.Length} elements, {nameof(output)} has {output.Length}.", nameof(otherOutput));
        if (rows == 0 ? output.Length != 0 : output.Length % rows != 0)
            throw new ArgumentException($"{nameof(output)} has {output.Length} elements, which is not a multiple of the {rows} rows of {nameof(logSumExp)}.", nameof(output));
        if (output.Overlaps(otherOutput) || output.Overlaps(otherLogSumExp) || output.Overlaps(logSumExp))
            throw new ArgumentException($"{nameof(output)} overlaps another argument, and is written while they are read.", nameof(output));
        if (logSumExp.Overlaps(otherOutput) || logSumExp.Overlaps(otherLogSumExp))
            throw new ArgumentException($"{nameof(logSumExp)} overlaps another argument, and is written while they are read.", nameof(logSumExp));

        int dim = rows == 0 ? 0 : output.Length / rows;
        for (int row = 0; row < rows; row++)
        {
            var (mine, others, merged) = Shares(logSumExp[row], otherLogSumExp[row]);
            logSumExp[row] = merged;
            var to = output.Slice(row * dim, dim);
            var from = otherOutput.Slice(row * dim, dim);
            if (others == 0) continue; // whatever it holds
            if (mine == 0)
            {
                from.CopyTo(to);
                continue;
            }

            TensorPrimitives.Multiply(to, mine, to);
            TensorPrimitives.MultiplyAdd(from, others, to, to);
        }
    }

    /// <summary>Merges parts that lie one after the other into one result.</summary>
    /// <param name="outputs">[parts, rows, valueDim].</param>
    /// <param name="logSumExps">[parts, rows].</param>
    /// <param name="output">[rows, valueDim].</param>
    /// <param name="logSumExp">[rows].</param>
    /// <exception cref="ArgumentException">The lengths do not fit each other, or what is written overlaps what is read.</exception>
    public static void MergeAll(ReadOnlySpan<float> outputs, ReadOnlySpan<float> logSumExps, Span<float> output, Span<float> logSumExp)
    {
        int rows = logSumExp.Length;
        if (rows == 0 ? logSumExps.Length != 0 : logSumExps.Length % rows != 0)
            throw new ArgumentException($"{nameof(logSumExps)} has {logSumExps.Length} elements, which is not a multiple of the {rows} rows of {nameof(logSumExp)}.", nameof(logSumExps));
        int parts = rows == 0 ? 0 : logSumExps.Length / rows;
        if (outputs.Length != (long)parts * output.Length)
            throw new ArgumentException($"{nameof(outputs)} has {outputs.Length} elements, {parts} parts of {output.Length} are needed.", nameof(outputs));
        if (output.Overlaps(outputs) || output.Overlaps(logSumExps)) throw new ArgumentException($"{nameof(output)} overlaps another argument, and is written while they are read.", nameof(output));
        if (logSumExp.Overlaps(outputs) || logSumExp.Overlaps(logSumExps)) throw new ArgumentException($"{nameof(logSumExp)} overlaps another argument, and is written while they are read.", nameof(logSumExp));

        output.Clear();
        logSumExp.Fill(float.NegativeInfinity);
        for (int part = 0; part < parts; part++)
            Merge(output, logSumExp, outputs.Slice(part * output.Length, output.Length), logSumExps.Slice(part * rows, rows));
    }

    /// <summary>What two parts of a row count for, and their log-sum-exp.</summary>
    private static (float Mine, float Others, float Merged) Shares(float mine, float others)
    {
        if (float.IsNegativeInfinity(others)) return (1, 0, mine);
        if (float.IsNegativeInfinity(mine)) return (0, 1, others);
        double highest = Math.Max(mine, others), merged = highest + Math.Log(Math.Exp(mine - highest) + Math.Exp(others - highest));
        return ((float)Math.Exp(mine - merged), (float)Math.Exp(others - merged), (float)merged);
    }
}
