using System.Numerics.Tensors;

namespace AttentionGen.Kernels.Tests;

/// <summary>
/// Where the elements of a tensor lie in memory: tokens some elements apart, heads inside a token or tokens inside a head. The harness makes
/// its tensors dense and token-major; this brings them into the place that a kernel is declared for, and its output back.
/// </summary>
/// <param name="GivenStride">Elements from token to token; 0 for as many as there are.</param>
public sealed record Placement(AttentionLayout Layout, bool Batched, int Batch, int Tokens, int Heads, int Dim, int GivenStride)
{
    private bool HeadMajor => Layout == AttentionLayout.HeadMajor;

    private int Width => HeadMajor ? Dim : Heads * Dim;

    private nint TokenStride => GivenStride == 0 ? Width : GivenStride;

    private nint HeadStride => HeadMajor ? Tokens * TokenStride : Dim;

    private nint BatchStride => Tokens * TokenStride * (HeadMajor ? Heads : 1);

    /// <summary>The elements from the first to the last.</summary>
    public int Length => Batch * Tokens == 0 ? 0 : checked((int)((Batch - 1) * BatchStride + (Tokens - 1) * TokenStride + (Heads - 1) * HeadStride + Dim));

    public nint[] Lengths => Axes(Batch, Tokens, Heads);

    /// <summary>As tensors have them: 0 where there is no second index.</summary>
    public nint[] Strides => [.. Axes(BatchStride, TokenStride, HeadStride, dim: 1).Zip(Lengths, (stride, length) => length == 1 || Length == 0 ? 0 : stride)];

    public ReadOnlyTensorSpan<float> Tensor(ReadOnlySpan<float> placed) => new(placed, Lengths, Strides);

    public TensorSpan<float> Tensor(Span<float> placed) => new(placed, Lengths, Strides);

    private nint[] Axes(nint batch, nint token, nint head, nint? dim = null)
    {
        nint[] axes = HeadMajor ? [batch, head, token, dim ?? Dim] : [batch, token, head, dim ?? Dim];
        return Batched ? axes : axes[1..];
    }

    private nint Offset(int batch, int token, int head) => batch * BatchStride + token * TokenStride + head * HeadStride;

    /// <summary>Copies a dense token-major tensor to its place.</summary>
    public void Scatter(ReadOnlySpan<float> dense, Span<float> placed) => ForEachRow(dense.ToArray(), placed, toPlace: true);

    /// <summary>The tensor, dense and token-major again.</summary>
    public float[] Gather(Span<float> placed)
    {
        float[] dense = new float[Batch * Tokens * Heads * Dim];
        ForEachRow(dense, placed, toPlace: false);
        return dense;
    }

    /// <summary>What lies between the elements of the tensor.</summary>
    public float[] Gaps(Span<float> placed)
    {
        float[] copy = placed.ToArray();
        bool[] taken = new bool[copy.Length];
        for (int b = 0; b < Batch; b++)
            for (int t = 0; t < Tokens; t++)
                for (int h = 0; h < Heads; h++) taken.AsSpan((int)Offset(b, t, h), Dim).Fill(true);
        return [.. copy.Where((_, i) => !taken[i])];
    }

    private void ForEachRow(float[] dense, Span<float> placed, bool toPlace)
    {
        int row = 0;
        for (int b = 0; b < Batch; b++)
            for (int t = 0; t < Tokens; t++)
                for (int h = 0; h < Heads; h++, row++)
                {
                    Span<float> there = placed.Slice((int)Offset(b, t, h), Dim), here = dense.AsSpan(row * Dim, Dim);
                    if (toPlace) here.CopyTo(there);
                    else there.CopyTo(here);
                }
    }
}
