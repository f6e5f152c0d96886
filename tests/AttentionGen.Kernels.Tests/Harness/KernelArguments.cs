using System.Numerics.Tensors;

namespace AttentionGen.Kernels.Tests;

/// <summary>All that a kernel may take. A kernel reads what its declaration has parameters for.</summary>
public readonly ref struct KernelArguments
{
    public ReadOnlySpan<float> Query { get; init; }

    public ReadOnlySpan<float> Key { get; init; }

    public ReadOnlySpan<float> Value { get; init; }

    public Span<float> Output { get; init; }

    /// <summary>For kernels whose tensors have elements of 16 bits; the tensors above are then empty.</summary>
    public ReadOnlySpan<byte> NarrowQuery { get; init; }

    public ReadOnlySpan<byte> NarrowKey { get; init; }

    public ReadOnlySpan<byte> NarrowValue { get; init; }

    public Span<byte> NarrowOutput { get; init; }

    /// <summary>For kernels that take tensor spans.</summary>
    public ReadOnlyTensorSpan<float> QueryTensor { get; init; }

    public ReadOnlyTensorSpan<float> KeyTensor { get; init; }

    public ReadOnlyTensorSpan<float> ValueTensor { get; init; }

    public TensorSpan<float> OutputTensor { get; init; }

    /// <summary>For kernels whose keys and values lie in a cache.</summary>
    public object? Cache { get; init; }

    public ReadOnlySpan<SequenceId> Sequences { get; init; }

    public int Batch { get; init; }

    public ReadOnlySpan<int> QueryStarts { get; init; }

    public int QueryStart => QueryStarts[0];

    public ReadOnlySpan<int> KeyLengths { get; init; }

    public ReadOnlySpan<int> PrefixLengths { get; init; }

    public ReadOnlySpan<int> DocumentStarts { get; init; }

    public ReadOnlySpan<int> KeyDocumentStarts { get; init; }

    public ReadOnlySpan<int> KeyBlockStarts { get; init; }

    public ReadOnlySpan<int> KeyBlocks { get; init; }

    public ReadOnlySpan<float> Bias { get; init; }

    public ReadOnlySpan<bool> Keep { get; init; }

    public ReadOnlySpan<float> Slopes { get; init; }

    public ReadOnlySpan<float> Sinks { get; init; }

    public Span<float> LogSumExp { get; init; }

    public ReadOnlySpan<float> RelativeBias { get; init; }

    public ReadOnlySpan<float> Scales { get; init; }

    /// <summary>For methods of the user's own.</summary>
    public ReadOnlySpan<float> Table { get; init; }

    public ReadOnlySpan<int> Segment { get; init; }
    public Span<float> Scores { get; init; }

    public Span<float> MaxScore { get; init; }

    public Span<float> Entropy { get; init; }

    public Span<int> ArgMax { get; init; }

    public ReadOnlySpan<float> QueryNormWeight { get; init; }

    public ReadOnlySpan<float> KeyNormWeight { get; init; }

    public RotaryTable Rotary { get; init; }

    public ReadOnlySpan<float> ScoreVector { get; init; }

    public ReadOnlySpan<float> QueryKeyWeight { get; init; }

    /// <summary>For layers: the rows that are projected, in place of query, key and value.</summary>
    public ReadOnlySpan<float> Input { get; init; }

    public ReadOnlySpan<float> Context { get; init; }

    public ReadOnlySpan<float> Residual { get; init; }

    public object? Weights { get; init; }

    public int MaxThreads { get; init; }

    public Span<byte> Scratch { get; init; }
}

/// <summary>The one signature behind which all kernels are called.</summary>
public delegate void KernelBody(in KernelArguments arguments);
