using System.Collections.Concurrent;
using SentenceEncoder.Tokens;

namespace SentenceEncoder.Models;

/// <summary>
/// A model that turns texts into vectors of length 1, whose products say how close texts are in meaning. Any thread may call. The
/// vector of a text has the same bits whatever texts stand beside it and whatever the number of threads.
/// </summary>
public abstract partial class TextEmbedder : IDisposable
{
    /// <summary>The tokens after which a batch ends: more rows hardly make products faster, and what a layer writes should stay in a cache.</summary>
    private const int BatchTokens = 512;

    private readonly ITextTokenizer _tokenizer;
    private readonly ConcurrentBag<Buffers> _buffers = [];

    private protected TextEmbedder(ModelShape shape, ITextTokenizer tokenizer)
    {
        Shape = shape;
        _tokenizer = tokenizer;
    }

    /// <summary>The name of the model.</summary>
    public string Name => Shape.Name;

    /// <summary>The number of elements of a vector.</summary>
    public int Dimensions => Shape.Dimensions;

    /// <summary>The most tokens of a text. What comes behind them has no effect.</summary>
    public int MaxTokens => _tokenizer.MaxTokens;

    private protected ModelShape Shape { get; }

    /// <summary>The vector of a text.</summary>
    public float[] Embed(string text)
    {
        float[] embedding = new float[Dimensions];
        Embed([text], embedding);
        return embedding;
    }

    /// <summary>The vectors of texts, one after the other.</summary>
    /// <param name="texts">The texts.</param>
    /// <param name="embeddings">[texts, <see cref="Dimensions"/>].</param>
    /// <param name="maxThreads">The most threads; 0 means one for each processor.</param>
    /// <param name="cancellation">Ends the call between two batches.</param>
    /// <returns>How many tokens each text has, and whether it goes on behind them.</returns>
    /// <exception cref="ArgumentException">A text has no tokens, or there is no room for the vectors.</exception>
    public IReadOnlyList<TextLength> Embed(IReadOnlyList<string> texts, Memory<float> embeddings, int maxThreads = 0, CancellationToken cancellation = default)
    {
        ArgumentNullException.ThrowIfNull(texts);
        ArgumentOutOfRangeException.ThrowIfNegative(maxThreads);
        if (embeddings.Length != (long)texts.Count * Dimensions)
            throw new ArgumentException($"There are {texts.Count} texts of {Dimensions} elements, but room for {embeddings.Length}.", nameof(embeddings));
        for (int i = 0; i < texts.Count; i++)
            if (texts[i] is null) throw new ArgumentException($"Text {i} is null.", nameof(texts));
        int threads = maxThreads == 0 ? Environment.ProcessorCount : maxThreads;
        var parallel = new ParallelOptions { MaxDegreeOfParallelism = threads, CancellationToken = cancellation };

        int[][] tokens = new int[texts.Count][];
        var lengths = new TextLength[texts.Count];
        if (threads == 1 || texts.Count == 1)
            for (int i = 0; i < tokens.Length; i++) Encode(i);
        else Parallel.For(0, tokens.Length, parallel, Encode);

        if (Array.FindIndex(tokens, text => text.Length == 0) is >= 0 and int empty)
            throw new ArgumentException($"Text {empty} is empty: it has no tokens.", nameof(texts));

        // A thread for each batch scales better than several for one, whose steps they would have to wait for.
        var batches = BatchesOf(tokens);
        if (threads == 1 || batches.Count == 1)
        {
            foreach (var batch in batches)
            {
                cancellation.ThrowIfCancellationRequested();
                Run(batch, threads);
            }
        }
        else Parallel.ForEach(batches, parallel, batch => Run(batch, 1));
        return lengths;

        void Encode(int i)
        {
            tokens[i] = _tokenizer.Encode(texts[i], out bool cut);
            lengths[i] = new TextLength(tokens[i].Length, cut);
        }

        void Run(Range batch, int batchThreads)
        {
            var (first, count) = batch.GetOffsetAndLength(tokens.Length);
            Forward(TokenBatch.Of(tokens.AsSpan(first, count)), embeddings.Span.Slice(first * Dimensions, count * Dimensions), null, batchThreads);
        }
    }

    /// <summary>The attention weights of all layers and heads for a text.</summary>
    /// <exception cref="ArgumentException">The text has no tokens.</exception>
    public TextAttention Attend(string text)
    {
        ArgumentNullException.ThrowIfNull(text);
        int[] tokens = _tokenizer.Encode(text, out bool cut);
        if (tokens.Length == 0) throw new ArgumentException("The text is empty: it has no tokens.", nameof(text));
        var maps = new TextAttention(
            [.. tokens.Select(_tokenizer.PieceOf)], [.. Enumerable.Range(0, tokens.Length).Where(i => _tokenizer.IsSeparator(tokens[i]))], cut, Shape.Layers, Shape.Heads);
        Forward(TokenBatch.Of([tokens]), new float[Dimensions], maps, Environment.ProcessorCount);
        return maps;
    }

    public void Dispose()
    {
        Dispose(disposing: true);
        GC.SuppressFinalize(this);
    }

    protected abstract void Dispose(bool disposing);

    /// <summary>The model.</summary>
    /// <param name="batch">The texts.</param>
    /// <param name="embeddings">Their vectors.</param>
    /// <param name="maps">Receives the weights of the only text, where somebody asks for them.</param>
    /// <param name="buffers">Memory that no other call uses.</param>
    /// <param name="maxThreads">The most threads.</param>
    private protected abstract void Forward(TokenBatch batch, Span<float> embeddings, TextAttention? maps, Buffers buffers, int maxThreads);

    private void Forward(TokenBatch batch, Span<float> embeddings, TextAttention? maps, int maxThreads)
    {
        if (!_buffers.TryTake(out var buffers)) buffers = new Buffers();
        Forward(batch, embeddings, maps, buffers, maxThreads);
        _buffers.Add(buffers);
    }

    private static List<Range> BatchesOf(int[][] tokens)
    {
        var batches = new List<Range>();
        int first = 0, count = 0;
        for (int i = 0; i < tokens.Length; i++)
        {
            if (i > first && count + tokens[i].Length > BatchTokens)
            {
                batches.Add(first..i);
                (first, count) = (i, 0);
            }
            count += tokens[i].Length;
        }
        if (first < tokens.Length) batches.Add(first..tokens.Length);
        return batches;
    }
}

/// <param name="Tokens">The number of tokens that the model reads.</param>
/// <param name="Cut">Whether the text goes on behind them.</param>
public readonly record struct TextLength(int Tokens, bool Cut);

/// <param name="Name">The name of the model.</param>
/// <param name="Dimensions">The elements of a vector.</param>
/// <param name="Layers">The number of layers.</param>
/// <param name="Heads">The number of heads in each of them.</param>
internal sealed record ModelShape(string Name, int Dimensions, int Layers, int Heads);
