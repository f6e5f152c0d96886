using SentenceEncoder.Weights;

namespace SentenceEncoder.Models;

/// <summary>The weights of all-MiniLM-L6-v2, as its file has them.</summary>
internal sealed class MiniLmWeights
{
    public const int Width = MiniLmAttention.Heads * MiniLmAttention.HeadDim, Wide = 4 * Width, Layers = 6, Vocabulary = 30522, Positions = 512;

    private static readonly string[] s_parts = ["query", "key", "value"];

    private readonly OnnxWeights _file;

    /// <exception cref="InvalidDataException">The model has another shape.</exception>
    public MiniLmWeights(OnnxWeights file)
    {
        _file = file;
        Words = file.Floats("embeddings.word_embeddings.weight", Vocabulary, Width);
        PositionRows = file.Floats("embeddings.position_embeddings.weight", Positions, Width);
        Types = file.Floats("embeddings.token_type_embeddings.weight", 2, Width);
        EmbeddingNorm = NormOf("embeddings");
    }

    public float[] Words { get; }

    public float[] PositionRows { get; }

    public float[] Types { get; }

    public Norm EmbeddingNorm { get; }

    public Norm NormOf(string name) => new(_file.Floats($"{name}.LayerNorm.weight", Width), _file.Floats($"{name}.LayerNorm.bias", Width));

    public (float[] Matrix, float[] Bias) Dense(string name, int inputs, int outputs) =>
        (_file.MatrixBeside($"{name}.bias", inputs, outputs), _file.Floats($"{name}.bias", outputs));

    /// <summary>The projections to queries, keys and values side by side, [inputs, 3 x outputs].</summary>
    public (float[] Matrix, float[] Bias) QueriesKeysValues(string name)
    {
        var parts = s_parts.Select(part => Dense($"{name}.{part}", Width, Width)).ToArray();
        float[] matrix = new float[Width * 3 * Width];
        for (int part = 0; part < 3; part++)
            for (int row = 0; row < Width; row++)
                parts[part].Matrix.AsSpan(row * Width, Width).CopyTo(matrix.AsSpan((3 * row + part) * Width));
        return (matrix, [.. parts.SelectMany(part => part.Bias)]);
    }
}
