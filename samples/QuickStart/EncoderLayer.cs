namespace QuickStart;

/// <summary>One layer of the encoder: the recorded inputs through the generated kernels, and the recorded results beside it.</summary>
internal sealed class EncoderLayer(string name, int headDim, AttentionKernel attend, AttentionKernel weigh)
{
    public static IReadOnlyList<EncoderLayer> All { get; } =
    [
        new("layer0", Encoder.HeadDim0, Encoder.Layer0, Encoder.Layer0Weights),
        new("layer1", Encoder.HeadDim1, Encoder.Layer1, Encoder.Layer1Weights),
    ];

    public string Name => name;

    public int HeadDim => headDim;

    public AttentionKernel Attend => attend;

    public AttentionKernel Weigh => weigh;

    public EncoderResult Run(Sentence sentence)
    {
        var recorded = sentence.Layer(name, Encoder.Heads, headDim);

        float[] output = new float[recorded.Output.Length];
        attend(recorded.Query, recorded.Key, recorded.Value, output);

        float[] weights = new float[recorded.Weights.Length];
        weigh(recorded.Query, recorded.Key, Identity(), weights);
        var map = new AttentionMap(weights);

        return new EncoderResult(
            map, OutputError: Errors.Largest(output, recorded.Output), WeightsError: Errors.Largest(map.ByHead(), recorded.Weights));
    }

    /// <summary>The identity matrix for each head, [tokens, heads, tokens]: key j adds its weight to element j of the output.</summary>
    private static float[] Identity()
    {
        float[] identity = new float[Encoder.Tokens * Encoder.Heads * Encoder.Tokens];
        for (int token = 0; token < Encoder.Tokens; token++)
            for (int head = 0; head < Encoder.Heads; head++)
                identity[(token * Encoder.Heads + head) * Encoder.Tokens + token] = 1;
        return identity;
    }
}

/// <param name="Map">The weights as computed.</param>
/// <param name="OutputError">The largest absolute difference to the recorded output.</param>
/// <param name="WeightsError">The largest absolute difference to the recorded weights.</param>
internal sealed record EncoderResult(AttentionMap Map, float OutputError, float WeightsError)
{
    public bool Pass => Errors.Pass(OutputError) && Errors.Pass(WeightsError);
}

/// <summary>The attention weights of all heads of a layer, [query, head, key] as a kernel writes them.</summary>
internal sealed class AttentionMap(float[] weights)
{
    public ReadOnlySpan<float> Row(int head, int query) =>
        weights.AsSpan((query * Encoder.Heads + head) * Encoder.Tokens, Encoder.Tokens);

    /// <summary>[head, query, key].</summary>
    public float[] ByHead()
    {
        float[] byHead = new float[weights.Length];
        for (int head = 0; head < Encoder.Heads; head++)
            for (int query = 0; query < Encoder.Tokens; query++)
                Row(head, query).CopyTo(byHead.AsSpan((head * Encoder.Tokens + query) * Encoder.Tokens));
        return byHead;
    }
}
