using System.Text;

namespace AttentionGen.Samples.Tests.Harness;

/// <summary>A model of the right form with random weights, and a tokenizer for it: small files, made anew, for tests that need no sense.</summary>
internal static class TinyModel
{
    public const int Dim = 64, Hidden = 24, Layers = 2, Heads = 8, KeyValueHeads = 4, Sequence = 64, HeaderBytes = 7 * sizeof(int);

    /// <summary>Behind the special tokens and those of the bytes.</summary>
    private static readonly string[] s_pieces =
        [" t", "he", " the", "ab", "abc", "bc", "é", " ", "a", "b", "c", "e", "h", "t", "n", "o", "d", "y"];

    public static int Vocabulary { get; } = 3 + 256 + s_pieces.Length;

    /// <summary>The bytes of the model file.</summary>
    /// <param name="ownClassifier">Whether the classifier, a copy of the embedding, stands at the end.</param>
    public static byte[] Model(bool ownClassifier = false)
    {
        using var stream = new MemoryStream();
        using var writer = new BinaryWriter(stream);
        foreach (int number in new[] { Dim, Hidden, Layers, Heads, KeyValueHeads, ownClassifier ? -Vocabulary : Vocabulary, Sequence }) writer.Write(number);

        const int KeyValueDim = Dim / Heads * KeyValueHeads;
        var random = new Random(1);
        float[] embedding = Random(Vocabulary * Dim, 0.5f);
        Write(embedding);
        Write(Ones(Layers * Dim));
        Write(Random(Layers * Dim * Dim, 0.2f));
        Write(Random(Layers * KeyValueDim * Dim, 0.2f));
        Write(Random(Layers * KeyValueDim * Dim, 0.2f));
        Write(Random(Layers * Dim * Dim, 0.2f));
        Write(Ones(Layers * Dim));
        Write(Random(Layers * Hidden * Dim, 0.2f));
        Write(Random(Layers * Dim * Hidden, 0.2f));
        Write(Random(Layers * Hidden * Dim, 0.2f));
        Write(Ones(Dim));
        Write(new float[2 * Sequence * (Dim / Heads / 2)]);
        if (ownClassifier) Write(embedding);
        writer.Flush();
        return stream.ToArray();

        float[] Random(int count, float scale) => [.. Enumerable.Range(0, count).Select(_ => scale * (2 * random.NextSingle() - 1))];

        static float[] Ones(int count) => [.. Enumerable.Repeat(1f, count)];

        void Write(float[] elements)
        {
            foreach (float element in elements) writer.Write(element);
        }
    }

    /// <summary>The bytes of the tokenizer file.</summary>
    public static byte[] Tokenizer()
    {
        string[] pieces = ["<unk>", "\n<s>\n", "\n</s>\n", .. Enumerable.Range(0, 256).Select(b => $"<0x{b:X2}>"), .. s_pieces];
        using var stream = new MemoryStream();
        using var writer = new BinaryWriter(stream);
        writer.Write(pieces.Max(piece => Encoding.UTF8.GetByteCount(piece)));
        for (int token = 0; token < pieces.Length; token++)
        {
            byte[] bytes = Encoding.UTF8.GetBytes(pieces[token]);
            writer.Write(-(float)Math.Max(0, token - 3 - 256));
            writer.Write(bytes.Length);
            writer.Write(bytes);
        }
        writer.Flush();
        return stream.ToArray();
    }
}
