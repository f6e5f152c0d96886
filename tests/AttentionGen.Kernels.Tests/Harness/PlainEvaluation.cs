using System.Runtime.Intrinsics;

namespace AttentionGen.Kernels.Tests;

/// <summary>
/// Attention in single precision without any art: dot products in 16 partial sums, maximum, exponentials, sums. Its error is the measure of
/// what single precision costs on the same inputs.
/// </summary>
public static class PlainEvaluation
{
    /// <summary>One output row, and the row of the score matrix and the sizes of what is rounded where they are asked for.</summary>
    public static void Row(Inputs inputs, int batch, int query, int head, Span<float> output, Span<float> scores = default, RowSizes? sizes = null)
    {
        sizes?.Clear();
        var problem = inputs.Problem;
        var declaration = problem.Declaration;
        int keyHead = head / (declaration.Heads / declaration.KeyValueHeads);
        var (first, end) = problem.Visible(batch, query);
        int visible = end - first;
        float[] weights = new float[visible];
        float max = float.NegativeInfinity, sum = 0;
        var normalizedQuery = Normalized(inputs.QueryRow(batch, query, head), declaration, inputs.QueryNormWeight, inputs.Rotary, problem.Position(batch, query));
        ReadOnlySpan<float> vector = declaration.PairScore == AttentionScore.Additive ? inputs.ScoreVector.AsSpan(head * declaration.HeadDim, declaration.HeadDim) : default;
        ReadOnlySpan<float> projectedQuery = normalizedQuery, sizesOfQuery = normalizedQuery;
        if (declaration.PairScore == AttentionScore.General)
        {
            var (projected, magnitudes) = Projected(normalizedQuery, inputs.QueryKeyWeight.AsSpan(head * declaration.HeadDim * declaration.KeyDim), declaration.KeyDim);
            projectedQuery = projected;
            sizesOfQuery = magnitudes;
        }

        for (int j = 0; j < visible; j++)
        {
            var normalizedKey = Normalized(inputs.KeyRow(batch, first + j, keyHead), declaration, inputs.KeyNormWeight, inputs.Rotary, first + j - problem.Item(batch, query).Key);
            float product = inputs.Factor(head) * (declaration.PairScore == AttentionScore.Additive ? Sum(vector, normalizedQuery, normalizedKey) : Dot(projectedQuery, normalizedKey));
            weights[j] = inputs.Score(product, batch, query, head, first + j);
            if (sizes is not null)
            {
                double size = Math.Abs((double)inputs.Factor(head))
                    * (declaration.PairScore == AttentionScore.Additive ? TanhRoundings * SumOfSizes(vector, normalizedQuery, normalizedKey) : SumOfSizes(sizesOfQuery, normalizedKey));
                sizes.Set(first + j, size, inputs.SizeOfScore(size, product, batch, query, head, first + j));
            }

            if (!scores.IsEmpty) scores[first + j] = declaration.ScoresStage switch
            {
                AttentionStage.Scaled => product,
                AttentionStage.Capped => declaration.SoftCap == 0 ? product : declaration.SoftCap * MathF.Tanh(product / declaration.SoftCap),
                _ => weights[j],
            };
            max = Math.Max(max, weights[j]);
        }

        float? sink = declaration.Has(Roles.Sinks) ? inputs.Sinks[head] : null;
        if (sink is { } logit) max = Math.Max(max, logit);
        bool[] hidden = [.. weights.Select(weight => declaration.Hides && float.IsNegativeInfinity(weight))];
        sizes?.Finish(first, weights, hidden, key => inputs.ValueMemory(batch, key, keyHead));
        for (int j = 0; j < visible; j++) sum += weights[j] = hidden[j] ? 0 : MathF.Exp(weights[j] - max);
        if (sink is { } one) sum += MathF.Exp(one - max);

        if (!scores.IsEmpty && declaration.ScoresStage == AttentionStage.Weights)
            for (int j = 0; j < visible; j++) scores[first + j] = weights[j] / sum;

        output.Clear();
        for (int j = 0; j < visible; j++)
        {
            var value = inputs.ValueRow(batch, first + j, keyHead);
            for (int d = 0; d < value.Length && !hidden[j]; d++) output[d] += weights[j] * value[d];
            sizes?.Add(output);
        }

        sizes?.Divide(sum);

        if (visible > 0 && hidden.Contains(false)) foreach (ref float x in output) x /= sum;
    }

    /// <summary>The entropy of the weights of a row of scores, and of a sink beside them.</summary>
    public static float Entropy(ReadOnlySpan<float> scores, float highest, float? sink)
    {
        float sum = 0, weighted = 0;
        foreach (float score in sink is { } logit ? [.. scores, logit] : scores)
        {
            float weight = MathF.Exp(score - Math.Max(highest, sink ?? highest));
            sum += weight;
            if (weight > 0) weighted += weight * (score - Math.Max(highest, sink ?? highest));
        }

        return MathF.Log(sum) - weighted / sum;
    }

