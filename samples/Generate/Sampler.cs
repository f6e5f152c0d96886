using System.Numerics.Tensors;

namespace Generate;

/// <summary>Chooses the next token. The same seed chooses the same tokens, on every machine that computes the same logits.</summary>
internal sealed class Sampler(int vocabulary, float temperature, float topP, ulong seed)
{
    private readonly float[] _probabilities = new float[vocabulary];
    private readonly int[] _tokens = new int[vocabulary];
    private ulong _state = seed;

    /// <exception cref="InvalidDataException">The logits are not all finite.</exception>
    public int Next(ReadOnlySpan<float> logits)
    {
        if (!TensorPrimitives.IsFiniteAll(logits))
            throw new InvalidDataException("The model computes numbers that are not finite: its file is damaged.");
        return temperature == 0 ? TensorPrimitives.IndexOfMax(logits) : Draw(logits);
    }

    private int Draw(ReadOnlySpan<float> logits)
    {
        // The largest becomes 0 before the division, which a small temperature lets overflow: to -infinity, a probability of 0.
        TensorPrimitives.Subtract(logits, TensorPrimitives.Max(logits), _probabilities);
        TensorPrimitives.Divide(_probabilities, temperature, _probabilities);
        TensorPrimitives.SoftMax<float>(_probabilities, _probabilities);

        for (int i = 0; i < _tokens.Length; i++) _tokens[i] = i;
        int first = topP < 1 ? KeepLikeliest() : 0;

        // Both sums add the same numbers in the same order, so the draw ends before the candidates do, and at none of probability 0.
        double sum = 0, all = 0;
        for (int i = first; i < _probabilities.Length; i++) all += _probabilities[i];
        double drawn = all * NextUnit();
        for (int i = first; ; i++)
        {
            sum += _probabilities[i];
            if (drawn < sum) return _tokens[i];
        }
    }

    /// <summary>Sorts, and says where the likeliest tokens begin that together have the probability top-p.</summary>
    private int KeepLikeliest()
    {
        _probabilities.AsSpan().Sort(_tokens.AsSpan());
        int first = _probabilities.Length;
        for (double kept = 0; first > 0 && kept < topP;) kept += _probabilities[--first];
        return first;
    }

    /// <summary>At least 0 and below 1: SplitMix64, whose numbers do not change with the version of .NET.</summary>
    private double NextUnit()
    {
        ulong z = _state += 0x9E3779B97F4A7C15;
        z = (z ^ z >> 30) * 0xBF58476D1CE4E5B9;
        z = (z ^ z >> 27) * 0x94D049BB133111EB;
        return ((z ^ z >> 31) >> 40) * (1.0 / (1 << 24)); // 24 bits: a product with them stays below the sum
    }
}
