namespace AttentionGen;

/// <summary>Linear attention in double precision, token by token and without vectors: what generated kernels are compared with. All tensors are [tokens, heads, dim] of one sequence.</summary>
/// <param name="heads">Query heads.</param>
/// <param name="keyValueHeads">Key-value heads, a divisor of the query heads.</param>
/// <param name="headDim">Elements of a query or key head.</param>
/// <param name="valueDim">Elements of a value or output head.</param>
/// <exception cref="ArgumentOutOfRangeException">A number is less than 1, or the key-value heads do not divide the heads.</exception>
public sealed class LinearAttentionReference(int heads, int keyValueHeads, int headDim, int valueDim)
{
    /// <summary>The rule; None for every query with all keys.</summary>
    public LinearAttentionRule Rule { get; init; }

    /// <summary>The feature map of queries and keys.</summary>
    public LinearAttentionFeatureMap FeatureMap { get; init; }

    /// <summary>Whether outputs are divided by their sums of weights.</summary>
    public bool Normalize { get; init; }

    /// <summary>The factor of the outputs; null for 1 / sqrt(headDim), or none where outputs are normalised.</summary>
    public double? Scale { get; init; }

    /// <summary>The state [keyValueHeads, headDim, valueDim], before and after <see cref="Attend"/>.</summary>
    public double[] State { get; } = new double[Checked(heads, keyValueHeads, headDim, valueDim) * headDim * valueDim];

    /// <summary>The sums of the keys [keyValueHeads, headDim], before and after <see cref="Attend"/>.</summary>
    public double[] Normalizer { get; } = new double[keyValueHeads * headDim];

    /// <summary>Computes the outputs of some tokens and changes the state.</summary>
    /// <param name="query">[queries, heads, headDim].</param>
    /// <param name="key">[keys, keyValueHeads, headDim]; as many as queries where there is a rule.</param>
    /// <param name="value">[keys, keyValueHeads, valueDim].</param>
    /// <param name="decay">The logarithm of a factor for a token, a key-value head and an element; null for none.</param>
    /// <param name="beta">The rate of the correction for a token and a key-value head; null for 1.</param>
    /// <returns>[queries, heads, valueDim].</returns>
    public double[] Attend(ReadOnlySpan<float> query, ReadOnlySpan<float> key, ReadOnlySpan<float> value, Func<int, int, int, double>? decay = null, Func<int, int, double>? beta = null)
    {
        int queries = query.Length / (heads * headDim), keys = key.Length / (keyValueHeads * headDim);
        if (query.Length != queries * heads * headDim) throw new ArgumentException($"query has {query.Length} elements, which are no whole tokens of {heads} heads of {headDim}.", nameof(query));
        if (key.Length != keys * keyValueHeads * headDim) throw new ArgumentException($"key has {key.Length} elements, which are no whole tokens of {keyValueHeads} heads of {headDim}.", nameof(key));
        if (value.Length != keys * keyValueHeads * valueDim) throw new ArgumentException($"value has {value.Length} elements, {keys * keyValueHeads * valueDim} are needed for {keys} keys.", nameof(value));
        var output = new double[queries * heads * valueDim];
        if (Rule == LinearAttentionRule.None)
        {
            Array.Clear(State); // such a kernel keeps nothing
            Array.Clear(Normalizer);
            for (int t = 0; t < keys; t++) Update(t, key, value, null, null);
            for (int t = 0; t < queries; t++) Read(t, query, output);
            return output;
        }

        if (keys != queries) throw new ArgumentException($"There are {keys} keys and {queries} queries, as many are needed.", nameof(key));
        for (int t = 0; t < queries; t++)
        {
            Update(t, key, value, decay, beta);
            Read(t, query, output);
        }

        return output;
    }

    private static int Checked(int heads, int keyValueHeads, int headDim, int valueDim)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(heads, 1);
        ArgumentOutOfRangeException.ThrowIfLessThan(keyValueHeads, 1);
        ArgumentOutOfRangeException.ThrowIfLessThan(headDim, 1);
        ArgumentOutOfRangeException.ThrowIfLessThan(valueDim, 1);
        ArgumentOutOfRangeException.ThrowIfNotEqual(heads % keyValueHeads, 0, nameof(keyValueHeads));
        return keyValueHeads;
    }

    private void Update(int token, ReadOnlySpan<float> key, ReadOnlySpan<float> value, Func<int, int, int, double>? decay, Func<int, int, double>? beta)
    {
        bool decays = Rule is LinearAttentionRule.Gated or LinearAttentionRule.GatedDelta, corrects = Rule is LinearAttentionRule.Delta or LinearAttentionRule.GatedDelta;
        for (int head = 0; head < keyValueHeads; head++)
        {
            var k = Map(key.Slice((token * keyValueHeads + head) * headDim, headDim));
            var v = value.Slice((token * keyValueHeads + head) * valueDim, valueDim);
            var state = State.AsSpan(head * headDim * valueDim, headDim * valueDim);
            if (decays && decay is not null)
                for (int d = 0; d < headDim; d++)
                {
                    double factor = Math.Exp(decay(token, head, d));
                    Normalizer[head * headDim + d] *= factor;
                    for (int e = 0; e < valueDim; e++) state[d * valueDim + e] *= factor;
                }

            for (int d = 0; d < headDim; d++) Normalizer[head * headDim + d] += k[d];
            for (int e = 0; e < valueDim; e++)
            {
                double change = v[e];
                if (corrects)
                {
                    for (int d = 0; d < headDim; d++) change -= state[d * valueDim + e] * k[d];
                    change *= beta?.Invoke(token, head) ?? 1;
                }

                for (int d = 0; d < headDim; d++) state[d * valueDim + e] += k[d] * change;
            }
        }
    }

    private void Read(int token, ReadOnlySpan<float> query, double[] output)
    {
        for (int head = 0; head < heads; head++)
        {
            var q = Map(query.Slice((token * heads + head) * headDim, headDim));
            int own = head / (heads / keyValueHeads);
            double factor = Normalize ? 1 : Scale ?? 1 / Math.Sqrt(headDim), sum = 0;
            if (Normalize)
            {
                for (int d = 0; d < headDim; d++) sum += q[d] * Normalizer[own * headDim + d];
                factor = sum == 0 ? 0 : 1 / sum;
            }

            for (int e = 0; e < valueDim; e++)
            {
                double o = 0;
                for (int d = 0; d < headDim; d++) o += State[(own * headDim + d) * valueDim + e] * q[d];
                output[(token * heads + head) * valueDim + e] = o * factor;
            }
        }
    }

    private double[] Map(ReadOnlySpan<float> row)
    {
        var x = new double[row.Length];
        for (int i = 0; i < x.Length; i++) x[i] = row[i];
        switch (FeatureMap)
        {
            case LinearAttentionFeatureMap.EluPlusOne: return [.. x.Select(y => y > 0 ? y + 1 : Math.Exp(y))];
            case LinearAttentionFeatureMap.Relu: return [.. x.Select(y => Math.Max(y, 0))];
            case LinearAttentionFeatureMap.SoftmaxFeature:
                double most = x.Max(), sum = x.Sum(y => Math.Exp(y - most));
                return [.. x.Select(y => Math.Exp(y - most) / sum)];
            default: return x;
        }
    }
}
