using AttentionGen.Benchmarks.Compare;

namespace AttentionGen.Benchmarks.Shapes;

/// <summary>An attention that is not dot products and a softmax over values: what it counts, and what times it.</summary>
/// <param name="Description">For people, with what is counted where that is no floating-point operation of a product.</param>
/// <param name="Flops">What a call computes.</param>
/// <param name="Bytes">What it must read, or read and write, each counted once.</param>
/// <param name="ReadsMemory">Whether that takes a good part of the time.</param>
/// <param name="Problem">Makes inputs and contenders, from the shape and a seed.</param>
internal sealed record FamilyRow(string Description, double Flops, double Bytes, bool ReadsMemory, Func<Shape, int, Problem> Problem);
