namespace AttentionGen.Kernels.Tests;

/// <summary>Layers that are compiled together, and the kernels of their attentions alone.</summary>
internal sealed class LayerKernels(IEnumerable<LayerDeclaration> declarations)
{
    private readonly Lazy<Dictionary<LayerDeclaration, (Kernel Layer, Kernel Attention)>> _kernels = new(() => Load([.. declarations.Distinct()]));

    public (Kernel Layer, Kernel Attention) this[LayerDeclaration declaration] => _kernels.Value[declaration];

    private static Dictionary<LayerDeclaration, (Kernel Layer, Kernel Attention)> Load(LayerDeclaration[] layers)
    {
        Declaration[] attentions = [.. layers.Select(layer => layer.Attention).Distinct()];
        var type = KernelGroup.CompileSource($$"""
            using System;
            using AttentionGen;
            using AttentionGen.Kernels.Tests;

            public static partial class Kernels
            {
            {{string.Concat(attentions.Select(attention => attention.Source).Concat(layers.Select(layer => layer.Source)))}}
            }
            """).GetType("Kernels", throwOnError: true)!;
        foreach (var attention in attentions) Own.Add(attention, type);
        Kernel Of(Declaration attention, string name) =>
            new(attention, type.GetMethod($"Call_{name}")!.CreateDelegate<KernelBody>(), (Delegate)type.GetMethod($"Method_{name}")!.Invoke(null, null)!);
        return layers.ToDictionary(layer => layer, layer => (Of(layer.Attention, layer.ToString()), Of(layer.Attention, layer.Attention.ToString())));
    }
}
