using AttentionGen;
using SentenceEncoder.Weights;

namespace SentenceEncoder.Models;

/// <summary>The weights of all-MiniLM-L6-v2, as its file has them.</summary>
internal sealed class MiniLmWeights
{
    public const int Width = MiniLmAttention.Width, Wide = 4 * Width, Layers = 6, Vocabulary = 30522, Positions = 512;

    private static readonly string[] s_parts = ["self.query", "self.key", "self.value", "output.dense"];

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

    /// <summary>The four projections of an attention.</summary>
    public AttentionWeights<float> AttentionOf(string name)
    {
        var parts = s_parts.Select(part => Dense($"{name}.{part}", Width, Width)).ToArray();
        return AttentionWeights.Separate<float>(
            Width, MiniLmAttention.Heads, MiniLmAttention.HeadDim, parts[0].Matrix, parts[1].Matrix, parts[2].Matrix, parts[3].Matrix,
            parts[0].Bias, parts[1].Bias, parts[2].Bias, parts[3].Bias, AttentionWeightOrder.InputOutput);
    }
}
