using BenchmarkDotNet.Attributes;
using Microsoft.CodeAnalysis;

namespace AttentionGen.Benchmarks;

/// <summary>What the generator takes of a build, and of each key stroke in an editor.</summary>
[MemoryDiagnoser]
public class GeneratorTime
{
    private Compilation? _compilation, _edited;
    private GeneratorDriver? _ran;

    [Params(1, 10, 100)]
    public int Kernels { get; set; }

    [GlobalSetup]
    public void Setup()
    {
        var consumer = new Consumer(Kernels);
        (_compilation, _edited) = (consumer.Compilation, consumer.Edited);
        _ran = Consumer.Driver().RunGenerators(_compilation);
    }

    [Benchmark]
    public object Cold() => Consumer.Driver().RunGenerators(_compilation!);

    [Benchmark]
    public object AfterUnrelatedEdit() => _ran!.RunGenerators(_edited!);
}
