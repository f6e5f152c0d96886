using Xunit;

namespace AttentionGen.Kernels.Tests;

/// <summary>A kernel with a cache that normalises and rotates its keys, cached.</summary>
public delegate void PreparedStep(
    ReadOnlySpan<float> query, ReadOnlySpan<float> key, ReadOnlySpan<float> value, KeyValueCache<float> cache, RotaryTable rotary, ReadOnlySpan<float> queryNormWeight,
    ReadOnlySpan<float> keyNormWeight, Span<float> output);

/// <summary>The same over spans.</summary>
public delegate void PreparedSpans(
    ReadOnlySpan<float> query, ReadOnlySpan<float> key, ReadOnlySpan<float> value, RotaryTable rotary, ReadOnlySpan<float> queryNormWeight, ReadOnlySpan<float> keyNormWeight, Span<float> output);

/// <summary>What happens to keys before a cache stores them: the same as where a kernel meets them in spans.</summary>
public class CachePreparationTests
{
    private const int Heads = 4, KeyHeads = 2, Dim = 24, Tokens = 70;

    private static readonly (string Norm, string Rotary)[] s_kinds =
    [
        ("Rms", "Rotary = AttentionRotary.Halves"), ("L2", "Rotary = AttentionRotary.Interleaved"), ("Rms", "Rotary = AttentionRotary.Interleaved, RotaryDim = 10, RotaryStart = 6"),
        ("L2", "Rotary = AttentionRotary.Halves, RotaryDim = 8"),
    ];

    private static readonly Lazy<Type> s_kernels = new(() => KernelGroup.CompileSource($$"""
        using System;
        using AttentionGen;
        public static partial class Kernels
        {
        {{string.Concat(s_kinds.Select((kind, i) => Source(kind, i)))}}
        }
        """).GetType("Kernels", throwOnError: true)!);

    private static string Source((string Norm, string Rotary) kind, int index)
    {
        string attribute = $"[Attention({Heads}, {Dim}, KeyValueHeads = {KeyHeads}, Mask = AttentionMask.Causal, QueryKeyNorm = AttentionNorm.{kind.Norm}, NormEpsilon = 1e-5f, {kind.Rotary})]";
        const string Norms = "ReadOnlySpan<float> queryNormWeight, ReadOnlySpan<float> keyNormWeight", Tensors = "ReadOnlySpan<float> query, ReadOnlySpan<float> key, ReadOnlySpan<float> value";
        return $"""
                {attribute} public static partial void Cached{index}({Tensors}, KeyValueCache<float> cache, RotaryTable rotary, {Norms}, Span<float> output);
                {attribute} public static partial void Spans{index}({Tensors}, RotaryTable rotary, {Norms}, Span<float> output);

            """;
    }

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    public void Stored_keys_are_what_a_kernel_over_spans_makes_of_them(int kind)
    {
        var cached = s_kernels.Value.GetMethod($"Cached{kind}")!.CreateDelegate<PreparedStep>();
        var spans = s_kernels.Value.GetMethod($"Spans{kind}")!.CreateDelegate<PreparedSpans>();
        int rotaryDim = s_kinds[kind].Rotary.Contains("RotaryDim = 10", StringComparison.Ordinal) ? 10 : s_kinds[kind].Rotary.Contains("RotaryDim = 8", StringComparison.Ordinal) ? 8 : Dim;
        var rotary = new RotaryTable(rotaryDim, Tokens);
        var inputs = new Inputs(new Problem(new Declaration(Heads, Dim) { KeyValueHeads = KeyHeads, Mask = AttentionMask.Causal }, Tokens, Tokens));
        float[] queryWeight = [.. Enumerable.Range(0, Dim).Select(i => 1 + i / 50f)], keyWeight = [.. Enumerable.Range(0, Dim).Select(i => 1.3f - i / 40f)];
        float[] expected = new float[inputs.Problem.OutputLength], actual = new float[expected.Length];
        spans(inputs.Query, inputs.Key, inputs.Value, rotary, queryWeight, keyWeight, expected);

        using var cache = new KeyValueCache<float>(KeyHeads, Dim);
        for (int first = 0, count; first < Tokens; first += count)
        {
            count = first == 0 ? 40 : Math.Min(first % 7 + 1, Tokens - first);
            cached(Rows(inputs.Query, Heads), Rows(inputs.Key, KeyHeads), Rows(inputs.Value, KeyHeads), cache, rotary, queryWeight, keyWeight, actual.AsSpan(first * Heads * Dim, count * Heads * Dim));
            ReadOnlySpan<float> Rows(float[] tensor, int heads) => tensor.AsSpan(first * heads * Dim, count * heads * Dim);
        }

        for (int i = 0; i < expected.Length; i++) Assert.Equal(expected[i], actual[i], 3e-6f);

        // A position behind the table: nothing is appended.
        Assert.Throws<ArgumentException>(() => cached(inputs.Query.AsSpan(0, Heads * Dim), inputs.Key.AsSpan(0, KeyHeads * Dim), inputs.Value.AsSpan(0, KeyHeads * Dim), cache, rotary, queryWeight, keyWeight, new float[Heads * Dim]));
        Assert.Equal(Tokens, cache.Length);
    }
}
