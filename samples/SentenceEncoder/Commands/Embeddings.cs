using System.Diagnostics;
using SentenceEncoder.Models;
using Spectre.Console;

namespace SentenceEncoder.Commands;

/// <summary>Sentences through a model, some at a time: memory does not grow with their number.</summary>
internal sealed class Embeddings(TextEmbedder model, Session session, int maxThreads)
{
    /// <summary>Enough for full batches on some processors, and few enough that results keep coming.</summary>
    private const int SentencesAtOnce = 256, CharactersAtOnce = 1 << 18;

    /// <param name="sentences">The sentences.</param>
    /// <param name="quiet">Whether results wait for the last sentence. Else, a bar of progress would stand between them on a terminal.</param>
    /// <param name="receive">Receives each sentence with its vector, in their order.</param>
    public void Run(Sentences sentences, bool quiet, EmbeddingReceiver receive)
    {
        if (sentences.Typed || !session.ErrorIsTerminal || session.OutputIsTerminal && !quiet)
        {
            Run(sentences, receive, _ => { });
            return;
        }
        var console = session.Progress();
        sentences.Say = console.WriteLine; // above the bar
        ConsoleCancelEventHandler showCursor = (_, _) => console.Cursor.Show(); // which the bar hides
        Console.CancelKeyPress += showCursor;
        try
        {
            console.Progress()
                .AutoClear(true)
                .Columns(new TaskDescriptionColumn(), new ProgressBarColumn(), new PercentageColumn(), new RemainingTimeColumn())
                .Start(context => Run(sentences, receive, Bar(context, sentences)));
        }
        finally
        {
            Console.CancelKeyPress -= showCursor;
        }
    }

    /// <summary>Shows how many sentences are done, and which share of the input that is.</summary>
    private Action<long> Bar(ProgressContext context, Sentences sentences)
    {
        ProgressTask? bar = null;
        var watch = Stopwatch.StartNew();
        return count =>
        {
            if (bar is null && watch.Elapsed < session.Patience) return;
            string description = $"{count} sentences";
            bar ??= context.AddTask(description, maxValue: 1);
            bar.Description = description;
            bar.IsIndeterminate = sentences.Share is null;
            bar.Value = sentences.Share ?? 0;
        };
    }

    private void Run(Sentences sentences, EmbeddingReceiver receive, Action<long> progress)
    {
        var chunk = new List<Sentence>();
        float[] vectors = [];
        long done = 0;
        bool more = true;
        while (more)
        {
            chunk.Clear();
            for (int characters = 0; chunk.Count < SentencesAtOnce && characters < CharactersAtOnce && (more = sentences.Next(out var sentence)); characters += sentence.Text.Length)
                chunk.Add(sentence);
            if (chunk.Count == 0) return;

            int length = chunk.Count * model.Dimensions;
            if (vectors.Length < length) vectors = new float[length];
            var lengths = model.Embed([.. chunk.Select(sentence => sentence.Text)], vectors.AsMemory(0, length), maxThreads);
            for (int i = 0; i < chunk.Count; i++)
            {
                if (lengths[i].Cut) sentences.ReportCut(chunk[i].Number, model);
                receive(chunk[i].Text, vectors.AsSpan(i * model.Dimensions, model.Dimensions), lengths[i]);
            }
            progress(done += chunk.Count);
        }
    }
}

/// <param name="text">The sentence.</param>
/// <param name="embedding">Its vector, for the time of the call.</param>
/// <param name="length">How much of it the model read.</param>
internal delegate void EmbeddingReceiver(string text, ReadOnlySpan<float> embedding, TextLength length);
