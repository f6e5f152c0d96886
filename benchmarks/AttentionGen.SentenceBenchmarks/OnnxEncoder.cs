using System.Numerics.Tensors;
using Microsoft.ML.OnnxRuntime;
using SentenceEncoder.Tokens;

namespace AttentionGen.SentenceBenchmarks;

/// <summary>The same model file in ONNX Runtime: batches of texts, each padded to its longest.</summary>
internal sealed class OnnxEncoder : IDisposable
{
    private const int BatchTexts = 32;

    private static readonly string[] s_inputs = ["input_ids", "attention_mask", "token_type_ids"], s_outputs = ["last_hidden_state"];

    // Its workers spin for about 60 ms after a run.
    private static readonly TimeSpan s_pause = TimeSpan.FromMilliseconds(80);

    private readonly ITextTokenizer _tokenizer;
    private readonly int _threads;
    private readonly InferenceSession _session;
    private readonly RunOptions _run = new();

    public OnnxEncoder(byte[] model, ITextTokenizer tokenizer, int threads)
    {
        (_tokenizer, _threads) = (tokenizer, threads);
        using var options = new SessionOptions { IntraOpNumThreads = threads, LogSeverityLevel = OrtLoggingLevel.ORT_LOGGING_LEVEL_ERROR };
        _session = new InferenceSession(model, options);
    }

    /// <param name="texts">The texts.</param>
    /// <param name="embeddings">[texts, dimensions].</param>
    /// <param name="sorted">Whether texts of about one length share a batch. Else they are taken as they come.</param>
    public void Embed(IReadOnlyList<string> texts, Memory<float> embeddings, bool sorted)
    {
        int[][] tokens = new int[texts.Count][];
        if (_threads == 1)
        {
            for (int i = 0; i < tokens.Length; i++) Encode(i);
        }
        else
        {
            Parallel.For(0, tokens.Length, new ParallelOptions { MaxDegreeOfParallelism = _threads }, Encode);
        }

        int[] order = [.. Enumerable.Range(0, texts.Count)];
        if (sorted) order = [.. order.OrderBy(i => tokens[i].Length)];
        for (int first = 0; first < order.Length; first += BatchTexts) Forward(tokens, order[first..Math.Min(first + BatchTexts, order.Length)], embeddings.Span, embeddings.Length / texts.Count);

        void Encode(int i) => tokens[i] = _tokenizer.Encode(texts[i], out _);
    }

    /// <summary>Returns when its workers rest.</summary>
    public void Rest()
    {
        if (_threads > 1) Thread.Sleep(s_pause);
    }

    public void Dispose()
    {
        _run.Dispose();
        _session.Dispose();
    }

    private void Forward(int[][] tokens, int[] batch, Span<float> embeddings, int width)
    {
        int longest = batch.Max(text => tokens[text].Length);
        long[] ids = new long[batch.Length * longest], mask = new long[ids.Length], types = new long[ids.Length];
        for (int row = 0; row < batch.Length; row++)
        {
            int[] own = tokens[batch[row]];
            for (int i = 0; i < own.Length; i++) (ids[row * longest + i], mask[row * longest + i]) = (own[i], 1);
        }

        OrtValue[] inputs = [.. new[] { ids, mask, types }.Select(values => OrtValue.CreateTensorValueFromMemory(values, [batch.Length, longest]))];
        try
        {
            using var results = _session.Run(_run, s_inputs, inputs, s_outputs);
            var rows = results[0].GetTensorDataAsSpan<float>();
            for (int row = 0; row < batch.Length; row++)
            {
                var embedding = embeddings.Slice(batch[row] * width, width);
                embedding.Clear();
                for (int i = 0; i < tokens[batch[row]].Length; i++) TensorPrimitives.Add(embedding, rows.Slice((row * longest + i) * width, width), embedding);
                TensorPrimitives.Divide(embedding, TensorPrimitives.Norm<float>(embedding), embedding);
            }
        }
        finally
        {
            foreach (var input in inputs) input.Dispose();
        }
    }
}
