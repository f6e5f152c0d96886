using AttentionGen;

namespace SentenceEncoder.Models;

/// <summary>The attention of all-MiniLM-L6-v2: twelve heads of 32, every token sees every token of its text.</summary>
internal static partial class MiniLmAttention
{
    public const int Heads = 12, HeadDim = 32;

    private const int Stride = 3 * Heads * HeadDim;

    [Attention(Heads, HeadDim, QueryStride = Stride, KeyStride = Stride, ValueStride = Stride)]
    public static partial void Attend(
        ReadOnlySpan<float> query, ReadOnlySpan<float> key, ReadOnlySpan<float> value, ReadOnlySpan<int> documentStarts, Span<float> output, int maxThreads);

    [Attention(Heads, HeadDim, QueryStride = Stride, KeyStride = Stride, ValueStride = Stride)]
    public static partial void Weigh(
        ReadOnlySpan<float> query, ReadOnlySpan<float> key, ReadOnlySpan<float> value, Span<float> output, Span<float> scores, int maxThreads);
}

/// <summary>The attention of Universal Sentence Encoder Lite: four heads, of 64 in the first layer and of 128 in the second.</summary>
internal static partial class UseLiteAttention
{
    public const int Heads = 4, HeadDim0 = 64, HeadDim1 = 128;

    private const int Stride0 = 3 * Heads * HeadDim0, Stride1 = 3 * Heads * HeadDim1;

    [Attention(Heads, HeadDim0, QueryStride = Stride0, KeyStride = Stride0, ValueStride = Stride0)]
    public static partial void Attend0(
        ReadOnlySpan<float> query, ReadOnlySpan<float> key, ReadOnlySpan<float> value, ReadOnlySpan<int> documentStarts, Span<float> output, int maxThreads);

    [Attention(Heads, HeadDim1, QueryStride = Stride1, KeyStride = Stride1, ValueStride = Stride1)]
    public static partial void Attend1(
        ReadOnlySpan<float> query, ReadOnlySpan<float> key, ReadOnlySpan<float> value, ReadOnlySpan<int> documentStarts, Span<float> output, int maxThreads);

    [Attention(Heads, HeadDim0, QueryStride = Stride0, KeyStride = Stride0, ValueStride = Stride0)]
    public static partial void Weigh0(
        ReadOnlySpan<float> query, ReadOnlySpan<float> key, ReadOnlySpan<float> value, Span<float> output, Span<float> scores, int maxThreads);

    [Attention(Heads, HeadDim1, QueryStride = Stride1, KeyStride = Stride1, ValueStride = Stride1)]
    public static partial void Weigh1(
        ReadOnlySpan<float> query, ReadOnlySpan<float> key, ReadOnlySpan<float> value, Span<float> output, Span<float> scores, int maxThreads);
}
