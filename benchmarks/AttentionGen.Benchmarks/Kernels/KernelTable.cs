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

    public static Kernel Of(Shape shape, AttentionLayout layout)
    {
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

/// <summary>A kernel with one; and how all of them are called here.</summary>
internal delegate void Batched(
    ReadOnlySpan<float> query, ReadOnlySpan<float> key, ReadOnlySpan<float> value, Span<float> output, int batch, int maxThreads);

/// <summary>A generated kernel.</summary>
/// <param name="Call">The kernel behind one signature.</param>
/// <param name="Info">What was planned for it and runs here.</param>
internal sealed record Kernel(Batched Call, AttentionKernelInfo Info)
{
    public static Kernel Of(Single method) =>
        new((query, key, value, output, _, maxThreads) => method(query, key, value, output, maxThreads), AttentionInfo.Describe(method));

    public static Kernel Of(Batched method) => new(method, AttentionInfo.Describe(method));
}
