using AttentionGen.Generator.Expressions;
using AttentionGen.Generator.Model;
using AttentionGen.Generator.Parsing;
using AttentionGen.Generator.Tests.Harness;
using Microsoft.CodeAnalysis;
using Xunit;

namespace AttentionGen.Generator.Tests;

/// <summary>Masks as bounds: with what is left of the expression they hide the same keys.</summary>
public class MaskBoundsTests
{
    private static readonly InputExpression s_query = new(Input.Query), s_key = new(Input.Key), s_head = new(Input.Head);

    [Fact]
    public void Bounds_and_rest_are_the_mask()
    {
        var random = new Random(1);
        int bounded = 0;
        for (int n = 0; n < 3000; n++)
        {
            var mask = Bool(random, 4);
            var bounds = MaskBounds.Of(mask);
            if (bounds.Left is not null || bounds.Right is not null) bounded++;
            Assert.True(bounds.Left is null or >= 0 && bounds.Right is null or >= 0, mask.Text);
            for (int query = -3; query < 12; query++)
            {
                for (int key = 0; key < 12; key++)
                {
                    bool within = !(query - key > bounds.Left) && !(key - query > bounds.Right);
                    Assert.True(Value(mask, query, key) != 0 == (within && (bounds.Rest is null || Value(bounds.Rest, query, key) != 0)), $"{mask.Text} at {query}, {key}: {bounds}");
                }
            }
        }

        Assert.True(bounded > 300, $"{bounded} had bounds");
    }

    public static TheoryData<string, int?, int?, bool> Known => new()
    {
        { "key <= query", null, 0, false },
        { "query >= key", null, 0, false },
        { "key < query", null, 0, true },
        { "key <= query && query - key < 1024", 1023, 0, false },
        { "Math.Abs(query - key) <= 5", 5, 5, false },
        { "7 > Math.Abs(key - query)", 6, 6, false },
        { "key == query", 0, 0, false },
        { "key <= query && query - key < 1024 || key < 4", null, null, true },
        { "key <= query && (query - key < 1024 || key < 4)", null, 0, true },
        { "query / 64 == key / 64", null, null, true },
        { "true", null, null, false },
        { "key + 3 <= query + 5", null, 2, false },
        { "-query <= -key", null, 0, false },
        { "2 * key <= 2 * query", null, null, true },
        { "segment[query] == segment[key]", null, null, true },
        { "key <= query && segment[query] == segment[key]", null, 0, true },
        { "key <= query + segment[0]", null, null, true },
    };

    [Theory, MemberData(nameof(Known))]
    public void A_mask_of_distances_becomes_bounds(string mask, int? left, int? right, bool rest)
    {
        string source = $$"""
            using AttentionGen;

            public static partial class Llama
            {
                [Attention(2, 8, MaskMethod = nameof(Visible))] public static partial void Attend({{Sample.Tensors}}, ReadOnlySpan<int> segment);
                private static bool Visible(int query, int key, ReadOnlySpan<int> segment) => {{mask}};
            }
            """;
        var compilation = new Project(source).Compilation();
        var method = compilation.GetTypeByMetadataName("Llama")!.GetMembers("Attend").OfType<IMethodSymbol>().Single();
        var spec = KernelParser.Parse(method, method.GetAttributes()[0], compilation)!;
        Assert.Null(spec.Mask!.Failure);
        Assert.Equal((left, right, rest), (spec.MaskBounds!.Left, spec.MaskBounds.Right, spec.MaskBounds.Rest is not null));
    }

    private static OperationExpression Of(Kind kind, string operation, params Expression[] operands) => new(kind, operation, operands.ToEquatableArray());

    private static OperationExpression Bool(Random random, int depth) => random.Next(depth <= 0 ? 2 : 7) switch
    {
        0 or 1 => Of(Kind.Bool, Comparison(random), Int(random, depth - 1), Int(random, depth - 1)),
        2 or 3 => Of(Kind.Bool, "&&", Bool(random, depth - 1), Bool(random, depth - 1)),
        4 => Of(Kind.Bool, "||", Bool(random, depth - 1), Bool(random, depth - 1)),
        5 => Of(Kind.Bool, "!", Bool(random, depth - 1)),
        _ => Of(Kind.Bool, Comparison(random), Of(Kind.Int, "Abs", Of(Kind.Int, "-", s_query, s_key)), new ConstantExpression(Kind.Int, random.Next(-2, 8))),
    };

    private static Expression Int(Random random, int depth) => random.Next(depth <= 0 ? 4 : 7) switch
    {
        0 => s_query,
        1 => s_key,
        2 => new ConstantExpression(Kind.Int, random.Next(-6, 12)),
        3 => s_head,
        4 => Of(Kind.Int, "+", Int(random, depth - 1), Int(random, depth - 1)),
        5 => Of(Kind.Int, "-", Int(random, depth - 1), Int(random, depth - 1)),
        _ => Of(Kind.Int, "-", Int(random, depth - 1)),
    };

    private static string Comparison(Random random) => new[] { "<", "<=", ">", ">=", "==", "!=" }[random.Next(6)];

    /// <summary>The value of an expression of head 1, 0 or 1 for a bool.</summary>
    private static long Value(Expression expression, int query, int key)
    {
        if (expression is InputExpression { Input: var input }) return input switch { Input.Query => query, Input.Key => key, _ => 1 };
        if (expression is ConstantExpression constant) return (long)constant.Value;
        var operation = (OperationExpression)expression;
        long x = Value(operation.Operands[0], query, key), y = operation.Operands.Count > 1 ? Value(operation.Operands[1], query, key) : 0;
        return operation.Operation switch
        {
            "+" => x + y,
            "-" when operation.Operands.Count == 1 => -x,
            "-" => x - y,
            "Abs" => Math.Abs(x),
            "!" => 1 - x,
            "&&" => x & y,
            "||" => x | y,
            "<" => x < y ? 1 : 0,
            "<=" => x <= y ? 1 : 0,
            ">" => x > y ? 1 : 0,
            ">=" => x >= y ? 1 : 0,
            "==" => x == y ? 1 : 0,
            "!=" => x != y ? 1 : 0,
            var other => throw new InvalidOperationException(other),
        };
    }
}
