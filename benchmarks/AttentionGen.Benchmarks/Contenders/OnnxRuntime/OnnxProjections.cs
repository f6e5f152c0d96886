using AttentionGen.Benchmarks.Shapes;

namespace AttentionGen.Benchmarks.Contenders.OnnxRuntime;

/// <summary>The operators that multiply rows with weights.</summary>
internal enum OnnxProjection
{
    /// <summary>Weights [inputs, outputs].</summary>
    MatMul,

    /// <summary>Weights [outputs, inputs]; rows without a batch.</summary>
    Gemm,
}

/// <summary>Products of rows with constant weights.</summary>
internal static class OnnxProjections
{
    /// <summary>Weights in the order that the operator wants.</summary>
    /// <param name="projection">The operator.</param>
    /// <param name="name">The name of the tensor.</param>
    /// <param name="weights">[outputs, inputs].</param>
    /// <param name="inputs">The elements of an input row.</param>
    public static OnnxTensor Constant(OnnxProjection projection, string name, ReadOnlySpan<float> weights, int inputs)
    {
        int outputs = weights.Length / inputs;
        var tensor = new Tensor(weights.Length);
        if (projection == OnnxProjection.Gemm)
        {
            weights.CopyTo(tensor.Span);
            return OnnxTensor.Of(name, tensor, [outputs, inputs]);
        }

        var turned = tensor.Span;
        for (int i = 0; i < outputs; i++)
            for (int j = 0; j < inputs; j++) turned[j * outputs + i] = weights[i * inputs + j];
        return OnnxTensor.Of(name, tensor, [inputs, outputs]);
    }

    public static OnnxNode Node(OnnxProjection projection, OnnxTensor input, OnnxTensor weights, OnnxTensor output) =>
        new("", 13, projection.ToString(), projection == OnnxProjection.Gemm ? new Dictionary<string, int> { ["transB"] = 1 } : new Dictionary<string, int>(), [input, weights], [output]);
}
