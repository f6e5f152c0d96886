using AttentionGen.Benchmarks.Shapes;

namespace AttentionGen.Benchmarks.Kernels;

/// <summary>Which kernels compute a shape.</summary>
internal static class KernelTable
{
    private static readonly KernelPair s_h32On8D128Causal = new(TokenMajor.H32On8D128Causal, HeadMajor.H32On8D128Causal);
    private static readonly KernelPair s_h12D64Causal = new(TokenMajor.H12D64Causal, HeadMajor.H12D64Causal);

    private static readonly Dictionary<string, KernelPair> s_kernels = new()
    {
        ["P1"] = new(TokenMajor.H12D64, HeadMajor.H12D64),
        ["P2"] = s_h12D64Causal,
        ["P3"] = s_h32On8D128Causal,
        ["P3b"] = s_h32On8D128Causal,
        ["P4"] = new(TokenMajor.H8D128Causal, HeadMajor.H8D128Causal),
        ["P5"] = new(TokenMajor.H4D32, HeadMajor.H4D32),
        ["P6"] = new(TokenMajor.H16On8D64Window512, HeadMajor.H16On8D64Window512),
        ["G1-80"] = new(TokenMajor.H8D80Causal, HeadMajor.H8D80Causal),
        ["G1-96"] = new(TokenMajor.H8D96Causal, HeadMajor.H8D96Causal),
        ["S1"] = new(TokenMajor.H3D32BatchOf49, HeadMajor.H3D32BatchOf49),
        ["S2"] = new(TokenMajor.H12D64Batch, HeadMajor.H12D64Batch),
        ["S3"] = new(TokenMajor.H12D64Of197, HeadMajor.H12D64Of197),
        ["S4"] = s_h12D64Causal,
        ["D1"] = s_h32On8D128Causal,
        ["D2"] = s_h12D64Causal,
        ["D3"] = new(TokenMajor.H32D128Causal, HeadMajor.H32D128Causal),
        ["F"] = s_h32On8D128Causal,
    };

    /// <summary>The kernel of a shape; null where none is declared in that layout.</summary>
    public static Kernel? Of(Shape shape, AttentionLayout layout)
    {
        if (shape.Variant is not null) return layout == AttentionLayout.TokenMajor ? VariantTable.KernelOf(shape) : null;
        string family = shape.Id.StartsWith('F') ? "F" : shape.Id.Split(' ')[0];
        var pair = s_kernels[family];
        return layout == AttentionLayout.HeadMajor ? pair.HeadMajor : pair.TokenMajor;
    }

    private sealed record KernelPair(Kernel TokenMajor, Kernel HeadMajor)
    {
        public KernelPair(Single tokenMajor, Single headMajor) : this(Kernel.Of(tokenMajor), Kernel.Of(headMajor))
        {
        }

        public KernelPair(Batched tokenMajor, Batched headMajor) : this(Kernel.Of(tokenMajor), Kernel.Of(headMajor))
        {
        }
    }
}

/// <summary>A kernel without a batch.</summary>
internal delegate void Single(
    ReadOnlySpan<float> query, ReadOnlySpan<float> key, ReadOnlySpan<float> value, Span<float> output, int maxThreads);

/// <summary>A kernel with one.</summary>
internal delegate void Batched(
    ReadOnlySpan<float> query, ReadOnlySpan<float> key, ReadOnlySpan<float> value, Span<float> output, int batch, int maxThreads);

/// <summary>How all of them are called here.</summary>
internal delegate void KernelBody(in KernelCall call);

/// <summary>What a kernel may take.</summary>
internal readonly ref struct KernelCall
{
    /// <summary>The shape, and the tensors beside query, keys and values.</summary>
    public required Inputs Inputs { get; init; }

    public required ReadOnlySpan<float> Query { get; init; }

    public required ReadOnlySpan<float> Key { get; init; }

    public required ReadOnlySpan<float> Value { get; init; }

    public required Span<float> Output { get; init; }

    public required Span<float> LogSumExp { get; init; }

    public required int MaxThreads { get; init; }

    public ReadOnlySpan<float> Bias => Inputs.Bias.Span;

    public ReadOnlySpan<bool> Keep => Inputs.Keep;

    public ReadOnlySpan<float> Sinks => Inputs.Shape.Variant!.Sinks;
}

/// <summary>A generated kernel.</summary>
/// <param name="Call">The kernel behind one signature.</param>
/// <param name="Info">What was planned for it and runs here.</param>
internal sealed record Kernel(KernelBody Call, AttentionKernelInfo Info)
{
    public static Kernel Of(Single method) => Of(method, (in KernelCall call) => method(call.Query, call.Key, call.Value, call.Output, call.MaxThreads));

    public static Kernel Of(Batched method) =>
        Of(method, (in KernelCall call) => method(call.Query, call.Key, call.Value, call.Output, call.Inputs.Shape.Batch, call.MaxThreads));

    /// <param name="method">The kernel itself.</param>
    /// <param name="call">Gives it what it takes.</param>
    public static Kernel Of(Delegate method, KernelBody call) => new(call, AttentionInfo.Describe(method));
}
