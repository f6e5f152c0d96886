using AttentionGen.Generator.Model;

namespace AttentionGen.Generator.Validation;

/// <summary>The rules of layers, which project queries, keys and values themselves.</summary>
internal static partial class KernelRules
{
    public const int MaxModelDim = 1 << 20;

    private static IEnumerable<Violation> Layers(KernelSpec spec)
    {
        if (spec.Layer is not { } layer) yield break;
        if (layer.IsKernel) yield return new(Rules.TwoAttributes, Place.Attribute, spec.Method.Name, "Attention", "MultiHeadAttention");
        var attention = spec.Attention;
        var ranges = new (string Argument, int? Value, string WayOut)[]
        {
            ("modelDim", layer.ModelDim, ""),
            ("ContextDim", layer.GivenContextDim, "; remove it if it equals modelDim"),
            ("OutputDim", layer.GivenOutputDim, "; remove it if it equals modelDim"),
        };
        foreach (var (argument, given, wayOut) in ranges)
            if (given is { } value && value is < 1 or > MaxModelDim) yield return new(Rules.OutOfRange, Place.OfArgument(argument), argument, value, 1, MaxModelDim, wayOut);

        if (layer.GivenContextDim is { } width and >= 1 and <= MaxModelDim && !spec.Has(Role.Context)) yield return new(Rules.ContextDimWithoutContext, Place.OfArgument("ContextDim"), width);
        if (attention.Layout != Layout.TokenMajor && Enum.IsDefined(typeof(Layout), attention.Layout)) yield return new(Rules.LayerArgument, Place.OfArgument("Layout"), $"Layout = AttentionLayout.{attention.Layout}");
        var strides = new[] { ("QueryStride", attention.GivenQueryStride), ("KeyStride", attention.GivenKeyStride), ("ValueStride", attention.GivenValueStride), ("OutputStride", attention.GivenOutputStride) };
        foreach (var (argument, given) in strides)
            if (given is { } stride) yield return new(Rules.LayerArgument, Place.OfArgument(argument), $"{argument} = {stride}");
    }
}
