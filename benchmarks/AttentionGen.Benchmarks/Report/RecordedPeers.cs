using AttentionGen.Benchmarks.Compare;
using AttentionGen.Benchmarks.Machine;

namespace AttentionGen.Benchmarks.Report;

/// <summary>
/// The speeds of the peers in careful measurements. If a peer is much slower in a run, the peer was called badly or the machine was busy, and the
/// comparison means little.
/// </summary>
internal static class RecordedPeers
{
    private const double Tolerance = 0.9;

    // Percent of the peak; for one query, GB/s over keys and values. The best of a peer's ways.
    private static readonly Record[] s_records =
    [
        new(CpuDesigns.Zen4, "P1", 1, "OnnxRuntime", 75), new(CpuDesigns.Zen4, "P1", 1, "Ggml", 56), new(CpuDesigns.Zen4, "P1", 1, "TensorPrimitives", 10),
        new(CpuDesigns.Zen4, "P2", 1, "OnnxRuntime", 42), new(CpuDesigns.Zen4, "P2", 1, "Ggml", 41), new(CpuDesigns.Zen4, "P2", 1, "TensorPrimitives", 11),
        new(CpuDesigns.Zen4, "P3", 1, "OnnxRuntime", 59), new(CpuDesigns.Zen4, "P3", 1, "Ggml", 47), new(CpuDesigns.Zen4, "P3", 1, "TensorPrimitives", 15),
        new(CpuDesigns.Zen4, "P3b", 1, "OnnxRuntime", 62), new(CpuDesigns.Zen4, "P3b", 1, "Ggml", 38),
        new(CpuDesigns.Zen4, "P4", 1, "OnnxRuntime", 71), new(CpuDesigns.Zen4, "P4", 1, "Ggml", 40),
        new(CpuDesigns.Zen4, "P5", 1, "OnnxRuntime", 76), new(CpuDesigns.Zen4, "P5", 1, "Ggml", 44),
        new(CpuDesigns.Zen4, "D1 cold", 1, "Ggml", 9.3),
        new(CpuDesigns.Zen4, "D2", 1, "TensorPrimitives", 24), new(CpuDesigns.Zen4, "D2", 2, "Ggml", 83),
        new(CpuDesigns.Zen4, "D2 cold", 1, "Ggml", 21.2),
        new(CpuDesigns.Zen4, "D3", 1, "OnnxRuntime", 30.4), new(CpuDesigns.Zen4, "D3", 2, "OnnxRuntime", 35.9),
    ];

    /// <summary>A line for each peer that is slower than its record, or one line where there is no record of the processor.</summary>
    public static IEnumerable<string> Check(CpuModel cpu, IReadOnlyList<Result> results)
    {
        if (!s_records.Any(record => record.Design == cpu.Design))
        {
            yield return $"There is no record of the peers on {cpu}: this run did not check whether they are as fast as they can be.";
            yield break;
        }

        foreach (var record in s_records)
        {
            var result = results.FirstOrDefault(result => (result.Shape, result.Threads, result.Contender) == (record.Shape, record.Threads, record.Contender));
            if (record.Design != cpu.Design || result is null) continue;
            bool decode = record.Shape.StartsWith('D');
            double value = decode ? result.GigabytesPerSecond : result.PercentOfPeak;
            if (value >= Tolerance * record.Value) continue;
            string unit = decode ? "GB/s" : "% of the peak";
            yield return $"{record.Shape}, threads {record.Threads}: {record.Contender} reaches {value:0.0} {unit}, "
                + $"more than 10 % below the recorded {record.Value} {unit} on a {cpu.Design}.";
        }
    }

    private sealed record Record(string Design, string Shape, int Threads, string Contender, double Value);
}
