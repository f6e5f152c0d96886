using System.Numerics.Tensors;

namespace Generate;

/// <summary>The forward pass: tokens go in, the logits of the next one come out. Its buffers are allocated once.</summary>
internal sealed class LlamaModel
{
    private const float Epsilon = 1e-5f;

    private readonly LlamaWeights _weights;
    private readonly IAttentionCache _cache;
    private readonly float[] _x, _h, _query, _key, _value, _attention, _gate, _up, _sigmoid, _logits;

    /// <param name="weights">The model.</param>
    /// <param name="cache">Keys and values of the tokens before, none at first.</param>
    /// <param name="tokens">The most tokens of one call.</param>
    public LlamaModel(LlamaWeights weights, IAttentionCache cache, int tokens)
    {
        _weights = weights;
        _cache = cache;
        var shape = weights.Shape;
        _x = new float[tokens * shape.Dim];
        _h = new float[tokens * shape.Dim];
        _query = new float[tokens * shape.Dim];
        _key = new float[tokens * shape.KeyValueDim];
        _value = new float[tokens * shape.KeyValueDim];
        _attention = new float[tokens * shape.Dim];
        _gate = new float[tokens * shape.Hidden];
        _up = new float[tokens * shape.Hidden];
        _sigmoid = new float[tokens * shape.Hidden];
        _logits = new float[shape.Vocabulary];
    }

    /// <summary>The next tokens of the sequence: a prompt at once, or one.</summary>
    /// <returns>The logits after the last of them, until the next call.</returns>
    public ReadOnlySpan<float> Forward(params ReadOnlySpan<int> tokens)
    {
        int dim = _weights.Shape.Dim;
        var x = _x.AsSpan(0, tokens.Length * dim);
        for (int i = 0; i < tokens.Length; i++) _weights.Embedding.Row(tokens[i]).CopyTo(x[(i * dim)..]);

        for (int layer = 0; layer < _weights.Layers.Length; layer++)
        {
            Attend(layer, x);
            FeedForward(_weights.Layers[layer], x);
        }

        var last = _h.AsSpan(0, dim);
        Normalize(x[^dim..], _weights.FinalNorm, last);
        _weights.Classifier.Multiply(last, _logits);
        return _logits;
    }

    private void Attend(int layer, Span<float> x)
    {
        var weights = _weights.Layers[layer];
        int tokens = x.Length / _weights.Shape.Dim;
        Span<float> h = _h.AsSpan(0, x.Length), query = _query.AsSpan(0, x.Length), attention = _attention.AsSpan(0, x.Length);
        Span<float> key = _key.AsSpan(0, tokens * _weights.Shape.KeyValueDim), value = _value.AsSpan(0, key.Length);

        Normalize(x, weights.AttentionNorm, h);
        weights.Query.Multiply(h, query);
        weights.Key.Multiply(h, key);
        weights.Value.Multiply(h, value);
        _cache.Attend(layer, query, key, value, attention);
        weights.Output.Multiply(attention, h);
        TensorPrimitives.Add(x, h, x);
    }

    /// <summary>SwiGLU: x += down (silu(gate h) * up h).</summary>
    private void FeedForward(LlamaLayer weights, Span<float> x)
    {
        int elements = x.Length / _weights.Shape.Dim * _weights.Shape.Hidden;
        var h = _h.AsSpan(0, x.Length);
        Span<float> gate = _gate.AsSpan(0, elements), up = _up.AsSpan(0, elements), sigmoid = _sigmoid.AsSpan(0, elements);

        Normalize(x, weights.FeedForwardNorm, h);
        weights.Gate.Multiply(h, gate);
        weights.Up.Multiply(h, up);
        TensorPrimitives.Sigmoid(gate, sigmoid);
        TensorPrimitives.Multiply(gate, sigmoid, gate);
        TensorPrimitives.Multiply(gate, up, gate);
        weights.Down.Multiply(gate, h);
        TensorPrimitives.Add(x, h, x);
    }

    /// <summary>Each token divided by the root of its mean square, times the weights.</summary>
    private static void Normalize(ReadOnlySpan<float> x, Matrix weights, Span<float> normalized)
    {
        int dim = weights.Columns;
        for (int start = 0; start < x.Length; start += dim)
        {
            ReadOnlySpan<float> token = x.Slice(start, dim);
            var h = normalized.Slice(start, dim);
            TensorPrimitives.Multiply(token, 1 / MathF.Sqrt(TensorPrimitives.SumOfSquares(token) / dim + Epsilon), h);
            TensorPrimitives.Multiply(h, weights.Row(0), h);
        }
    }
}
