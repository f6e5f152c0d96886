using Xunit;

namespace AttentionGen.Kernels.Tests;

/// <summary>The numbers of a problem, and calls with them between protected pages.</summary>
internal sealed class LinearInputs
{
    public LinearInputs(LinearProblem problem)
    {
        Problem = problem;
        var random = new Random(problem.Seed);
        float[] Numbers(long count, double size) => [.. Enumerable.Range(0, checked((int)count)).Select(_ => (float)(size * (2 * random.NextDouble() - 1)))];
        Weights = Numbers((long)problem.Columns * problem.InputDim, 3 / Math.Sqrt(problem.InputDim)); // sums on both sides of 0, where activations bend
        Bias = problem.Bias ? Numbers(problem.Columns, 1) : [];
        Input = Numbers((long)problem.Rows * problem.InputDim, 2);
        Residual = problem.Residual == Kernels.Tests.Residual.None ? [] : Numbers((long)problem.Rows * problem.OutputDim, 1);
    }

    public LinearProblem Problem { get; }

    /// <summary>In the order of the problem.</summary>
    public float[] Weights { get; }

    public float[] Bias { get; }

    public float[] Input { get; }

    public float[] Residual { get; }

    public LinearLayer Create() => LinearLayer.Create(Problem, Weights, Bias);

    public float[] Run()
    {
        using var layer = Create();
        return Run(layer);
    }

    public float[] Run(LinearLayer layer) => Run(layer, 0, Problem.Rows);

    /// <summary>Some of the rows, each span at an edge of protected pages that a coin decides; only the output is written.</summary>
    public float[] Run(LinearLayer layer, int first, int rows)
    {
        ReadOnlySpan<float> input = Input.AsSpan(first * Problem.InputDim, rows * Problem.InputDim);
        ReadOnlySpan<float> residual = Residual.Length == 0 ? [] : Residual.AsSpan(first * Problem.OutputDim, rows * Problem.OutputDim);
        float[] result = new float[rows * Problem.OutputDim];
        if (GuardedMemory.Missing is not null)
        {
            bool inPlace = Problem.Residual == Kernels.Tests.Residual.InPlace;
            if (inPlace) residual.CopyTo(result);
            layer.Apply(input, result, inPlace ? result : residual, Problem.MaxThreads);
            return result;
        }

        var coins = new Random(HashCode.Combine(Problem.Seed, Problem.InputDim, Problem.OutputDim, first, rows));
        Edge Next() => coins.Next(8) == 0 ? Edge.Middle : coins.Next(2) == 0 ? Edge.Beginning : Edge.End;
        using var pages = new GuardedPages((nint)sizeof(float) * (input.Length + residual.Length + result.Length), spans: 3);
        var from = pages.Copy("input", input, Next());
        var to = pages.Take<float>("output", result.Length, Next(), offset: 0, alignment: 1);
        var added = residual;
        if (Problem.Residual == Kernels.Tests.Residual.Separate) added = pages.Copy("residual", residual, Next());
        if (Problem.Residual == Kernels.Tests.Residual.InPlace)
        {
            residual.CopyTo(to);
            added = to;
        }

        using (CallsInProgress.Add($"{Problem}, {rows} rows from row {first}")) layer.Apply(from, to, added, Problem.MaxThreads);
        pages.Check($"{Problem}");
        to.CopyTo(result);
        ThreadTests.AssertSameBits(input, from);
        if (Problem.Residual == Kernels.Tests.Residual.Separate) ThreadTests.AssertSameBits(residual, added);
        return result;
    }

    /// <summary>Runs the problem and holds each element to the bound.</summary>
    public static void Check(LinearProblem problem)
    {
        var inputs = new LinearInputs(problem);
        using var layer = inputs.Create();
        LinearBound.Check(inputs, layer, inputs.Run(layer));
    }
}
