using System.Numerics.Tensors;
using AttentionGen;
using SentenceEncoder.Tokens;
using SentenceEncoder.Weights;

namespace SentenceEncoder.Models;

/// <summary>all-MiniLM-L6-v2: BERT with six layers, the mean of its last rows, length 1.</summary>
public sealed class MiniLmEncoder : TextEmbedder
{
    /// <summary>Where the authors of the model let texts end. The positions would go on to 512, but were not trained for sentences.</summary>
    private const int MaxTokensOfText = 256;

    private const float Epsilon = 1e-12f;

    private readonly float[] _words, _positions;
    private readonly Norm _embeddingNorm;
    private readonly MiniLmLayer[] _layers;

    internal MiniLmEncoder(MiniLmWeights weights, ITextTokenizer tokenizer)
        : base(new ModelShape("all-MiniLM-L6-v2", MiniLmWeights.Width, MiniLmWeights.Layers, MiniLmAttention.Heads), tokenizer)
    {
        _words = weights.Words;
        _embeddingNorm = weights.EmbeddingNorm;

        // All tokens have the first type: its row is added once.
        _positions = weights.PositionRows;
        for (int start = 0; start < _positions.Length; start += MiniLmWeights.Width)
        {
            var row = _positions.AsSpan(start, MiniLmWeights.Width);
            TensorPrimitives.Add(row, weights.Types.AsSpan(0, MiniLmWeights.Width), row);
        }
        _layers = [.. Enumerable.Range(0, MiniLmWeights.Layers).Select(i => new MiniLmLayer(weights, $"encoder.layer.{i}"))];
    }

    /// <summary>The model with its published weights.</summary>
    /// <param name="path">The assembly of the package that has them; without it, the restored one.</param>
    /// <exception cref="WeightsException">The weights are missing or altered.</exception>
    public static MiniLmEncoder Load(string? path = null)
    {
        var (model, vocabulary) = MiniLmPackage.Read(path);
        return Load(model, vocabulary);
    }

    /// <exception cref="WeightsException">They are not this model.</exception>
    internal static MiniLmEncoder Load(byte[] model, byte[] vocabulary)
    {
        try
        {
            return new MiniLmEncoder(new MiniLmWeights(new OnnxWeights(model)), new WordPieces(vocabulary, MaxTokensOfText));
        }
        catch (InvalidDataException e)
        {
            throw new WeightsException($"These are not the weights of all-MiniLM-L6-v2. {e.Message}", e);
        }
    }

    protected override void Dispose(bool disposing)
    {
        if (disposing) Array.ForEach(_layers, layer => layer.Dispose());
    }

    private protected override void Forward(TokenBatch batch, Span<float> embeddings, TextAttention? maps, Buffers buffers, int maxThreads)
    {
        const int Width = MiniLmWeights.Width;
        var rows = buffers.Input(batch.Tokens.Length * Width);
        for (int text = 0; text < batch.Texts; text++)
        {
            int start = batch.Starts[text];
            for (int token = start; token < batch.Starts[text + 1]; token++)
                TensorPrimitives.Add(_words.AsSpan(batch.Tokens[token] * Width, Width), _positions.AsSpan((token - start) * Width, Width), rows.Slice(token * Width, Width));
        }
        LayerNorm.Apply(rows, _embeddingNorm.Weight, _embeddingNorm.Bias, Epsilon, rows, maxThreads: maxThreads);

        for (int i = 0; i < _layers.Length; i++) _layers[i].Run(rows, batch.Starts, buffers, maps is null ? default : maps.Room(i), maxThreads);

        for (int text = 0; text < batch.Texts; text++)
        {
            var embedding = embeddings.Slice(text * Width, Width);
            Pooling.Mean(rows[(batch.Starts[text] * Width)..(batch.Starts[text + 1] * Width)], embedding);
            Pooling.Normalize(embedding, Epsilon);
        }
    }

    /// <summary>A layer of BERT: each half is normalised after its input was added.</summary>
    private sealed class MiniLmLayer : IDisposable
    {
        private const int Width = MiniLmWeights.Width, Wide = MiniLmWeights.Wide;

        private readonly SelfAttention _attention;
        private readonly AttentionLinear<float> _widen, _narrow;
        private readonly Norm _attentionNorm, _outputNorm;

        public MiniLmLayer(MiniLmWeights weights, string name)
        {
            _attention = new SelfAttention(weights.AttentionOf($"{name}.attention"), MiniLmAttention.Attend, MiniLmAttention.Weigh);
            _attentionNorm = weights.NormOf($"{name}.attention.output");
            _widen = Linear($"{name}.intermediate.dense", Width, Wide, AttentionActivation.Gelu);
            _narrow = Linear($"{name}.output.dense", Wide, Width);
            _outputNorm = weights.NormOf($"{name}.output");

            AttentionLinear<float> Linear(string name, int inputs, int outputs, AttentionActivation activation = AttentionActivation.None)
            {
                var (matrix, bias) = weights.Dense(name, inputs, outputs);
                return new AttentionLinear<float>(inputs, outputs, matrix, bias, AttentionWeightOrder.InputOutput, activation);
            }
        }

        /// <param name="rows">What enters the layer; it leaves in the same place.</param>
        /// <param name="starts">Where texts begin.</param>
        /// <param name="buffers">Memory.</param>
        /// <param name="scores">Where the attention weights go.</param>
        /// <param name="maxThreads">The most threads.</param>
        public void Run(Span<float> rows, ReadOnlySpan<int> starts, Buffers buffers, Span<float> scores, int maxThreads)
        {
            var hidden = buffers.Hidden(rows.Length);
            _attention.Run(rows, residual: rows, hidden, starts, scores, maxThreads);
            LayerNorm.Apply(hidden, _attentionNorm.Weight, _attentionNorm.Bias, Epsilon, hidden, maxThreads: maxThreads);

            var wide = buffers.Wide(rows.Length / Width * Wide);
            _widen.Apply(hidden, wide, maxThreads: maxThreads);
            _narrow.Apply(wide, rows, residual: hidden, maxThreads);
            LayerNorm.Apply(rows, _outputNorm.Weight, _outputNorm.Bias, Epsilon, rows, maxThreads: maxThreads);
        }

        public void Dispose()
        {
            _attention.Dispose();
            _widen.Dispose();
            _narrow.Dispose();
        }
    }
}
