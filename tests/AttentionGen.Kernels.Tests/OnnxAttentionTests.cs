using Xunit;

namespace AttentionGen.Kernels.Tests;

/// <summary>The operator tests of ONNX for Attention, all of which a kernel can express.</summary>
[Trait(IsaMatrixTests.Scalar, "yes")]
public class OnnxAttentionTests(ITestOutputHelper output)
{
    private const double Tolerance = 1e-5;

    /// <summary>Rounding to half precision, relative to the number; the recorded numbers are rounded once more, as their weights are.</summary>
    private const double HalfTolerance = 1.0 / 1024;

    private static readonly OnnxCase[] s_expressible = [.. OnnxCase.All.Where(onnx => onnx.Missing.Count == 0)];

    private static readonly KernelGroup s_kernels = new(s_expressible.Select(onnx => onnx.Problem.Declaration));

    public static TheoryData<string> Expressible => [.. s_expressible.Select(onnx => onnx.Name)];

    [Theory, MemberData(nameof(Expressible))]
    public void The_output_is_as_recorded(string name)
    {
        var onnx = s_expressible.Single(onnx => onnx.Name == name);
        var problem = onnx.Problem;
        float[] expected = onnx.Expected, actual = new float[problem.OutputLength];
        actual.AsSpan().Fill(float.NaN);
        float[] scores = new float[onnx.Scores?.Length ?? 0];
        scores.AsSpan().Fill(float.NaN);
        Storage storage = problem.Declaration.Storage;
        byte[] narrowOutput = onnx.IsHalf ? storage.Encode(actual) : [];
        byte[] Narrow(float[] tensor) => onnx.IsHalf ? storage.Encode(tensor) : [];
        float[] Whole(float[] tensor) => onnx.IsHalf ? [] : tensor;
        s_kernels[problem.Declaration].Body(new KernelArguments
        {
            Query = Whole(onnx.Query), Key = Whole(onnx.Key), Value = Whole(onnx.Value), Output = Whole(actual),
            NarrowQuery = Narrow(onnx.Query), NarrowKey = Narrow(onnx.Key), NarrowValue = Narrow(onnx.Value), NarrowOutput = narrowOutput,
            Batch = problem.Batch, QueryStarts = problem.QueryStarts, KeyLengths = problem.KeyLengths, MaxThreads = 1,
            Bias = onnx.Bias, Keep = onnx.Keep, Scores = scores,
        });
        storage.Decode(narrowOutput, actual);

        Same(expected, actual, "element");
        Same(onnx.Scores ?? [], scores, "score");
        if (onnx.Present is not var (key, value)) return;
        Assert.Equal(key, onnx.Key);
        Assert.Equal(value, onnx.Value);

        void Same(float[] expected, float[] actual, string what)
        {
            Assert.Equal(expected.Length, actual.Length);
            for (int i = 0; i < expected.Length; i++)
                Assert.True(actual[i].Equals(expected[i]) || Math.Abs(actual[i] - expected[i]) <= Tolerance + (onnx.IsHalf ? HalfTolerance * Math.Abs(expected[i]) : 0), $"{problem}: {what} {i} is {actual[i]:g9} instead of {expected[i]:g9}");
        }
    }

    [Fact]
    public void All_cases_are_run()
    {
        foreach (var onnx in OnnxCase.All) output.WriteLine($"{onnx.Name}: {(onnx.Missing.Count == 0 ? "run" : $"needs {string.Join(", ", onnx.Missing)}")}");
        Assert.Equal((58, 58), (OnnxCase.All.Count, s_expressible.Length));
        Assert.All(OnnxCase.All, onnx => Assert.Empty(onnx.Unknown));
        string[] required =
        [
            "3d_causal", "3d_diff_heads_sizes_causal", "3d_gqa_causal", "3d_scaled",
            "4d_causal", "4d_diff_heads_sizes_causal", "4d_gqa_causal", "4d_gqa_scaled",
            "local_window", "local_window_with_past", "4d_causal_with_past_and_present", "4d_causal_nonpad_batch_prefill", "4d_causal_nonpad_continued_prefill",
        ];
        Assert.Empty(required.Except(s_expressible.Select(onnx => onnx.Name)));
    }
}
