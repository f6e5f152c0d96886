using System.Numerics.Tensors;
using System.Text.Json;
using AttentionGen;
using SentenceEncoder.Tokens;
using SentenceEncoder.Weights;

namespace SentenceEncoder.Models;

/// <summary>Universal Sentence Encoder Lite: two layers, the mean of their last rows, a dense layer with tanh, length 1.</summary>
public sealed class UseLiteEncoder : TextEmbedder
{
    private const int MaxTokensOfText = 128, Vocabulary = 8002, InputWidth = UseLiteAttention.InputWidth, Width = UseLiteAttention.Width, Wide = 1536, Heads = UseLiteAttention.Heads;
    private const float Epsilon = 1e-6f, Floor = 1e-6f;

    private readonly float[] _pieces, _positions;
    private readonly UseLiteLayer[] _layers;
    private readonly AttentionLinear<float> _final;

    internal UseLiteEncoder(TensorList weights, ITextTokenizer tokenizer)
        : base(new ModelShape("universal-sentence-encoder-lite", Width, Layers: 2, Heads), tokenizer)
    {
        _pieces = weights.Floats("module/Embeddings_en", Vocabulary, InputWidth);
        TensorPrimitives.Multiply(_pieces, 2, _pieces); // the model doubles them
        _positions = PositionRows();
        _layers =
        [
            new UseLiteLayer(weights, 0, InputWidth, UseLiteAttention.HeadDim0, UseLiteAttention.Attend0, UseLiteAttention.Weigh0),
            new UseLiteLayer(weights, 1, Width, UseLiteAttention.HeadDim1, UseLiteAttention.Attend1, UseLiteAttention.Weigh1),
        ];
        const string Final = "module/Encoder_en/hidden_layers/tanh_layer_0/";
        _final = new AttentionLinear<float>(
            Width, Width, weights.Floats(Final + "weights", Width, Width), weights.Floats(Final + "bias", Width), AttentionWeightOrder.InputOutput);
    }

    /// <summary>The model with its published weights.</summary>
    /// <param name="folder">The folder of the package that has them; without it, the installed one.</param>
    /// <exception cref="WeightsException">The weights are missing or altered.</exception>
    public static UseLiteEncoder Load(string? folder = null)
    {
        var (tensors, vocabulary) = UseLitePackage.Read(folder);
        try
        {
            return new UseLiteEncoder(tensors, new UnigramPieces(vocabulary, MaxTokensOfText));
        }
        catch (Exception e) when (e is InvalidDataException or JsonException)
        {
            throw new WeightsException($"These are not the weights of Universal Sentence Encoder Lite. {e.Message}", e);
        }
    }

    protected override void Dispose(bool disposing)
    {
        if (!disposing) return;
        Array.ForEach(_layers, layer => layer.Dispose());
        _final.Dispose();
    }

    private protected override void Forward(TokenBatch batch, Span<float> embeddings, TextAttention? maps, Buffers buffers, int maxThreads)
    {
        int tokens = batch.Tokens.Length;
        var rows = buffers.Input(tokens * Width);
        var input = rows[..(tokens * InputWidth)];
        for (int text = 0; text < batch.Texts; text++)
        {
            int start = batch.Starts[text];
            for (int token = start; token < batch.Starts[text + 1]; token++)
            {
                var row = input.Slice(token * InputWidth, InputWidth);
                TensorPrimitives.Add(_pieces.AsSpan(batch.Tokens[token] * InputWidth, InputWidth), _positions.AsSpan((token - start) * InputWidth, InputWidth), row);
            }
        }

        _layers[0].Run(input, rows, batch.Starts, buffers, maps is null ? default : maps.Room(0), maxThreads);
        _layers[1].Run(rows, rows, batch.Starts, buffers, maps is null ? default : maps.Room(1), maxThreads);

        var means = buffers.Hidden(batch.Texts * Width);
        for (int text = 0; text < batch.Texts; text++)
            Pooling.Mean(rows[(batch.Starts[text] * Width)..(batch.Starts[text + 1] * Width)], means.Slice(text * Width, Width));
        _final.Apply(means, embeddings, maxThreads: maxThreads);
        TensorPrimitives.Tanh(embeddings, embeddings);
        for (int text = 0; text < batch.Texts; text++) Pooling.Normalize(embeddings.Slice(text * Width, Width), Floor);
    }

    /// <summary>Sines, then cosines, of position times rate: the rates fall from 1 to 1/10000.</summary>
    private static float[] PositionRows()
    {
        const int Rates = InputWidth / 2;
        float[] rows = new float[MaxTokensOfText * InputWidth];
        for (int position = 0; position < MaxTokensOfText; position++)
        {
            for (int i = 0; i < Rates; i++)
            {
                double angle = position * Math.Pow(10000, -i / (Rates - 1.0));
                rows[position * InputWidth + i] = (float)Math.Sin(angle);
                rows[position * InputWidth + Rates + i] = (float)Math.Cos(angle);
            }
        }
        return rows;
    }

