namespace SentenceEncoder.Models;

/// <summary>What the layers of a model write for one batch. It grows with the largest batch and is used again.</summary>
internal sealed class Buffers
{
    private float[] _input = [], _hidden = [], _wide = [];

    /// <summary>What enters a layer, and leaves it.</summary>
    public Span<float> Input(int length) => Take(ref _input, length);

    /// <summary>What is between the two halves of a layer.</summary>
    public Span<float> Hidden(int length) => Take(ref _hidden, length);

    /// <summary>The wide middle of the feed-forward half.</summary>
    public Span<float> Wide(int length) => Take(ref _wide, length);

    private static Span<float> Take(ref float[] buffer, int length)
    {
        if (buffer.Length < length) buffer = GC.AllocateUninitializedArray<float>(length);
        return buffer.AsSpan(0, length);
    }
}
