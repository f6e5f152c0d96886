using System.Diagnostics;
using System.Numerics.Tensors;
using SentenceEncoder.Models;

namespace AttentionGen.SentenceBenchmarks;

/// <summary>The ways to turn a file into vectors, timed in turn, round after round, so that a machine that is busy now and then is so for all of them.</summary>
internal sealed class Race
{
    /// <summary>Vectors have the length 1.</summary>
    private const float Tolerance = 1e-5f;

    private readonly int _texts;
    private readonly Way[] _ways;

    public Race(MiniLmEncoder ours, OnnxEncoder onnx, IReadOnlyList<string> texts, int threads)
    {
        _texts = texts.Count;
        int length = _texts * ours.Dimensions;
        _ways =
        [
            new(length, vectors => ours.Embed(texts, vectors, threads), () => { }),
            new(length, vectors => onnx.Embed(texts, vectors, sorted: false), onnx.Rest),
            new(length, vectors => onnx.Embed(texts, vectors, sorted: true), onnx.Rest),
        ];
    }

    /// <summary>Texts a second.</summary>
    public double Ours => Speed(0);

    /// <inheritdoc cref="Ours"/>
    public double AsTheyCome => Speed(1);

    /// <inheritdoc cref="Ours"/>
    public double Sorted => Speed(2);

    /// <summary>The median over the rounds of our speed in times of the better way of ONNX Runtime, whose time is that of the same round.</summary>
    public double Ratio
    {
        get
        {
            int best = Sorted > AsTheyCome ? 2 : 1;
            return Median(_ways[0].Seconds.Zip(_ways[best].Seconds, (own, other) => other / own));
        }
    }

    /// <exception cref="InvalidOperationException">The ways give different vectors.</exception>
    public void Run(int rounds)
    {
        foreach (var way in _ways) way.Run();
        foreach (var way in _ways)
        {
            float distance = TensorPrimitives.Distance<float>(_ways[0].Vectors, way.Vectors) / MathF.Sqrt(_texts);
            if (!(distance <= Tolerance)) throw new InvalidOperationException($"The vectors differ by {distance}.");
            way.Seconds.Clear();
        }

        for (int round = 0; round < rounds; round++)
            for (int i = 0; i < _ways.Length; i++) _ways[(i + round) % _ways.Length].Run(); // another begins each round
    }

    private double Speed(int way) => _texts / Median(_ways[way].Seconds);

    private static double Median(IEnumerable<double> values)
    {
        double[] sorted = [.. values.Order()];
        return (sorted[(sorted.Length - 1) / 2] + sorted[sorted.Length / 2]) / 2;
    }

    private sealed class Way(int length, Action<Memory<float>> embed, Action rest)
    {
        public float[] Vectors { get; } = new float[length];

        public List<double> Seconds { get; } = [];

        public void Run()
        {
            long start = Stopwatch.GetTimestamp();
            embed(Vectors);
            Seconds.Add(Stopwatch.GetElapsedTime(start).TotalSeconds);
            rest();
        }
    }
}
