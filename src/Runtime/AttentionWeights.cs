namespace AttentionGen;

/// <summary>
/// The four projections of an attention layer, for kernels with the attribute <see cref="MultiHeadAttentionAttribute"/>: queries, keys and values from the input, the output from the heads. It owns them.
/// </summary>
/// <typeparam name="T">The type in which weights are stored: <see cref="float"/>, <see cref="BFloat16"/> or <see cref="sbyte"/>.</typeparam>
/// <remarks>
/// The weights come in the forms that checkpoints have: separate (<see cref="AttentionWeights.Separate"/>), fused (<see cref="AttentionWeights.Fused"/>), or as layers that are there. <see cref="AttentionLinear{T}.CopyWeightsTo"/> of a part gives
/// them back.
/// </remarks>
public sealed class AttentionWeights<T> : IDisposable
    where T : unmanaged
{
    /// <summary>Takes four projections, which it owns from then on.</summary>
    /// <param name="query">From [queries, modelDim] to [queries, heads * headDim].</param>
    /// <param name="key">From [keys, contextDim] to [keys, keyValueHeads * headDim].</param>
    /// <param name="value">From [keys, contextDim] to [keys, keyValueHeads * valueDim].</param>
    /// <param name="output">From [queries, heads * valueDim] to [queries, outputDim].</param>
    /// <exception cref="ArgumentNullException">One of them is null.</exception>
    /// <exception cref="ArgumentException">Keys and values have inputs of different widths, or one has an activation.</exception>
    public AttentionWeights(AttentionLinear<T> query, AttentionLinear<T> key, AttentionLinear<T> value, AttentionLinear<T> output)
    {
        Check(query, nameof(query));
        Check(key, nameof(key));
        Check(value, nameof(value));
        Check(output, nameof(output));
        if (value.InputDim != key.InputDim) throw new ArgumentException($"{nameof(value)} has rows of {value.InputDim} elements, {nameof(key)} of {key.InputDim}: both come from the same rows.", nameof(value));
        (Query, Key, Value, Output) = (query, key, value, output);
    }

    /// <summary>The projection of the queries.</summary>
    public AttentionLinear<T> Query { get; }

    /// <summary>The projection of the keys.</summary>
    public AttentionLinear<T> Key { get; }

    /// <summary>The projection of the values.</summary>
    public AttentionLinear<T> Value { get; }

    /// <summary>The projection of the output.</summary>
    public AttentionLinear<T> Output { get; }

    /// <summary>The bytes of native memory.</summary>
    public long Bytes => Query.Bytes + Key.Bytes + Value.Bytes + Output.Bytes;

    /// <summary>Frees the memory of all four, now or when the last running call ends.</summary>
    public void Dispose()
    {
        Query.Dispose();
        Key.Dispose();
        Value.Dispose();
        Output.Dispose();
    }

    private static void Check(AttentionLinear<T> part, string name)
    {
        ArgumentNullException.ThrowIfNull(part, name);
        if (part.Activation != AttentionActivation.None) throw new ArgumentException($"{name} has the activation {part.Activation}: projections of attention have none.", name);
    }
}
