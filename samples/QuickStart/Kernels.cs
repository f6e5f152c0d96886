using AttentionGen;

namespace QuickStart;

/// <summary>
/// The attention of Universal Sentence Encoder Lite: two layers of four heads, every token sees every token.
/// query, key, value and output are [tokens, heads, headDim].
/// </summary>
internal static partial class Encoder
{
    public const int Heads = 4;
    public const int HeadDim0 = 64;
    public const int HeadDim1 = 128;

    /// <summary>The number of tokens of the recorded sentence; a compile-time number only for the kernels of weights.</summary>
    public const int Tokens = 13;

    [Attention(Heads, HeadDim0)]
    public static partial void Layer0(
        ReadOnlySpan<float> query, ReadOnlySpan<float> key, ReadOnlySpan<float> value, Span<float> output);

    [Attention(Heads, HeadDim1)]
    public static partial void Layer1(
        ReadOnlySpan<float> query, ReadOnlySpan<float> key, ReadOnlySpan<float> value, Span<float> output);

    // The same attention with values as wide as the sentence: with the identity matrix as values, the weights are the output.

    [Attention(Heads, HeadDim0, ValueDim = Tokens)]
    public static partial void Layer0Weights(
        ReadOnlySpan<float> query, ReadOnlySpan<float> key, ReadOnlySpan<float> value, Span<float> output);

    [Attention(Heads, HeadDim1, ValueDim = Tokens)]
    public static partial void Layer1Weights(
        ReadOnlySpan<float> query, ReadOnlySpan<float> key, ReadOnlySpan<float> value, Span<float> output);
}

/// <summary>The attention of a small language model (the shape of GPT-2), to time.</summary>
internal static partial class Decoder
{
    public const int Heads = 12;
    public const int HeadDim = 64;

    [Attention(Heads, HeadDim, Mask = AttentionMask.Causal)]
    public static partial void Attend(
        ReadOnlySpan<float> query, ReadOnlySpan<float> key, ReadOnlySpan<float> value, Span<float> output, int maxThreads);
}

/// <summary>What <see cref="Encoder"/>'s kernels have in common.</summary>
internal delegate void AttentionKernel(
    ReadOnlySpan<float> query, ReadOnlySpan<float> key, ReadOnlySpan<float> value, Span<float> output);
