using System.Diagnostics;
using System.Globalization;
using QuickStart;
using SentenceEncoder.Models;

namespace SentenceEncoder.Commands;

/// <summary>How fast the model is on the sentences of this run, beside what reading and writing take.</summary>
internal sealed class Speed(TextEmbedder model, int maxThreads)
{
    private const int MostSentences = 1024;

    private static readonly TimeSpan s_least = TimeSpan.FromSeconds(1);

    private readonly List<string> _texts = [];
    private long _tokens;

    /// <summary>Keeps the first sentences of the run.</summary>
    public void Watch(string text, ReadOnlySpan<float> embedding, TextLength length)
    {
        if (_texts.Count == MostSentences) return;
        _texts.Add(text);
        _tokens += length.Tokens;
    }

    public void Report(TextWriter error)
    {
        if (Build.IsDebug)
        {
            error.WriteLine("Not timed: this is a Debug build, in which a kernel is about ten times slower. Run it with -c Release.");
            return;
        }
        if (_texts.Count == 0) return;
        string tokens = (_tokens / (double)_texts.Count).ToString("0.0", CultureInfo.InvariantCulture);
        error.WriteLine($"{model.Name}, {_texts.Count} sentences of {tokens} tokens on average:");
        int most = maxThreads == 0 ? Environment.ProcessorCount : maxThreads;
        foreach (int threads in new[] { 1, 2, most }.Where(threads => threads <= most).Distinct())
            error.WriteLine($"  {(threads == 1 ? "one thread " : $"{threads} threads")}: {Measure(threads).ToString("0", CultureInfo.InvariantCulture)} sentences/s");
    }

    /// <summary>The sentences of a second, the median of runs after the first.</summary>
    private double Measure(int threads)
    {
        float[] vectors = new float[_texts.Count * model.Dimensions];
        model.Embed(_texts, vectors, threads);
        var seconds = new List<double>();
        for (var all = Stopwatch.StartNew(); all.Elapsed < s_least;)
        {
            long start = Stopwatch.GetTimestamp();
            model.Embed(_texts, vectors, threads);
            seconds.Add(Stopwatch.GetElapsedTime(start).TotalSeconds);
        }
        seconds.Sort();
        return _texts.Count / seconds[seconds.Count / 2];
    }
}