    /// <summary>A query or key over its norm, times its weights, and rotated.</summary>
    private static ReadOnlySpan<float> Normalized(ReadOnlySpan<float> x, Declaration declaration, float[] weight, RotaryTable? rotary, long position)
    {
        if (rotary is null) return Normalized(x, declaration, weight);
        float[] rotated = Normalized(x, declaration, weight).ToArray();
        RotaryTables.Rotate(rotated, declaration, rotary, position);
        return rotated;
    }

    /// <summary>A query or key over its norm, times its weights.</summary>
    private static ReadOnlySpan<float> Normalized(ReadOnlySpan<float> x, Declaration declaration, float[] weight)
    {
        if (declaration.Norm == AttentionNorm.None) return x;
        float squares = Dot(x, x), epsilon = declaration.NormEpsilon == 0 ? 1e-6f : declaration.NormEpsilon;
        float norm = declaration.Norm == AttentionNorm.Rms ? MathF.Sqrt(squares / x.Length + epsilon) : Math.Max(MathF.Sqrt(squares), epsilon);
        float[] normalized = x.ToArray();
        for (int d = 0; d < normalized.Length; d++) normalized[d] = normalized[d] / norm * (weight.Length > 0 ? weight[d] : 1);
        return normalized;
    }

    /// <summary>What docs/exactness.md counts the size of an additive score by: a hyperbolic tangent is within 5e-7, 8.4 roundings, of which the output has half, and c is 2.</summary>
    private const double TanhRoundings = 4;

    /// <summary>v^T tanh(q + k), summed as products are.</summary>
    private static float Sum(ReadOnlySpan<float> vector, ReadOnlySpan<float> query, ReadOnlySpan<float> key)
    {
        float[] tangents = new float[query.Length];
        for (int d = 0; d < tangents.Length; d++) tangents[d] = MathF.Tanh(query[d] + key[d]);
        return Dot(vector, tangents);
    }

    /// <summary>The sum of |v tanh(q + k)|.</summary>
    private static double SumOfSizes(ReadOnlySpan<float> vector, ReadOnlySpan<float> query, ReadOnlySpan<float> key)
    {
        double sum = 0;
        for (int d = 0; d < query.Length; d++) sum += Math.Abs(vector[d] * Math.Tanh((double)query[d] + key[d]));
        return sum;
    }

    /// <summary>W^T q, and the same of magnitudes.</summary>
    private static (float[] Projected, float[] Sizes) Projected(ReadOnlySpan<float> query, ReadOnlySpan<float> weight, int keyDim)
    {
        float[] projected = new float[keyDim], sizes = new float[keyDim], column = new float[query.Length];
        for (int e = 0; e < keyDim; e++)
        {
            for (int d = 0; d < query.Length; d++) column[d] = weight[d * keyDim + e];
            (projected[e], sizes[e]) = (Dot(query, column), (float)SumOfSizes(query, column));
        }

        return (projected, sizes);
    }

    /// <summary>The sum of |x y|, for which the order does not matter.</summary>
    private static double SumOfSizes(ReadOnlySpan<float> x, ReadOnlySpan<float> y)
    {
        var sums = Vector512<double>.Zero;
        int i = 0;
        for (; i + 16 <= x.Length; i += 16)
        {
            var (lower, upper) = Vector512.Widen(Vector512.Abs(Vector512.Create(x.Slice(i, 16)) * Vector512.Create(y.Slice(i, 16))));
            sums += lower + upper;
        }

        double sum = Vector512.Sum(sums);
        for (; i < x.Length; i++) sum += Math.Abs((double)x[i] * y[i]);
        return sum;
    }

    /// <summary>Lane i sums the products of the elements i, i + 16, i + 32 ...; the lanes are added as a tree.</summary>
    internal static float Dot(ReadOnlySpan<float> x, ReadOnlySpan<float> y)
    {
        var sums = Vector512<float>.Zero;
        int i = 0;
        for (; i + 16 <= x.Length; i += 16) sums += Vector512.Create(x.Slice(i, 16)) * Vector512.Create(y.Slice(i, 16));
        Span<float> lanes = stackalloc float[16];
        sums.CopyTo(lanes);
        for (; i < x.Length; i++) lanes[i % 16] += x[i] * y[i];
        for (int half = 8; half > 0; half /= 2)
            for (int lane = 0; lane < half; lane++) lanes[lane] += lanes[lane + half];
        return lanes[0];
    }
}
