using AttentionGen;

namespace SentenceEncoder.Models;

/// <summary>The attention of all-MiniLM-L6-v2: twelve heads of 32, every token sees every token of its text.</summary>
internal static partial class MiniLmAttention
{
    public const int Heads = 12, HeadDim = 32, Width = Heads * HeadDim;

    [MultiHeadAttention(Width, Heads, HeadDim)]
    public static partial void Attend(
        ReadOnlySpan<float> input, AttentionWeights<float> weights, ReadOnlySpan<float> residual, ReadOnlySpan<int> documentStarts, Span<float> output, int maxThreads);

    [MultiHeadAttention(Width, Heads, HeadDim)]
    public static partial void Weigh(
        ReadOnlySpan<float> input, AttentionWeights<float> weights, ReadOnlySpan<float> residual, Span<float> output, Span<float> scores, int maxThreads);
}

/// <summary>The attention of Universal Sentence Encoder Lite: four heads, of 64 in the first layer, which doubles the width of its rows, and of 128 in the second.</summary>
internal static partial class UseLiteAttention
{
    public const int Heads = 4, HeadDim0 = 64, HeadDim1 = 128, InputWidth = Heads * HeadDim0, Width = Heads * HeadDim1;

    [MultiHeadAttention(InputWidth, Heads, HeadDim0, OutputDim = Width)]
    public static partial void Attend0(
        ReadOnlySpan<float> input, AttentionWeights<float> weights, ReadOnlySpan<float> residual, ReadOnlySpan<int> documentStarts, Span<float> output, int maxThreads);

    [MultiHeadAttention(Width, Heads, HeadDim1)]
    public static partial void Attend1(
        ReadOnlySpan<float> input, AttentionWeights<float> weights, ReadOnlySpan<float> residual, ReadOnlySpan<int> documentStarts, Span<float> output, int maxThreads);

    [MultiHeadAttention(InputWidth, Heads, HeadDim0, OutputDim = Width)]
    public static partial void Weigh0(
        ReadOnlySpan<float> input, AttentionWeights<float> weights, ReadOnlySpan<float> residual, Span<float> output, Span<float> scores, int maxThreads);

    [MultiHeadAttention(Width, Heads, HeadDim1)]
    public static partial void Weigh1(
        ReadOnlySpan<float> input, AttentionWeights<float> weights, ReadOnlySpan<float> residual, Span<float> output, Span<float> scores, int maxThreads);
}
