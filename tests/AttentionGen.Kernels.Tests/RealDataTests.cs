using Xunit;

namespace AttentionGen.Kernels.Tests;

/// <summary>Three real sentences of 3, 9 and 21 tokens in a padded batch, through the first layer of Universal Sentence Encoder Lite.</summary>
public class RealDataTests
{
    private const int Batch = 3, Tokens = 21, Heads = 4, Dim = 64;
    private const double Tolerance = 1e-5;

    private static readonly Declaration s_outputs = new(Heads, Dim) { Batched = true, Roles = Roles.KeyLengths | Roles.MaxThreads };
    private static readonly Declaration s_weights = s_outputs with { ValueDim = Tokens };

    internal static readonly Declaration[] Declarations = [s_outputs, s_weights];

    private readonly Safetensors _file = new(Path.Combine(AppContext.BaseDirectory, "data", "padded_batch.safetensors"));

    private int[] Lengths => _file.Ints("lengths", Batch);

    private float[] Tensor(string name) => _file.Floats($"layer0.{name}", Batch, Tokens, Heads, Dim);

    [Fact]
    [Trait(IsaMatrixTests.Scalar, "yes")]
    public void Attention_of_a_real_layer()
    {
        Assert.Equal([3, 9, 21], Lengths);
        AssertClose(Tensor("attention_output"), Run(s_outputs, Tensor("v")));
    }

    [Fact]
    public void Weights_of_a_real_layer()
    {
        // Values that are the unit vectors of the tokens: what comes out is the weights.
        float[] units = new float[Batch * Tokens * Heads * Tokens];
        for (int b = 0; b < Batch; b++)
            for (int j = 0; j < Tokens; j++)
                for (int h = 0; h < Heads; h++) units[((b * Tokens + j) * Heads + h) * Tokens + j] = 1;
        float[] output = Run(s_weights, units), weights = _file.Floats("layer0.attention_weights", Batch, Heads, Tokens, Tokens), expected = new float[output.Length];
        for (int b = 0; b < Batch; b++)
            for (int h = 0; h < Heads; h++)
                for (int i = 0; i < Tokens; i++)
                    weights.AsSpan(((b * Heads + h) * Tokens + i) * Tokens, Tokens).CopyTo(expected.AsSpan(((b * Tokens + i) * Heads + h) * Tokens));
        AssertClose(expected, output);
    }

    [Fact]
    public void The_reference_agrees_with_a_real_layer()
    {
        double[] output = new double[Batch * Tokens * Heads * Dim], weights = new double[Batch * Heads * Tokens * Tokens];
        s_outputs.Reference.Attend(Tensor("q"), Tensor("k"), Tensor("v"), output, Batch, keyLengths: Lengths, weights: weights);
        AssertClose(Tensor("attention_output"), [.. output.Select(x => (float)x)]);
        AssertClose(_file.Floats("layer0.attention_weights", Batch, Heads, Tokens, Tokens), [.. weights.Select(x => (float)x)]);
    }

    private float[] Run(Declaration declaration, float[] value)
    {
        float[] output = new float[Batch * Tokens * Heads * declaration.ValueDim];
        Catalogue.Kernels[declaration].Body(new KernelArguments
        {
            Query = Tensor("q"), Key = Tensor("k"), Value = value, Output = output, Batch = Batch, KeyLengths = Lengths, MaxThreads = 2,
        });
        return output;
    }

    private static void AssertClose(float[] expected, float[] actual)
    {
        Assert.Equal(expected.Length, actual.Length);
        Assert.Contains(expected, x => Math.Abs(x) > 0.1);
        for (int i = 0; i < expected.Length; i++) Assert.InRange(actual[i], expected[i] - Tolerance, expected[i] + Tolerance);
    }
}
