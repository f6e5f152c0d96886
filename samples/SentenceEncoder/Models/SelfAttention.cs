using AttentionGen;

namespace SentenceEncoder.Models;

/// <summary>The attention of a layer over packed texts, with the residual added to its output.</summary>
internal delegate void AttendPacked(
    ReadOnlySpan<float> input, AttentionWeights<float> weights, ReadOnlySpan<float> residual, ReadOnlySpan<int> documentStarts, Span<float> output, int maxThreads);

/// <summary>The same for one text, with the weights of its tokens beside the output.</summary>
internal delegate void AttendWithScores(
    ReadOnlySpan<float> input, AttentionWeights<float> weights, ReadOnlySpan<float> residual, Span<float> output, Span<float> scores, int maxThreads);

/// <summary>The attention half of a layer: its projections, and the kernels that know them.</summary>
/// <param name="Weights">The projections.</param>
/// <param name="Attend">The kernel for packed texts.</param>
/// <param name="Weigh">The kernel for one text, with the weights of its tokens.</param>
internal sealed record SelfAttention(AttentionWeights<float> Weights, AttendPacked Attend, AttendWithScores Weigh) : IDisposable
{
    public void Dispose() => Weights.Dispose();

    /// <param name="input">[tokens, width].</param>
    /// <param name="residual">[tokens, width of the output].</param>
    /// <param name="output">[tokens, width of the output].</param>
    /// <param name="starts">Where texts begin.</param>
    /// <param name="scores">Where the weights of the tokens of the only text go; empty where nobody asks for them.</param>
    /// <param name="maxThreads">The most threads.</param>
    public void Run(ReadOnlySpan<float> input, ReadOnlySpan<float> residual, Span<float> output, ReadOnlySpan<int> starts, Span<float> scores, int maxThreads)
    {
        if (scores.IsEmpty) Attend(input, Weights, residual, starts, output, maxThreads);
        else Weigh(input, Weights, residual, output, scores, maxThreads);
    }
}

/// <summary>The weight and the bias of a layer norm.</summary>
internal sealed record Norm(float[] Weight, float[] Bias);
