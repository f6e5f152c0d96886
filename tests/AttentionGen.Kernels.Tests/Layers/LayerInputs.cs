using Xunit;

namespace AttentionGen.Kernels.Tests;

/// <summary>The rows, weights and operands of a call of a layer, filled from a seed.</summary>
internal sealed class LayerInputs : IDisposable
{
    private readonly LayerKernels _kernels;
    private readonly int _seed;
    private int _runs;

    /// <param name="problem">The call of the attention. Without a context there are as many keys as queries.</param>
    public LayerInputs(LayerKernels kernels, LayerDeclaration layer, Problem problem, int seed = 1, bool biased = true)
    {
        (_kernels, Layer, Problem, _seed) = (kernels, layer, problem, seed);
        if (layer.ContextDim == 0) Assert.Equal(problem.Queries, problem.Keys);
        var random = new Random(1000 + seed);
        int queries = problem.Batch * problem.Queries, keys = problem.Batch * problem.Keys;
        Input = LayerMatrices.Normal(random, queries * layer.ModelDim);
        Context = layer.ContextDim == 0 ? [] : LayerMatrices.Normal(random, keys * layer.ContextDim);
        Residual = layer.HasResidual ? LayerMatrices.Normal(random, queries * layer.OutputDim) : [];
        Matrices = LayerMatrices.Random(layer, random, biased);
        Weights = LayerWeights.Of(layer, Matrices);
        Results = new Inputs(problem, seed);
    }

    public LayerDeclaration Layer { get; }

    public Problem Problem { get; }

    public float[] Input { get; }

    public float[] Context { get; }

    public float[] Residual { get; }

    public LayerMatrices Matrices { get; }

    public LayerWeights Weights { get; }

    /// <summary>The operands of the calls of the layer, and what the last of them gave beside its output.</summary>
    public Inputs Results { get; }

    public Kernel Kernel => _kernels[Layer].Layer;

    public int OutputLength => Problem.Batch * Problem.Queries * Layer.OutputDim;

    /// <summary>The rows that keys and values come from.</summary>
    public float[] KeyRows => Layer.ContextDim == 0 ? Input : Context;

    /// <summary>The output of the layer, from spans at either edge of protected pages and away from them.</summary>
    public float[] Run(int maxThreads = 1)
    {
        float[] output = new float[OutputLength];
        output.AsSpan().Fill(float.NaN);
        var kernel = Kernel;
        GuardedCall.RunEverywhere(kernel, Problem, Arguments(output) with { MaxThreads = maxThreads }, (ulong)((Problem.Queries << 8) + _runs++));
        return output;
    }

    /// <summary>The arguments of a call on these rows.</summary>
    public KernelArguments Arguments(Span<float> output) => Results.Arguments([], [], [], output) with { Input = Input, Context = Context, Residual = Residual, Weights = Weights.Weights };

    /// <summary>The same as three calls: projections, attention, which is held to its own bound, and projection.</summary>
    public float[] RunParts(out Inputs attention)
    {
        attention = Projected(Weights.Query(Input), Weights.Key(KeyRows), Weights.Value(KeyRows));
        float[] heads = attention.Run(_kernels[Layer].Attention);
        Bound.Check(attention, heads);
        return Weights.Output(heads, Residual);
    }

    /// <summary>Queries, keys and values beside the operands of the call.</summary>
    public Inputs Projected(float[] query, float[] key, float[] value)
    {
        var inputs = new Inputs(Problem, _seed);
        query.CopyTo(inputs.Query, 0);
        key.CopyTo(inputs.Key, 0);
        value.CopyTo(inputs.Value, 0);
        return inputs;
    }

    /// <summary>Runs the layer, which has the bits of its parts, and holds it to the error bound. What it gives beside its output is that of the attention.</summary>
    public void Check()
    {
        float[] output = Run(), parts = RunParts(out var attention);
        try
        {
            ThreadTests.AssertSameBits(parts, output);
            ThreadTests.AssertSameBits(attention.LogSumExp, Results.LogSumExp);
            ThreadTests.AssertSameBits(attention.Scores, Results.Scores);
            ThreadTests.AssertSameBits(attention.MaxScore, Results.MaxScore);
            ThreadTests.AssertSameBits(attention.Entropy, Results.Entropy);
            Assert.Equal(attention.ArgMax, Results.ArgMax);
        }
        catch (Exception e)
        {
            throw new InvalidOperationException($"{Layer}, {Problem}: the layer differs from its parts: {e.Message}", e);
        }

        if (attention.LogSumExp.Length > 0) Bound.CheckLogSumExp(attention);
        if (attention.Scores.Length > 0) Bound.CheckScores(attention);
        if (attention.ArgMax.Length > 0) Bound.CheckStatistics(attention);
        LayerBound.Check(this, output);
    }

    public void Dispose() => Weights.Dispose();
}
