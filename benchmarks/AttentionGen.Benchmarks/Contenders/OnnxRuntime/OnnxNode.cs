namespace AttentionGen.Benchmarks.Contenders.OnnxRuntime;

/// <summary>An operator with its tensors.</summary>
/// <param name="Domain">Of the operator; empty for ONNX's own.</param>
/// <param name="Version">Of the domain's operators.</param>
/// <param name="Operator">Its name.</param>
/// <param name="Attributes">Whole numbers.</param>
/// <param name="Inputs">In the operator's order; null for one that is left out.</param>
/// <param name="Outputs">In the operator's order.</param>
internal sealed record OnnxNode(
    string Domain, int Version, string Operator,
    IReadOnlyDictionary<string, int> Attributes, IReadOnlyList<OnnxTensor?> Inputs, IReadOnlyList<OnnxTensor> Outputs)
{
    /// <summary>Attributes that are no whole numbers.</summary>
    public IReadOnlyDictionary<string, float> FloatAttributes { get; init; } = new Dictionary<string, float>();

    /// <summary>Attributes that are words.</summary>
    public IReadOnlyDictionary<string, string> TextAttributes { get; init; } = new Dictionary<string, string>();
}
