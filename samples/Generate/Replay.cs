using AttentionGen;
using QuickStart;

namespace Generate;

/// <summary>
/// The run without a model: the queries, keys and values of a real sentence, token by token as a decoder meets them, beside one causal call
/// over all of them, each with a cache of its own.
/// </summary>
internal static partial class Replay
{
    private const int Tokens = 13;
    private const int Heads = 4;
    private const int HeadDim0 = 64;
    private const int HeadDim1 = 128;

    [Attention(Heads, HeadDim0, Mask = AttentionMask.Causal)]
    private static partial void Layer0(
        ReadOnlySpan<float> query, ReadOnlySpan<float> key, ReadOnlySpan<float> value, KeyValueCache<float> cache, Span<float> output);

    [Attention(Heads, HeadDim0, Mask = AttentionMask.Causal)]
    private static partial void Layer0(
        ReadOnlySpan<float> query, ReadOnlySpan<float> key, ReadOnlySpan<float> value, KeyValueCache<BFloat16> cache, Span<float> output);

    [Attention(Heads, HeadDim0, Mask = AttentionMask.Causal)]
    private static partial void Layer0(
        ReadOnlySpan<float> query, ReadOnlySpan<float> key, ReadOnlySpan<float> value, KeyValueCache<Half> cache, Span<float> output);

    [Attention(Heads, HeadDim0, Mask = AttentionMask.Causal)]
    private static partial void Layer0(
        ReadOnlySpan<float> query, ReadOnlySpan<float> key, ReadOnlySpan<float> value, KeyValueCache<sbyte> cache, Span<float> output);

    [Attention(Heads, HeadDim1, Mask = AttentionMask.Causal)]
    private static partial void Layer1(
        ReadOnlySpan<float> query, ReadOnlySpan<float> key, ReadOnlySpan<float> value, KeyValueCache<float> cache, Span<float> output);

    [Attention(Heads, HeadDim1, Mask = AttentionMask.Causal)]
    private static partial void Layer1(
        ReadOnlySpan<float> query, ReadOnlySpan<float> key, ReadOnlySpan<float> value, KeyValueCache<BFloat16> cache, Span<float> output);

    [Attention(Heads, HeadDim1, Mask = AttentionMask.Causal)]
    private static partial void Layer1(
        ReadOnlySpan<float> query, ReadOnlySpan<float> key, ReadOnlySpan<float> value, KeyValueCache<Half> cache, Span<float> output);

    [Attention(Heads, HeadDim1, Mask = AttentionMask.Causal)]
    private static partial void Layer1(
        ReadOnlySpan<float> query, ReadOnlySpan<float> key, ReadOnlySpan<float> value, KeyValueCache<sbyte> cache, Span<float> output);

    private delegate void StepKernel<T>(
        ReadOnlySpan<float> query, ReadOnlySpan<float> key, ReadOnlySpan<float> value, KeyValueCache<T> cache, Span<float> output)
        where T : unmanaged;

    /// <returns>Whether the two agree.</returns>
    public static bool Run(TextWriter output, CacheType type)
    {
        var file = Safetensors.Read(Path.Combine(AppContext.BaseDirectory, "data", "quickstart.safetensors"));
        output.WriteLine("There is no --model, so this replays the attention of a recorded sentence, causally and token by token:");
        output.WriteLine($"\"{file.Metadata("sentence")}\", {Tokens} tokens in two layers of Universal Sentence Encoder Lite.");
        bool same = type switch
        {
            CacheType.Bf16 => Layer<BFloat16>(file, "layer0", HeadDim0, Layer0, output) & Layer<BFloat16>(file, "layer1", HeadDim1, Layer1, output),
            CacheType.Half => Layer<Half>(file, "layer0", HeadDim0, Layer0, output) & Layer<Half>(file, "layer1", HeadDim1, Layer1, output),
            CacheType.Int8 => Layer<sbyte>(file, "layer0", HeadDim0, Layer0, output) & Layer<sbyte>(file, "layer1", HeadDim1, Layer1, output),
            _ => Layer<float>(file, "layer0", HeadDim0, Layer0, output) & Layer<float>(file, "layer1", HeadDim1, Layer1, output),
        };
        output.WriteLine("To generate text: --model stories260K.bin --tokenizer tok512.bin (see samples/Generate/README.md).");
        return same;
    }

    private static bool Layer<T>(Safetensors file, string name, int headDim, StepKernel<T> attend, TextWriter report)
        where T : unmanaged
    {
        float[] query = file.Floats($"{name}.q", Tokens, Heads, headDim);
        float[] key = file.Floats($"{name}.k", Tokens, Heads, headDim);
        float[] value = file.Floats($"{name}.v", Tokens, Heads, headDim);

        using KeyValueCache<T> ofCall = new(Heads, headDim), ofSteps = new(Heads, headDim);
        float[] atOnce = new float[query.Length], stepwise = new float[query.Length];
        attend(query, key, value, ofCall, atOnce);

        int width = Heads * headDim;
        for (int start = 0; start < query.Length; start += width)
            attend(query.AsSpan(start, width), key.AsSpan(start, width), value.AsSpan(start, width), ofSteps, stepwise.AsSpan(start, width));

        float difference = Errors.Largest(stepwise, atOnce);
        report.WriteLine($"{name}: {Heads} heads of {headDim} elements, {Tokens} steps; "
            + $"largest difference to one causal call {difference:0.0e+0}"
            + (Errors.Pass(difference) ? "" : $", OVER {Errors.Tolerance:0e+0}"));
        return Errors.Pass(difference);
    }
}
