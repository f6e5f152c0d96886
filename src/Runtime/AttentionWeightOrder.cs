namespace AttentionGen;

/// <summary>The order of the elements of a weight matrix.</summary>
public enum AttentionWeightOrder
{
    /// <summary>[output, input]: the weights of an output element are contiguous. PyTorch (<c>nn.Linear</c>) and safetensors files of its models have it.</summary>
    OutputInput,

    /// <summary>[input, output]: the weights of an input element are contiguous. ONNX (<c>MatMul</c>), TensorFlow and GPT-2 (<c>Conv1D</c>) have it.</summary>
    InputOutput,
}
