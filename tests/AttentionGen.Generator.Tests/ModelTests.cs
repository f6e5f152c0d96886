using System.Collections;
using System.Reflection;
using AttentionGen.Generator.Model;
using AttentionGen.Generator.Tests.Harness;
using Microsoft.CodeAnalysis;
using Xunit;

namespace AttentionGen.Generator.Tests;

/// <summary>What flows through the pipeline: values, which hold nothing of a compilation and are equal when they say the same.</summary>
public class ModelTests
{
    private static readonly Project s_project = new($$"""
        namespace Some.Where;
        public partial class Outer
        {
            public partial record struct Inner
            {
                [AttentionGen.Attention(heads: 8, headDim: 64, KeyValueHeads = 2, ValueDim = 48, Mask = AttentionGen.AttentionMask.Causal, Scale = 0.5f, Batched = true,
                    Layout = AttentionGen.AttentionLayout.HeadMajor, QueryStride = 65, KeyStride = 66, ValueStride = 67, OutputStride = 68, QueryLength = 3, KeyLength = 5)]
                public partial void Attend({{Sample.Tensors}}, int batch, [AttentionGen.Role(AttentionGen.AttentionRole.KeyLengths)] ReadOnlySpan<int> visible);

                [AttentionGen.Attention(heads: 8, headDim: -1)]
                private partial int Wrong<T>(string? q, float[][] key) where T : class, new();
            }
        }
        """);

    private static readonly Type[] s_forbidden =
        [typeof(ISymbol), typeof(SyntaxNode), typeof(SyntaxTree), typeof(SyntaxReference), typeof(Location), typeof(Compilation), typeof(Diagnostic), typeof(SemanticModel), typeof(AttributeData)];

    [Fact]
    public void Steps_hold_nothing_of_a_compilation()
    {
        var seen = new HashSet<object>(ReferenceEqualityComparer.Instance);
        int values = 0;
        foreach (var (name, steps) in Incremental.OurSteps(s_project.Generate()))
            foreach (var (value, _) in steps.SelectMany(step => step.Outputs))
            {
                values++;
                Walk(value, name, seen);
            }

        Assert.True(values >= 8, $"Only {values} values.");
        Assert.Contains(seen, value => value is ParameterSpec);
        Assert.Contains(seen, value => value is Planning.CorePlan);
    }

    [Fact]
    public void The_walk_finds_a_symbol_where_there_is_one()
    {
        var symbol = s_project.Compilation().GetTypeByMetadataName("Some.Where.Outer");
        Assert.ThrowsAny<Xunit.Sdk.XunitException>(() => Walk(new { Deep = new object?[] { null, Tuple.Create("text", symbol) } }, "Test", []));
    }

    [Fact]
    public void Equal_sources_give_equal_models()
    {
        var one = Values(s_project.Generate());
        var other = Values(s_project.Generate());
        Assert.Equal(one, other);
        Assert.Equal(one.Select(value => value.GetHashCode()), other.Select(value => value.GetHashCode()));
        Assert.DoesNotContain(one.Zip(other), pair => ReferenceEquals(pair.First, pair.Second) && pair.First is not string);
    }

    [Theory]
    [InlineData("heads: 8", "heads: 16")]
    [InlineData("headDim: 64", "headDim: 65")]
    [InlineData("KeyValueHeads = 2", "KeyValueHeads = 4")]
    [InlineData("ValueDim = 48", "ValueDim = 49")]
    [InlineData(".Causal", ".None")]
    [InlineData("0.5f", "0.25f")]
    [InlineData(".HeadMajor", ".TokenMajor")]
    [InlineData("QueryStride = 65", "QueryStride = 64")]
    [InlineData("KeyStride = 66", "KeyStride = 64")]
    [InlineData("ValueStride = 67", "ValueStride = 48")]
    [InlineData("OutputStride = 68", "OutputStride = 48")]
    [InlineData("QueryLength = 3", "QueryLength = 4")]
    [InlineData("KeyLength = 5", "KeyLength = 6")]
    [InlineData("QueryLength = 3", "QueryLength = 3, QueryKeyNorm = AttentionGen.AttentionNorm.Rms")]
    [InlineData("QueryLength = 3", "QueryLength = 3, ScoresStage = AttentionGen.AttentionStage.Masked")]
    [InlineData("Outer", "Other")]
    [InlineData("Where", "There")]
    [InlineData("record struct", "record")]
    [InlineData("AttentionRole.KeyLengths", "AttentionRole.QueryStarts")]
    [InlineData("int batch", "int Batch")]
    [InlineData("public partial void", "internal partial void")]
    public void Different_sources_give_different_models(string text, string otherText)
    {
        var other = new Project(s_project.Sources[0].Replace(text, otherText));
        Assert.NotEqual(Values(s_project.Generate()), Values(other.Generate()));
    }

    [Fact]
    public void Arrays_are_equal_when_their_elements_are()
    {
        EquatableArray<int> empty = default, none = Array.Empty<int>().ToEquatableArray();
        var some = new[] { 1, 2, 3 }.ToEquatableArray();
        Assert.True(empty.Equals(none) && empty.GetHashCode() == none.GetHashCode());
        Assert.True(some.Equals((object)new[] { 1, 2, 3 }.ToEquatableArray()) && some.GetHashCode() == new[] { 1, 2, 3 }.ToEquatableArray().GetHashCode());
        Assert.False(some.Equals(new[] { 1, 2, 4 }.ToEquatableArray()));
        Assert.False(some.Equals(new[] { 1, 2 }.ToEquatableArray()));
        Assert.False(some.Equals(new[] { 3, 2, 1 }.ToEquatableArray()));
        Assert.False(some.Equals(none));
    }

    private static List<object> Values(Generation run) =>
        [.. Incremental.OurSteps(run).SelectMany(step => step.Steps).SelectMany(step => step.Outputs).Select(output => output.Value)];

    /// <summary>Visits every object that a value refers to, by its fields.</summary>
    private static void Walk(object? value, string path, HashSet<object> seen)
    {
        if (value is null or string || value.GetType().IsPrimitive || value.GetType().IsEnum) return;
        Assert.False(s_forbidden.Any(type => type.IsInstanceOfType(value)), $"{path} is a {value.GetType()}.");
        if (!value.GetType().IsValueType && !seen.Add(value)) return;
        if (value is Array array)
            foreach (object? item in array) Walk(item, $"{path}[]", seen);
        for (var type = value.GetType(); type is not null; type = type.BaseType)
            foreach (var field in type.GetFields(BindingFlags.Instance | BindingFlags.Public | BindingFlags.NonPublic | BindingFlags.DeclaredOnly))
                Walk(field.GetValue(value), $"{path}.{field.Name}", seen);
    }
}
