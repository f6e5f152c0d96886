using System.Numerics.Tensors;

namespace AttentionGen.Benchmarks;

/// <summary>
/// Attention as one writes it by hand with <see cref="TensorPrimitives"/>, what generated kernels are compared with: only visible keys are
/// looked at, every inner loop is vectorised by the library, and nothing of a row leaves the cache.
/// </summary>
/// <remarks>
/// Token-major: query [queries, heads, headDim], key [keys, keyValueHeads, headDim], value [keys, keyValueHeads, valueDim],
/// output [queries, heads, valueDim].
/// </remarks>
internal sealed class TensorPrimitivesAttention
{
    private readonly int _heads;
    private readonly int _headDim;
    private readonly float _scale;

    public TensorPrimitivesAttention(int heads, int headDim)
    {
        _heads = KeyValueHeads = heads;
        _headDim = ValueDim = headDim;
        _scale = 1 / MathF.Sqrt(headDim);
    }

    /// <summary>Divides the number of heads; query head h reads head h / (heads / KeyValueHeads).</summary>
    public int KeyValueHeads { get; init; }

    public int ValueDim { get; init; }

    /// <summary>The last query sees the last key; a query before all keys sees nothing and gives 0.</summary>
    public bool Causal { get; init; }

    /// <summary>How many keys before its own position a query sees, -1 for all.</summary>
    public int WindowLeft { get; init; } = -1;

    /// <summary>A score s becomes SoftCap * tanh(s / SoftCap); 0 for none.</summary>
    public float SoftCap { get; init; }

    /// <summary>[heads or 1, queries, keys], added to the scores, -infinity for what is hidden; empty for none.</summary>
    public ReadOnlyMemory<float> Bias { get; init; }

    /// <summary>A score of each head without a key.</summary>
    public float[]? Sinks { get; init; }

    private int Queries(int queryLength) => queryLength / (_heads * _headDim);

    private int Keys(int keyLength) => keyLength / (KeyValueHeads * _headDim);

    /// <summary>On the calling thread, without an allocation.</summary>
    /// <param name="row">Working memory for the scores of one query: an element for each key.</param>
    /// <param name="logSumExp">[heads, queries], or empty.</param>
    public void Attend(
        ReadOnlySpan<float> query, ReadOnlySpan<float> key, ReadOnlySpan<float> value, Span<float> output, Span<float> row,
        Span<float> logSumExp = default)
    {
        for (int head = 0; head < _heads; head++) AttendHead(head, query, key, value, output, row, logSumExp);
    }

    /// <summary>A head at a time on each of several threads. Takes memory, as spans cannot go to other threads, and allocates.</summary>
    public void Attend(
        ReadOnlyMemory<float> query, ReadOnlyMemory<float> key, ReadOnlyMemory<float> value, Memory<float> output, int maxThreads,
        Memory<float> logSumExp = default) =>
        Parallel.For(
            0, _heads, new ParallelOptions { MaxDegreeOfParallelism = maxThreads },
            localInit: () => new float[Keys(key.Length)],
            body: (head, _, row) =>
            {
                AttendHead(head, query.Span, key.Span, value.Span, output.Span, row, logSumExp.Span);
                return row;
            },
            localFinally: static _ => { });

    // Heads outside, queries inside: the keys and values of one head stay in the cache while the queries pass over them.
    private void AttendHead(
        int head, ReadOnlySpan<float> query, ReadOnlySpan<float> key, ReadOnlySpan<float> value, Span<float> output, Span<float> row, Span<float> logSumExp)
    {
        int queries = Queries(query.Length), keys = Keys(key.Length);
        int keyValueHead = head / (_heads / KeyValueHeads);
        for (int i = 0; i < queries; i++)
        {
            int position = keys - queries + i, end = Causal ? Math.Clamp(position + 1, 0, keys) : keys;
            int first = WindowLeft < 0 ? 0 : Math.Clamp(position - WindowLeft, 0, end);
            var result = output.Slice((i * _heads + head) * ValueDim, ValueDim);
            result.Clear();
            if (first == end) continue;
            int biasRow = Bias.Length == queries * keys ? i : head * queries + i;
            float sum = AttendRow(
                query.Slice((i * _heads + head) * _headDim, _headDim),
                key[((first * KeyValueHeads + keyValueHead) * _headDim)..], value[((first * KeyValueHeads + keyValueHead) * ValueDim)..], result, row[..(end - first)],
                Bias.IsEmpty ? default : Bias.Span.Slice(biasRow * keys + first, end - first), Sinks is null ? float.NegativeInfinity : Sinks[head]);
            if (!logSumExp.IsEmpty) logSumExp[head * queries + i] = sum;
        }
    }

    // A method of its own, so that it is called often enough to be compiled with full optimisation soon.
    private float AttendRow(
        ReadOnlySpan<float> query, ReadOnlySpan<float> key, ReadOnlySpan<float> value, Span<float> output, Span<float> row,
        ReadOnlySpan<float> bias, float sink)
    {
        int keyStride = KeyValueHeads * _headDim, valueStride = KeyValueHeads * ValueDim;
        for (int j = 0; j < row.Length; j++)
            row[j] = _scale * TensorPrimitives.Dot(query, key.Slice(j * keyStride, _headDim));

        if (SoftCap > 0)
        {
            TensorPrimitives.Divide(row, SoftCap, row);
            TensorPrimitives.Tanh(row, row);
            TensorPrimitives.Multiply(row, SoftCap, row);
        }

        if (!bias.IsEmpty) TensorPrimitives.Add(row, bias, row);

        // Not TensorPrimitives.SoftMax: it does not subtract the maximum, so scores near 90 overflow; it is no faster either.
        float max = Math.Max(TensorPrimitives.Max(row), sink);
        TensorPrimitives.Subtract(row, max, row);
        TensorPrimitives.Exp(row, row);
        float sum = TensorPrimitives.Sum(row) + MathF.Exp(sink - max);

        for (int j = 0; j < row.Length; j++)
            TensorPrimitives.MultiplyAdd(value.Slice(j * valueStride, ValueDim), row[j], output, output);
        TensorPrimitives.Multiply(output, 1 / sum, output);
        return max + MathF.Log(sum);
    }
}
