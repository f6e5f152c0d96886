namespace AttentionGen;

/// <summary>Makes the weights of attention layers from the forms that checkpoints have.</summary>
public static class AttentionWeights
{
    /// <summary>Packs four separate matrices.</summary>
    /// <typeparam name="T">The type in which weights are stored: <see cref="float"/>, <see cref="BFloat16"/> or <see cref="sbyte"/>.</typeparam>
    /// <param name="modelDim">The number of elements of an input row.</param>
    /// <param name="heads">The number of query heads.</param>
    /// <param name="headDim">The number of elements of a query or key head.</param>
    /// <param name="query">[heads * headDim, modelDim], or [modelDim, heads * headDim] with <see cref="AttentionWeightOrder.InputOutput"/>, as all of them.</param>
    /// <param name="key">[keyValueHeads * headDim, contextDim].</param>
    /// <param name="value">[keyValueHeads * valueDim, contextDim].</param>
    /// <param name="output">[outputDim, heads * valueDim].</param>
    /// <param name="queryBias">[heads * headDim], or nothing.</param>
    /// <param name="keyBias">[keyValueHeads * headDim], or nothing.</param>
    /// <param name="valueBias">[keyValueHeads * valueDim], or nothing.</param>
    /// <param name="outputBias">[outputDim], or nothing.</param>
    /// <param name="order">The order of the weights.</param>
    /// <param name="keyValueHeads">The number of key-value heads; 0 for <paramref name="heads"/>.</param>
    /// <param name="valueDim">The number of elements of a value head; 0 for <paramref name="headDim"/>.</param>
    /// <param name="contextDim">The number of elements of the rows that keys and values come from; 0 for <paramref name="modelDim"/>.</param>
    /// <param name="outputDim">The number of elements of an output row; 0 for <paramref name="modelDim"/>.</param>
    /// <exception cref="ArgumentException">A length does not fit.</exception>
    /// <exception cref="ArgumentOutOfRangeException">A number is not positive, or an enum has no such value.</exception>
    public static AttentionWeights<T> Separate<T>(
        int modelDim, int heads, int headDim, ReadOnlySpan<float> query, ReadOnlySpan<float> key, ReadOnlySpan<float> value, ReadOnlySpan<float> output,
        ReadOnlySpan<float> queryBias = default, ReadOnlySpan<float> keyBias = default, ReadOnlySpan<float> valueBias = default, ReadOnlySpan<float> outputBias = default,
        AttentionWeightOrder order = AttentionWeightOrder.OutputInput, int keyValueHeads = 0, int valueDim = 0, int contextDim = 0, int outputDim = 0)
        where T : unmanaged
    {
        var (keyHeads, ofValue) = Numbers(modelDim, heads, headDim, keyValueHeads, valueDim);
        ArgumentOutOfRangeException.ThrowIfNegative(contextDim);
        ArgumentOutOfRangeException.ThrowIfNegative(outputDim);
        if (contextDim == 0) contextDim = modelDim;
        if (outputDim == 0) outputDim = modelDim;
        CheckLength(nameof(query), query.Length, (long)heads * headDim, modelDim, "heads * headDim", "modelDim", order);
        CheckLength(nameof(key), key.Length, (long)keyHeads * headDim, contextDim, "keyValueHeads * headDim", "contextDim", order);
        CheckLength(nameof(value), value.Length, (long)keyHeads * ofValue, contextDim, "keyValueHeads * valueDim", "contextDim", order);
        CheckLength(nameof(output), output.Length, outputDim, (long)heads * ofValue, "outputDim", "heads * valueDim", order);
        CheckBias(nameof(queryBias), queryBias.Length, (long)heads * headDim, "heads * headDim");
        CheckBias(nameof(keyBias), keyBias.Length, (long)keyHeads * headDim, "keyValueHeads * headDim");
        CheckBias(nameof(valueBias), valueBias.Length, (long)keyHeads * ofValue, "keyValueHeads * valueDim");
        CheckBias(nameof(outputBias), outputBias.Length, outputDim, "outputDim");
        AttentionLinear<T>? ofQuery = null, ofKey = null, ofValues = null;
        try
        {
            ofQuery = new(modelDim, heads * headDim, query, queryBias, order);
            ofKey = new(contextDim, keyHeads * headDim, key, keyBias, order);
            ofValues = new(contextDim, keyHeads * ofValue, value, valueBias, order);
            return new(ofQuery, ofKey, ofValues, new(heads * ofValue, outputDim, output, outputBias, order));
        }
        catch
        {
            ofQuery?.Dispose();
            ofKey?.Dispose();
            ofValues?.Dispose();
            throw;
        }
    }

