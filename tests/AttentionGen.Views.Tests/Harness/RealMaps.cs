using System.Numerics.Tensors;

namespace AttentionGen.Views.Tests.Harness;

/// <summary>
/// Maps of 6 layers x 12 heads x 64 tokens from calls of a generated kernel, with all outputs that a page takes. Queries and keys are made up, one recipe for
/// each head, so that heads do what heads of models do: look at the token before, at the first one, at separators, nearby, at the same word, everywhere.
/// </summary>
internal static partial class RealMaps
{
    public const int Layers = 6, Heads = 12, HeadDim = 64;

    private const string Text =
        "[CLS] the old lighthouse keeper wrote a letter to the children of the village , because the lamp had stopped turning and the boats could not find the harbour . "
        + "[SEP] they answered that the children would bring oil and a mirror before the winter storms , and that the boats would wait outside the harbour until the lamp "
        + "was turning again . [SEP]";

    public static string[] Tokens { get; } = Text.Split(' ');

    [Attention(Heads, HeadDim)]
    private static partial void Attend(
        ReadOnlySpan<float> query, ReadOnlySpan<float> key, ReadOnlySpan<float> value, Span<float> output,
        Span<float> scores, Span<float> entropy, Span<float> maxScore, Span<float> logSumExp);

    /// <summary>The outputs of the kernel for a layer.</summary>
    public static (float[] Weights, float[] Entropy, float[] Largest) Layer(int layer)
    {
        int tokens = Tokens.Length;
        float[] query = new float[tokens * Heads * HeadDim], key = new float[query.Length], output = new float[query.Length];
        for (int head = 0; head < Heads; head++) Fill(query, key, layer, head);
        float[] weights = new float[Heads * tokens * tokens], entropy = new float[Heads * tokens], highest = new float[Heads * tokens], logSums = new float[Heads * tokens], largest = new float[Heads * tokens];
        Attend(query, key, key, output, weights, entropy, highest, logSums);
        AttentionMaps.LargestWeights(highest, logSums, largest);
        return (weights, entropy, largest);
    }

    public static AttentionMaps Make()
    {
        var maps = new AttentionMaps(Tokens, Layers, Heads) { Separators = [.. Enumerable.Range(0, Tokens.Length).Where(i => Tokens[i] == "[SEP]")] };
        for (int layer = 0; layer < Layers; layer++)
        {
            var (weights, entropy, largest) = Layer(layer);
            maps.SetLayer(layer, weights, entropy, largest);
        }

        return maps;
    }

    /// <summary>
    /// The first half of a head holds positions, as unit vectors whose product falls with the distance; the second half holds the word. A head turns positions
    /// by an offset, and weighs position, word and special tokens.
    /// </summary>
    private static void Fill(Span<float> query, Span<float> key, int layer, int head)
    {
        var random = new Random(1000 * layer + head);
        int recipe = (head + 5 * layer) % Heads;
        var (offset, position, word, first, separator) = recipe switch
        {
            0 => (-1, 60f, 0f, 0f, 0f),
            1 => (0, 0f, 4f, 7f, 0f),
            2 => (0, 6f, 0f, 0f, 8f),
            3 => (0, 16f, 2f, 0f, 0f),
            4 => (0, 0f, 1f, 0f, 0f),
            5 => (0, 0f, 30f, 0f, 0f),
            6 => (1, 30f, 4f, 0f, 0f),
            _ => (random.Next(-6, 7), 9f * random.NextSingle(), 9f * random.NextSingle(), 6f * random.NextSingle() - 2, 5f * random.NextSingle() - 2),
        };
        const int Half = HeadDim / 2;
        float scale = MathF.Sqrt(HeadDim);
        Span<float> own = stackalloc float[HeadDim];
        for (int i = 0; i < Tokens.Length; i++)
        {
            var at = query.Slice((i * Heads + head) * HeadDim, HeadDim);
            Positions(i + offset, at[..Half]);
            TensorPrimitives.Multiply(at[..Half], position * scale, at[..Half]);
            Word(Tokens[i], at[Half..]);
            TensorPrimitives.Multiply(at[Half..], word * scale, at[Half..]);
            at[^2] = first * scale;
            at[^1] = separator * scale;

            at = key.Slice((i * Heads + head) * HeadDim, HeadDim);
            Positions(i, at[..Half]);
            Word(Tokens[i], at[Half..]);
            at[^2] = i == 0 ? 1 : 0;
            at[^1] = Tokens[i] == "[SEP]" ? 1 : 0;
            for (int d = 0; d < HeadDim - 2; d++) at[d] += 0.012f * (random.NextSingle() - 0.5f);
        }
    }

    private static void Positions(int position, Span<float> to)
    {
        int pairs = to.Length / 2;
        for (int i = 0; i < pairs; i++)
        {
            var (sin, cos) = MathF.SinCos(position * MathF.Pow(60, -(float)i / pairs));
            (to[2 * i], to[2 * i + 1]) = (sin / MathF.Sqrt(pairs), cos / MathF.Sqrt(pairs));
        }
    }

    private static void Word(string word, Span<float> to)
    {
        int seed = 17;
        foreach (char c in word) seed = unchecked(seed * 31 + c);
        var random = new Random(seed);
        for (int i = 0; i < to.Length; i++) to[i] = random.NextSingle() - 0.5f;
        TensorPrimitives.Divide(to, TensorPrimitives.Norm(to), to);
    }
}