    /// <summary>A layer that normalises what enters each half. The first one widens its rows, and has a dense layer on the way around the attention.</summary>
    private sealed class UseLiteLayer : IDisposable
    {
        private readonly int _inputWidth;
        private readonly SelfAttention _attention;
        private readonly AttentionLinear<float> _widen, _narrow;
        private readonly AttentionLinear<float>? _around;
        private readonly Norm _attentionNorm, _wideNorm;

        public UseLiteLayer(TensorList weights, int number, int inputWidth, int headDim, AttendPacked attend, AttendWithScores weigh)
        {
            const string Encode = "Encoder_en/KonaTransformer/Encode/", Applied = "module_apply_default/" + Encode, Parts = "/ConcatPartitions/concat";
            string layer = $"Layer_{number}/TransformerLayer/", attention = layer + "MultiheadAttention/", feedForward = layer + "FFN/";
            const string NormName = "layer_prepostprocess/layer_norm/layer_norm_";
            _inputWidth = inputWidth;

            _attentionNorm = NormOf(layer, inputWidth);
            var (matrix, bias) = Projection("qkv", inputWidth, 3 * Heads * headDim);
            var (outputMatrix, outputBias) = Projection("output", Heads * headDim, Width);
            _attention = new SelfAttention(
                AttentionWeights.Fused<float>(inputWidth, Heads, headDim, matrix, outputMatrix, bias, outputBias, AttentionWeightOrder.InputOutput, outputDim: Width), attend, weigh);
            if (inputWidth != Width)
                _around = Linear($"{Applied}{layer}dense/kernel{Parts}", $"{layer}dense", inputWidth, Width);
            _wideNorm = NormOf(feedForward, Width);
            _widen = Linear($"{Applied}TransformerStack/{feedForward}conv1/Tensordot/Reshape_1", $"{feedForward}conv1", Width, Wide, AttentionActivation.Relu);
            _narrow = Linear($"{Applied}TransformerStack/{feedForward}conv2/Tensordot/Reshape_1", $"{feedForward}conv2", Wide, Width);

            Norm NormOf(string half, int width) =>
                new(weights.Floats($"{Applied}{half}{NormName}scale{Parts}", width), weights.Floats($"{Applied}{half}{NormName}bias{Parts}", width));

            (float[] Matrix, float[] Bias) Projection(string name, int inputs, int outputs) =>
                (weights.Floats($"module/{Encode}{attention}{name}_transform_single/kernel/part_0", inputs, outputs), weights.Floats($"{Applied}{attention}{name}_transform_single/bias{Parts}", outputs));

            AttentionLinear<float> Linear(string matrix, string name, int inputs, int outputs, AttentionActivation activation = AttentionActivation.None) =>
                new(inputs, outputs, weights.Floats(matrix, inputs, outputs), weights.Floats($"{Applied}{name}/bias{Parts}", outputs), AttentionWeightOrder.InputOutput, activation);
        }

        /// <param name="input">[tokens, input width].</param>
        /// <param name="output">[tokens, width]; it may be the input where the widths are equal.</param>
        /// <param name="starts">Where texts begin.</param>
        /// <param name="buffers">Memory.</param>
        /// <param name="scores">Where the attention weights go.</param>
        /// <param name="maxThreads">The most threads.</param>
        public void Run(ReadOnlySpan<float> input, Span<float> output, ReadOnlySpan<int> starts, Buffers buffers, Span<float> scores, int maxThreads)
        {
            int tokens = starts[^1];
            var wide = buffers.Wide(tokens * Wide);
            var hidden = buffers.Hidden(tokens * Width);
            var normal = hidden[..(tokens * _inputWidth)];
            LayerNorm.Apply(input, _attentionNorm.Weight, _attentionNorm.Bias, Epsilon, normal, maxThreads: maxThreads);

            var around = input;
            if (_around is not null)
            {
                // The wide memory is free until the other half of the layer.
                _around.Apply(input, wide[..(tokens * Width)], maxThreads: maxThreads);
                around = wide[..(tokens * Width)];
            }
            _attention.Run(normal, around, output, starts, scores, maxThreads);

            LayerNorm.Apply(output, _wideNorm.Weight, _wideNorm.Bias, Epsilon, hidden, maxThreads: maxThreads);
            _widen.Apply(hidden, wide, maxThreads: maxThreads);
            _narrow.Apply(wide, output, residual: output, maxThreads);
        }

        public void Dispose()
        {
            _attention.Dispose();
            _around?.Dispose();
            _widen.Dispose();
            _narrow.Dispose();
        }
    }
}
