namespace AttentionGen.Kernels.Tests;

/// <summary>A declaration of a layer, as a user would write it: that of its attention, and the projections around it.</summary>
internal sealed record LayerDeclaration(Declaration Attention, int ModelDim)
{
    /// <summary>The width of the context; 0 where keys and values come from the input.</summary>
    public int ContextDim { get; init; }

    public int OutputDim { get; init; } = ModelDim;

    public bool HasResidual { get; init; }

    /// <summary>The type in which weights are stored.</summary>
    public Storage Weights { get; init; }

    /// <summary>The width of the rows that give keys and values.</summary>
    public int KeyDim => ContextDim == 0 ? ModelDim : ContextDim;

    /// <summary>A name that is also that of the method.</summary>
    public override string ToString() =>
        $"layer{ModelDim}{(ContextDim == 0 ? "" : $"from{ContextDim}")}to{OutputDim}{(HasResidual ? "_residual" : "")}{(Weights == Storage.Wide ? "" : $"_{Weights}")}_{Attention}";

    /// <summary>The attribute, with the properties of the attention.</summary>
    public string Attribute
    {
        get
        {
            string attribute = Attention.Source.Split('\n')[0].Trim().Replace("[Attention(", $"[MultiHeadAttention(modelDim: {ModelDim}, ", StringComparison.Ordinal)[..^2];
            if (ContextDim != 0 && ContextDim != ModelDim) attribute += $", ContextDim = {ContextDim}";
            if (OutputDim != ModelDim) attribute += $", OutputDim = {OutputDim}";
            return attribute.Replace(Attention.ToString(), ToString(), StringComparison.Ordinal) + ")]";
        }
    }

    /// <summary>The source of the attention, with rows and weights in place of queries, keys and values.</summary>
    public string Source
    {
        get
        {
            const string Tensors = "ReadOnlySpan<float> query, Span<float> output, ReadOnlySpan<float> key, ReadOnlySpan<float> value", Given = "a.Query, a.Output, a.Key, a.Value";
            string weights = $"AttentionWeights<{Weights.TypeName()}>", source = Attention.Source[(Attention.Source.IndexOf('\n', StringComparison.Ordinal) + 1)..];
            if (!source.Contains(Tensors)) throw new NotSupportedException($"{Attention} is no attention of a layer.");
            string declared = $"ReadOnlySpan<float> input, {weights} weights, Span<float> output", given = $"a.Input, ({weights})a.Weights!, a.Output";
            if (ContextDim != 0) (declared, given) = (declared + ", ReadOnlySpan<float> context", given + ", a.Context");
            if (HasResidual) (declared, given) = (declared + ", ReadOnlySpan<float> residual", given + ", a.Residual");
            return $"    {Attribute}\n" + source.Replace(Tensors, declared, StringComparison.Ordinal).Replace(Given, given, StringComparison.Ordinal).Replace(Attention.ToString(), ToString(), StringComparison.Ordinal);
        }
    }
}
