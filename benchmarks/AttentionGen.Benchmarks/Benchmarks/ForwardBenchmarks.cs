using AttentionGen.Benchmarks.Compare;
using AttentionGen.Benchmarks.Contenders;
using AttentionGen.Benchmarks.Machine;
using AttentionGen.Benchmarks.Shapes;
using BenchmarkDotNet.Attributes;

namespace AttentionGen.Benchmarks;

/// <summary>A generated kernel over each shape, in both layouts; it is to allocate nothing.</summary>
[MemoryDiagnoser]
public abstract class ForwardBenchmarks
{
    private Action? _attend;

    public abstract string Shape { get; set; }

    [ParamsAllValues]
    public AttentionLayout Layout { get; set; }

    [Params(1)]
    public int Threads { get; set; }

    [GlobalSetup]
    public void Setup() => _attend = new AttentionGenContender(new Inputs(ShapeTable.Find(Shape), seed: 1), Layout, Threads).Run;

    [Benchmark]
    public void Attend() => _attend!();

    private protected static IEnumerable<string> Ids(IEnumerable<Shape> shapes, bool cold = false) =>
        shapes.Where(shape => shape.Cold == cold).Select(shape => shape.Id);
}

/// <summary>As many queries as keys, many of both.</summary>
public class Prefill : ForwardBenchmarks
{
    [ParamsSource(nameof(Shapes))]
    public override string Shape { get; set; } = "";

    public static IEnumerable<string> Shapes => Ids(ShapeTable.Prefill);
}

/// <summary>Short sequences.</summary>
public class ShortSequences : ForwardBenchmarks
{
    [ParamsSource(nameof(Shapes))]
    public override string Shape { get; set; } = "";

    public static IEnumerable<string> Shapes => Ids(ShapeTable.Short);
}

/// <summary>One query, keys and values where the call before left them.</summary>
public class Decode : ForwardBenchmarks
{
    [ParamsSource(nameof(Shapes))]
    public override string Shape { get; set; } = "";

    public static IEnumerable<string> Shapes => Ids(ShapeTable.Decode);
}

/// <summary>One query, keys and values out of DRAM.</summary>
public class DecodeCold : ForwardBenchmarks
{
    private Action? _evict;

    [ParamsSource(nameof(Shapes))]
    public override string Shape { get; set; } = "";

    public static IEnumerable<string> Shapes => Ids(ShapeTable.Decode, cold: true);

    [IterationSetup]
    public void Evict()
    {
        _evict ??= new Eviction(new Team(Threads)).Run;
        _evict();
    }
}

/// <summary>Masks, scores and outputs beside plain attention, token-major.</summary>
[MemoryDiagnoser]
public class Masks
{
    private Action? _attend;

    [ParamsSource(nameof(Shapes))]
    public string Shape { get; set; } = "";

    public static IEnumerable<string> Shapes => ShapeTable.Masks.Select(shape => shape.Id);

    [Params(1)]
    public int Threads { get; set; }

    [GlobalSetup]
    public void Setup() => _attend = new AttentionGenContender(new Inputs(ShapeTable.Find(Shape), seed: 1), AttentionLayout.TokenMajor, Threads).Run;

    [Benchmark]
    public void Attend() => _attend!();
}

/// <summary>Few queries against many keys.</summary>
public class FewRows : ForwardBenchmarks
{
    [ParamsSource(nameof(Shapes))]
    public override string Shape { get; set; } = "";

    public static IEnumerable<string> Shapes => Ids(ShapeTable.FewRows);
}
