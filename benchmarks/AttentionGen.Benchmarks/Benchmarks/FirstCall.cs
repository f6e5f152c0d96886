using AttentionGen.Benchmarks.Contenders;
using AttentionGen.Benchmarks.Shapes;
using BenchmarkDotNet.Attributes;
using BenchmarkDotNet.Engines;

namespace AttentionGen.Benchmarks;

/// <summary>The first call of a kernel in a process: nearly all of it is the JIT's. Each measurement is a process of its own.</summary>
[SimpleJob(RunStrategy.ColdStart, launchCount: 10, warmupCount: 0, iterationCount: 1, invocationCount: 1)]
public class FirstCall
{
    private Action? _attend;

    /// <summary>Packed keys; few rows; fixed lengths.</summary>
    [Params("S2", "D2", "S3")]
    public string Shape { get; set; } = "";

    [GlobalSetup]
    public void Setup() => _attend = new AttentionGenContender(new Inputs(ShapeTable.Find(Shape), seed: 1), AttentionLayout.TokenMajor, threads: 1).Run;

    [Benchmark]
    public void Attend() => _attend!();
}
