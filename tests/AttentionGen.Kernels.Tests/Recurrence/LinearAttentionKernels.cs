namespace AttentionGen.Kernels.Tests;

/// <summary>The uniform signature of kernels of linear attention. What a kernel has no parameter for is ignored.</summary>
public delegate void LinearAttentionBody(
    ReadOnlySpan<float> query, ReadOnlySpan<float> key, ReadOnlySpan<float> value, ReadOnlySpan<float> decay, ReadOnlySpan<float> beta, Span<float> state, Span<float> normalizer, Span<float> output, int batch,
    ReadOnlySpan<int> documentStarts, int maxThreads);

/// <summary>A kernel of linear attention as a user declares it.</summary>
public sealed record LinearAttentionDeclaration(int Heads, int HeadDim)
{
    public int KeyValueHeads { get; init; } = Heads;

    public int ValueDim { get; init; } = HeadDim;

    public LinearAttentionRule Rule { get; init; }

    public LinearAttentionFeatureMap FeatureMap { get; init; }

    public bool Normalize { get; init; }

    public float? Scale { get; init; }

    public bool HasState { get; init; } = true;

    public bool Batched { get; init; }

    public bool Documents { get; init; }

    public AttentionLayout Layout { get; init; }

    public AttentionAxes? DecayAxes { get; init; }

    public AttentionAxes? BetaAxes { get; init; }

    /// <summary>The elements of the four tensors in C#.</summary>
    public string Element { get; init; } = "float";

    public bool Decays => Rule is LinearAttentionRule.Gated or LinearAttentionRule.GatedDelta;

    public bool Corrects => Rule is LinearAttentionRule.Delta or LinearAttentionRule.GatedDelta;

    public bool IsOrdered => Rule != LinearAttentionRule.None;

    public AttentionAxes AxesOf(AttentionAxes? given) => given ?? AttentionAxes.Key | AttentionAxes.Head | (Batched ? AttentionAxes.Batch : 0);

    public override string ToString() =>
        $"h{Heads}kv{KeyValueHeads}d{HeadDim}v{ValueDim}_{Rule}_{FeatureMap}{(Normalize ? "_normalized" : "")}{(HasState && IsOrdered ? "_state" : "")}{(Batched ? "_batched" : "")}{(Documents ? "_documents" : "")}_{Layout}"
        + $"_{Element}{(DecayAxes is { } decay ? $"_decay{(int)decay}" : "")}{(BetaAxes is { } beta ? $"_beta{(int)beta}" : "")}{(Scale is { } scale ? $"_scale{BitConverter.SingleToInt32Bits(scale):x}" : "")}";

    public string Source
    {
        get
        {
            string attribute = $"{Heads}, {HeadDim}, KeyValueHeads = {KeyValueHeads}, ValueDim = {ValueDim}, Rule = LinearAttentionRule.{Rule}, FeatureMap = LinearAttentionFeatureMap.{FeatureMap}, Layout = AttentionLayout.{Layout}";
            if (Normalize) attribute += ", Normalize = true";
            if (Batched) attribute += ", Batched = true";
            if (Scale is { } scale) attribute += FormattableString.Invariant($", Scale = {scale:r}f");
            if (DecayAxes is { } decay) attribute += $", DecayAxes = (AttentionAxes){(int)decay}";
            if (BetaAxes is { } beta) attribute += $", BetaAxes = (AttentionAxes){(int)beta}";
            List<(string Type, string Name)> parameters =
                [($"ReadOnlySpan<{Element}>", "query"), ($"ReadOnlySpan<{Element}>", "key"), ($"ReadOnlySpan<{Element}>", "value"), ($"Span<{Element}>", "output"), ("int", "maxThreads")];
            if (Decays) parameters.Add(("ReadOnlySpan<float>", "decay"));
            if (Corrects) parameters.Add(("ReadOnlySpan<float>", "beta"));
            if (HasState && IsOrdered) parameters.Add(("Span<float>", "state"));
            if (HasState && IsOrdered && Normalize) parameters.Add(("Span<float>", "normalizer"));
            if (Batched) parameters.Add(("int", "batch"));
            if (Documents) parameters.Add(("ReadOnlySpan<int>", "documentStarts"));
            string arguments = string.Join(", ", parameters.Select(parameter => Element == "float" ? parameter.Name : parameter.Name switch
            {
                "query" or "key" or "value" => $"LinearAttentionKernels.Narrow<{Element}>({parameter.Name})",
                "output" => "narrow",
                var name => name,
            }));
            return $$"""

                [LinearAttention({{attribute}})]
                private static partial void {{this}}({{string.Join(", ", parameters.Select(parameter => $"{parameter.Type} {parameter.Name}"))}});

                public static void Call_{{this}}(
                    ReadOnlySpan<float> query, ReadOnlySpan<float> key, ReadOnlySpan<float> value, ReadOnlySpan<float> decay, ReadOnlySpan<float> beta, Span<float> state, Span<float> normalizer, Span<float> output, int batch,
                    ReadOnlySpan<int> documentStarts, int maxThreads)
                {
                    {{(Element == "float" ? "" : $"var narrow = new {Element}[output.Length];")}}
                    {{this}}({{arguments}});
                    {{(Element == "float" ? "" : "for (int i = 0; i < narrow.Length; i++) output[i] = (float)narrow[i];")}}
                }

                """;
        }
    }
}

/// <summary>Kernels of linear attention that are compiled together.</summary>
public sealed class LinearAttentionKernels(IEnumerable<LinearAttentionDeclaration> declarations)
{
    private readonly Lazy<Dictionary<LinearAttentionDeclaration, LinearAttentionBody>> _kernels = new(() => Load([.. declarations.Distinct()]));

    public LinearAttentionBody this[LinearAttentionDeclaration declaration] => _kernels.Value[declaration];

    public static ReadOnlySpan<T> Narrow<T>(ReadOnlySpan<float> row)
        where T : struct
    {
        var narrow = new T[row.Length];
        for (int i = 0; i < row.Length; i++) narrow[i] = typeof(T) == typeof(Half) ? (T)(object)(Half)row[i] : (T)(object)(BFloat16)row[i];
        return narrow;
    }

    private static Dictionary<LinearAttentionDeclaration, LinearAttentionBody> Load(LinearAttentionDeclaration[] declarations)
    {
        var type = KernelGroup.CompileSource($$"""
            using System;
            using AttentionGen;
            using AttentionGen.Kernels.Tests;

            public static partial class Kernels
            {
            {{string.Concat(declarations.Select(declaration => declaration.Source))}}
            }
            """).GetType("Kernels", throwOnError: true)!;
        return declarations.ToDictionary(declaration => declaration, declaration => type.GetMethod($"Call_{declaration}")!.CreateDelegate<LinearAttentionBody>());
    }
}