    /// <summary>Packs a matrix that gives queries, keys and values at once, and that of the output.</summary>
    /// <typeparam name="T">The type in which weights are stored: <see cref="float"/>, <see cref="BFloat16"/> or <see cref="sbyte"/>.</typeparam>
    /// <param name="modelDim">The number of elements of an input row.</param>
    /// <param name="heads">The number of query heads.</param>
    /// <param name="headDim">The number of elements of a query or key head.</param>
    /// <param name="queryKeyValue">
    /// [heads * headDim + keyValueHeads * (headDim + valueDim), modelDim], or the other way round with <see cref="AttentionWeightOrder.InputOutput"/>, as the other one.
    /// </param>
    /// <param name="output">[outputDim, heads * valueDim].</param>
    /// <param name="queryKeyValueBias">[heads * headDim + keyValueHeads * (headDim + valueDim)], or nothing.</param>
    /// <param name="outputBias">[outputDim], or nothing.</param>
    /// <param name="order">The order of the weights.</param>
    /// <param name="fusedOrder">The order of queries, keys and values.</param>
    /// <param name="keyValueHeads">The number of key-value heads; 0 for <paramref name="heads"/>.</param>
    /// <param name="valueDim">The number of elements of a value head; 0 for <paramref name="headDim"/>.</param>
    /// <param name="outputDim">The number of elements of an output row; 0 for <paramref name="modelDim"/>.</param>
    /// <inheritdoc cref="Separate" path="/exception"/>
    public static AttentionWeights<T> Fused<T>(
        int modelDim, int heads, int headDim, ReadOnlySpan<float> queryKeyValue, ReadOnlySpan<float> output,
        ReadOnlySpan<float> queryKeyValueBias = default, ReadOnlySpan<float> outputBias = default,
        AttentionWeightOrder order = AttentionWeightOrder.OutputInput, AttentionFusedOrder fusedOrder = AttentionFusedOrder.Blocks,
        int keyValueHeads = 0, int valueDim = 0, int outputDim = 0)
        where T : unmanaged
    {
        var (keyHeads, ofValue) = Numbers(modelDim, heads, headDim, keyValueHeads, valueDim);
        if (heads % keyHeads != 0) throw new ArgumentException($"{nameof(keyValueHeads)} is {keyHeads}, which does not divide {nameof(heads)} = {heads}.", nameof(keyValueHeads));
        if (fusedOrder is not (AttentionFusedOrder.Blocks or AttentionFusedOrder.Heads)) throw new ArgumentOutOfRangeException(nameof(fusedOrder), fusedOrder, $"{nameof(fusedOrder)} is {fusedOrder}, which is no {nameof(AttentionFusedOrder)}.");
        long allRows = (long)heads * headDim + (long)keyHeads * ((long)headDim + ofValue);
        const string Rows = "heads * headDim + keyValueHeads * (headDim + valueDim)";
        CheckLength(nameof(queryKeyValue), queryKeyValue.Length, allRows, modelDim, Rows, "modelDim", order);
        CheckBias(nameof(queryKeyValueBias), queryKeyValueBias.Length, allRows, Rows);
        int rows = (int)allRows;

        int group = fusedOrder == AttentionFusedOrder.Heads ? heads / keyHeads : heads, parts = heads / group, keysOfPart = keyHeads / parts;
        int[] widths = [group * headDim, keysOfPart * headDim, keysOfPart * ofValue]; // of queries, keys and values of a part
        var (query, queryBias) = Part(queryKeyValue, queryKeyValueBias, order, modelDim, rows, parts, widths, 0);
        var (key, keyBias) = Part(queryKeyValue, queryKeyValueBias, order, modelDim, rows, parts, widths, 1);
        var (value, valueBias) = Part(queryKeyValue, queryKeyValueBias, order, modelDim, rows, parts, widths, 2);
        return Separate<T>(modelDim, heads, headDim, query, key, value, output, queryBias, keyBias, valueBias, outputBias, order, keyHeads, ofValue, modelDim, outputDim);
    }

    /// <summary>The rows of the queries, the keys or the values of a fused matrix, in its order, and their biases.</summary>
    private static (float[] Weights, float[] Bias) Part(ReadOnlySpan<float> fused, ReadOnlySpan<float> fusedBias, AttentionWeightOrder order, int inputDim, int rows, int parts, int[] widths, int which)
    {
        int width = widths[which], all = widths.Sum(), first = widths.Take(which).Sum(), count = parts * width;
        var (weights, bias) = (new float[count * inputDim], fusedBias.IsEmpty ? [] : new float[count]);
        for (int part = 0; part < parts; part++)
        {
            int from = part * all + first, to = part * width;
            if (!fusedBias.IsEmpty) fusedBias.Slice(from, width).CopyTo(bias.AsSpan(to));
            if (order == AttentionWeightOrder.OutputInput) fused.Slice(from * inputDim, width * inputDim).CopyTo(weights.AsSpan(to * inputDim));
            else
                for (int d = 0; d < inputDim; d++) fused.Slice(d * rows + from, width).CopyTo(weights.AsSpan(d * count + to));
        }

        return (weights, bias);
    }

    private static (int KeyValueHeads, int ValueDim) Numbers(int modelDim, int heads, int headDim, int keyValueHeads, int valueDim)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(modelDim);
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(heads);
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(headDim);
        ArgumentOutOfRangeException.ThrowIfNegative(keyValueHeads);
        ArgumentOutOfRangeException.ThrowIfNegative(valueDim);
        return (keyValueHeads == 0 ? heads : keyValueHeads, valueDim == 0 ? headDim : valueDim);
    }

    private static void CheckLength(string name, int length, long outputs, long inputs, string outputText, string inputText, AttentionWeightOrder order)
    {
        if (length == outputs * inputs) return;
        string shape = order == AttentionWeightOrder.OutputInput ? $"[{outputText}, {inputText}] = [{outputs}, {inputs}]" : $"[{inputText}, {outputText}] = [{inputs}, {outputs}]";
        throw new ArgumentException($"{name} has {length} elements, but its shape {shape} needs {outputs * inputs}.", name);
    }

    private static void CheckBias(string name, int length, long needed, string text)
    {
        if (length != 0 && length != needed) throw new ArgumentException($"{name} has {length} elements, but its shape [{text}] needs {needed}, or it is empty.", name);
    }
}
