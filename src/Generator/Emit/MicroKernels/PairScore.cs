using AttentionGen.Generator.Planning;
using AttentionGen.Generator.Text;

namespace AttentionGen.Generator.Emit.MicroKernels;

/// <summary>What a query and a key in place give for some of their elements, added to the sum of their score: products, or hyperbolic tangents.</summary>
internal abstract class PairScore
{
    public static PairScore Of(CorePlan plan) => plan.Spec.IsAdditive ? new TanhScore(plan) : new ProductScore();

    /// <summary>Vectors of elements that a step takes.</summary>
    public abstract int Vectors { get; }

    /// <summary>A step: the loads of rows and keys, and the sums of their scores.</summary>
    /// <param name="rows">The query rows.</param>
    /// <param name="keys">The keys.</param>
    /// <param name="vectors">The vectors of the step; fewer at the end of a row.</param>
    /// <param name="query">Loads a vector of a query, from its row, the number of the vector and the floats before it.</param>
    /// <param name="key">Loads a vector of a key.</param>
    /// <param name="sum">The name of a sum.</param>
    /// <param name="add">What is summed of a key beside its scores, after a blank.</param>
    public abstract void Step(SourceWriter w, int rows, int keys, int vectors, Func<int, int, string, string> query, Func<int, int, string> key, Func<int, int, string> sum, Func<int, string> add);

    private sealed class ProductScore : PairScore
    {
        public override int Vectors => 1;

        public override void Step(SourceWriter w, int rows, int keys, int vectors, Func<int, int, string, string> query, Func<int, int, string> key, Func<int, int, string> sum, Func<int, string> add)
        {
            w.Line("Vec " + string.Join(", ", Enumerable.Range(0, rows).Select(row => $"q{row} = {query(row, 0, "")}")) + ";");
            for (int k = 0; k < keys; k++)
                w.Line($"Vec x{k} = {key(k, 0)}; " + string.Join(" ", Enumerable.Range(0, rows).Select(row => $"{sum(row, k)} = MulAdd(q{row}, x{k}, {sum(row, k)});")) + add(k));
        }
    }

    /// <summary>Two vectors at a time, because two hyperbolic tangents of a sum share a division. Where keys are integers, they are multiplied by their scales `f0`, `f1` ...</summary>
    private sealed class TanhScore(CorePlan plan) : PairScore
    {
        public override int Vectors => 2;

        public override void Step(SourceWriter w, int rows, int keys, int vectors, Func<int, int, string, string> query, Func<int, int, string> key, Func<int, int, string> sum, Func<int, string> add)
        {
            for (int row = 0; row < rows; row++)
                w.Line("Vec " + string.Join(", ", Enumerable.Range(0, vectors).SelectMany(v => new[] { $"q{row}_{v} = {query(row, v, "")}", $"v{row}_{v} = {query(row, v, "HeadRow")}" })) + ";");
            string Argument(int row, int k, int v) => plan.HasScales ? $"MulAdd(x{k}_{v}, f{k}, q{row}_{v})" : $"q{row}_{v} + x{k}_{v}";
            for (int k = 0; k < keys; k++)
            {
                w.Line("Vec " + string.Join(", ", Enumerable.Range(0, vectors).Select(v => $"x{k}_{v} = {key(k, v)}")) + ";");
                for (int row = 0; row < rows; row++)
                    w.Line($"{sum(row, k)} = AddTanh({sum(row, k)}, {string.Join(", ", Enumerable.Range(0, vectors).Select(v => $"{Argument(row, k, v)}, v{row}_{v}"))});");
            }
        }
    }
}
