using AttentionGen;

namespace SentenceEncoder.Models;

/// <summary>The attention kernel of a layer. Queries, keys and values are thirds of one buffer.</summary>
internal delegate void AttendPacked(
    ReadOnlySpan<float> query, ReadOnlySpan<float> key, ReadOnlySpan<float> value, ReadOnlySpan<int> documentStarts, Span<float> output, int maxThreads);

/// <summary>The same for one text, with the weights beside the output.</summary>
internal delegate void AttendWithWeights(
    ReadOnlySpan<float> query, ReadOnlySpan<float> key, ReadOnlySpan<float> value, Span<float> output, Span<float> scores, int maxThreads);

/// <summary>The attention half of a layer: the projection to queries, keys and values, and the kernels.</summary>
/// <param name="Project">To queries, keys and values, one after the other.</param>
/// <param name="Attend">The kernel for packed texts.</param>
/// <param name="Weigh">The kernel for one text, with its weights.</param>
internal sealed record SelfAttention(AttentionLinear<float> Project, AttendPacked Attend, AttendWithWeights Weigh) : IDisposable
{
    public int Width => Project.OutputDim / 3;

    public void Dispose() => Project.Dispose();

    /// <param name="input">[tokens, <c>Project.InputDim</c>].</param>
    /// <param name="starts">Where texts begin.</param>
    /// <param name="buffers">Memory.</param>
    /// <param name="weights">Where the weights of the only text go; empty where nobody asks for them.</param>
    /// <param name="maxThreads">The most threads.</param>
    /// <returns>[tokens, <see cref="Width"/>], in the memory.</returns>
    public ReadOnlySpan<float> Run(ReadOnlySpan<float> input, ReadOnlySpan<int> starts, Buffers buffers, Span<float> weights, int maxThreads)
    {
        int tokens = starts[^1];
        var projected = buffers.Projected(tokens * 3 * Width);
        var attended = buffers.Attended(tokens * Width);
        Project.Apply(input, projected, maxThreads: maxThreads);
        ReadOnlySpan<float> query = projected, key = projected[Width..], value = projected[(2 * Width)..];
        if (weights.IsEmpty) Attend(query, key, value, starts, attended, maxThreads);
        else Weigh(query, key, value, attended, weights, maxThreads);
        return attended;
    }
}

/// <summary>The weight and the bias of a layer norm.</summary>
internal sealed record Norm(float[] Weight, float[] Bias);
