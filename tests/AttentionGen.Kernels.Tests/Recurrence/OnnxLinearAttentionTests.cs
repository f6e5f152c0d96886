using System.Text.Json;
using Xunit;

namespace AttentionGen.Kernels.Tests;

/// <summary>The operator tests of ONNX for LinearAttention, all of which a kernel can express.</summary>
[Trait(IsaMatrixTests.Scalar, "yes")]
public class OnnxLinearAttentionTests
{
    private const double Tolerance = 1e-5, HalfTolerance = 2e-3;

    private static readonly Safetensors s_file = new(Path.Combine(AppContext.BaseDirectory, "data", "onnx-linear-attention.safetensors"));

    private static readonly JsonElement[] s_cases = [.. JsonDocument.Parse(s_file.Metadata("cases")).RootElement.EnumerateArray()];

    private static readonly LinearAttentionKernels s_kernels = new(s_cases.Select(Declaration));

    public static TheoryData<string> Cases => [.. s_cases.Select(NameOf)];

    [Theory, MemberData(nameof(Cases))]
    public void The_output_and_the_state_are_as_recorded(string name)
    {
        var recorded = s_cases.Single(recorded => NameOf(recorded) == name);
        var declaration = Declaration(recorded);
        float[] Tensor(string tensor) => Has(recorded, tensor) ? s_file.Floats($"{name}/{tensor}", s_file.Shape($"{name}/{tensor}")) : [];
        float[] expected = Tensor("output"), output = new float[expected.Length], present = Tensor("present_state"), state = new float[present.Length];
        Tensor("past_state").CopyTo(state, 0);
        int batch = s_file.Shape($"{name}/query")[0];
        s_kernels[declaration](Tensor("query"), Tensor("key"), Tensor("value"), Tensor("decay"), Tensor("beta"), state, [], output, batch, [], 1);
        double tolerance = declaration.Element == "Half" ? HalfTolerance : Tolerance;
        for (int i = 0; i < expected.Length; i++) Assert.True(Math.Abs(output[i] - expected[i]) <= tolerance, $"element {i} is {output[i]:g9} instead of {expected[i]:g9}");
        for (int i = 0; i < present.Length; i++) Assert.True(Math.Abs(state[i] - present[i]) <= tolerance, $"number {i} of the state is {state[i]:g9} instead of {present[i]:g9}");
    }

    [Fact]
    public void All_cases_are_run() => Assert.Equal(9, s_cases.Length);

    private static string NameOf(JsonElement recorded) => recorded.GetProperty("name").GetString()!;

    private static bool Has(JsonElement recorded, string tensor) =>
        recorded.GetProperty("inputs").EnumerateArray().Concat(recorded.GetProperty("outputs").EnumerateArray()).Any(given => given.GetString() == tensor);

    /// <summary>The declaration of a case. Its tensors are [batch, tokens, heads * dim].</summary>
    private static LinearAttentionDeclaration Declaration(JsonElement recorded)
    {
        string name = NameOf(recorded);
        var attributes = recorded.GetProperty("attributes");
        int Of(string attribute) => attributes.GetProperty(attribute).GetInt32();
        int Width(string tensor) => s_file.Shape($"{name}/{tensor}")[2];
        int heads = Of("q_num_heads"), keyValueHeads = Of("kv_num_heads"), headDim = Width("query") / heads;
        const AttentionAxes OfHeads = AttentionAxes.Batch | AttentionAxes.Key | AttentionAxes.Head;
        return new(heads, headDim)
        {
            KeyValueHeads = keyValueHeads, ValueDim = Width("value") / keyValueHeads, Batched = true, Element = s_file.Type($"{name}/query") == "F16" ? "Half" : "float",
            Rule = !attributes.TryGetProperty("update_rule", out var rule) ? LinearAttentionRule.GatedDelta : rule.GetString() switch
            {
                "linear" => LinearAttentionRule.Linear,
                "gated" => LinearAttentionRule.Gated,
                "delta" => LinearAttentionRule.Delta,
                "gated_delta" => LinearAttentionRule.GatedDelta,
                var other => throw new InvalidDataException($"{other} is no rule."),
            },
            Scale = attributes.TryGetProperty("scale", out var scale) && scale.GetSingle() != 0 ? scale.GetSingle() : null,
            DecayAxes = !Has(recorded, "decay") ? null : Width("decay") == keyValueHeads ? OfHeads : OfHeads | AttentionAxes.HeadDim,
            BetaAxes = !Has(recorded, "beta") ? null : Width("beta") == keyValueHeads ? OfHeads : AttentionAxes.Batch | AttentionAxes.Key,
        };
    }
}
