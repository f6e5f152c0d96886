using System.Globalization;
using AttentionGen.Generator.Lowering;
using AttentionGen.Generator.Model;
using AttentionGen.Generator.Syntax;
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
        int windows = 0, terms = 0, decided = 0, cuts = 0;
        for (int n = 0; n < 6000; n++)
        {
            var mask = Bool(random, 4);
            var bounds = MaskBounds.Of(mask);
            if (bounds.Window is var (left, right))
            {
                if (left is not null || right is not null) windows++;
                Assert.True(left is null or >= 0 && right is null or >= 0, mask.Text);
            }

            if (bounds.Terms.Count > 1) terms++;
            if (bounds.Rest is null) decided++;
            if (bounds.ChunkLength > 0 || bounds.Dilation > 1 || bounds.RowChunk > 0) cuts++;
            for (int query = -5; query < 14; query++)
                for (int key = 0; key < 14; key++)
                    Assert.True(Value(mask, query, key) != 0 == Sees(bounds, query, key), $"{mask.Text} at {query}, {key}: {bounds}");
        }

        Assert.True(windows > 150 && terms > 500 && decided > 2000 && cuts > 100, $"{windows} windows, {terms} with several terms, {decided} decided, {cuts} with chunks or steps");
    }

    /// <summary>What the bounds and the rest of a mask say of a pair, with head 1 and the number 3.</summary>
    private static bool Sees(MaskBounds bounds, int query, int key)
    {
        if (bounds.ChunkLength > 0 && query / bounds.ChunkLength != key / bounds.ChunkLength) return false;
        if ((query - key) % bounds.Dilation != 0) return false;
        bool open = false;
        foreach (var term in bounds.Terms)
        {
            if (!Within(term, query, key, bounds.RowChunk)) continue;
            if (term.Rest is null) return true;
            open = true;
        }

        return open && Value(bounds.Rest!, query, key) != 0;
    }

    private static bool Within(MaskTerm term, int query, int key, int rowChunk)
    {
        bool From(EquatableArray<MaskBound> side, long x) => side.All(bound => x >= Value(bound));
        bool To(EquatableArray<MaskBound> side, long x) => side.All(bound => x < Value(bound));
        return From(term.FromQuery, query) && To(term.ToQuery, query) && From(term.FromKey, key) && To(term.ToKey, key) && From(term.FromDistance, key - query) && To(term.ToDistance, key - query)
            && !(term.FromChunk is var (fromFactor, from) && key < fromFactor * (query / rowChunk) + Value(from)) && !(term.ToChunk is var (toFactor, to) && key >= toFactor * (query / rowChunk) + Value(to));
    }

    private static long Value(MaskBound bound) => bound.Constant + bound.Scalars.Sum(factor => 3 * factor);

    public static TheoryData<string, string> Known => new()
    {
        { "key <= query", "window -, 0" },
        { "query >= key", "window -, 0" },
        { "key < query", "to distance 0" },
        { "key <= query && query - key < 1024", "window 1023, 0" },
        { "Math.Abs(query - key) <= 5", "window 5, 5" },
        { "7 > Math.Abs(key - query)", "window 6, 6" },
        { "key == query", "window 0, 0" },
        { "key <= query && query - key < 1024 || key < 4", "from distance -1023, to distance 1; to key 4" },
        { "key <= query && (query - key < 1024 || key < 4)", "from distance -1023, to distance 1; to key 4, to distance 1" },
        { "query / 64 == key / 64", "chunks of 64" },
        { "query / 64 == key / 64 && key <= query", "chunks of 64, to distance 1" },
        { "key / 64 <= query / 64", "to chunk 64 + 64" },
        { "(query - key) % 3 == 0", "every 3" },
        { "true", "window -, -" },
        { "false", "" },
        { "key + 3 <= query + 5", "window -, 2" },
        { "-query <= -key", "window -, 0" },
        { "2 * key <= 2 * query", "window -, 0" },
        { "2 * key <= query * 2 + 3", "window -, 1" },
        { "key < width", "to key width" },
        { "query - key < 2 * width && key < width - 7", "to key width - 7, from distance -2L * width + 1" },
        { "!(key > query || key < 8)", "from key 8, to distance 1" },
        { "query < 16 || key <= query", "to query 16; to distance 1" },
        { "Math.Max(key - query, key - 60) <= 0", "to key 61, to distance 1" },
        { "Math.Min(key, query - key) < 2", "from distance -1; to key 2" },
        { "key != query", "to distance 0; from distance 1" },
        { "key % 2 == 0 && key <= query", "window -, 0, computed" },
        { "key <= query && (query - key < 8 || key % 2 == 0)", "from distance -7, to distance 1; to distance 1, computed" },
        { "key * query < 5", "window -, -, computed" },
        { "query - key is >= 0 and < 8", "window 7, 0" },
        { "query - key is not (< 0 or >= 8)", "window 7, 0" },
        { "key is 0 or 3 || key <= query", "to distance 1; to key 1; from key 3, to key 4" },
        { "key < 4 ? true : key <= query", "to key 4; from key 4, to distance 1" },
        { "key switch { < 4 => true, < 8 => false, _ => key <= query }", "to key 4; from key 8, to distance 1" },
        { "(query - key) switch { < 0 => false, < 16 => true, _ => key % 3 == 0 }", "from distance -15, to distance 1; to distance -15, computed" },
        { "head switch { 0 => key <= query, _ => true }", "window -, -, computed" },
        { "key << 1 <= query << 1", "window -, 0" },
        { "key >> 6 <= query / 64", "to chunk 64 + 64" },
        { "query >> 6 == key >> 6", "window -, -, computed" },
        { "key <= query & key < width", "to key width, to distance 1" },
        { "(key & 3) == 0", "window -, -, computed" },
    };

    [Theory, MemberData(nameof(Known))]
    public void A_mask_becomes_bounds(string mask, string expected)
    {
        string source = $$"""
            using AttentionGen;

            public static partial class Llama
            {
                [Attention(2, 8, MaskMethod = nameof(Visible))] public static partial void Attend({{Sample.Tensors}}, int width);
                private static bool Visible(int query, int key, int head, int width) => {{mask}};
            }
            """;
        var compilation = new Project(source).Compilation();
        var method = compilation.GetTypeByMetadataName("Llama")!.GetMembers("Attend").OfType<IMethodSymbol>().Single();
        var spec = KernelParser.Parse(method, method.GetAttributes()[0], compilation)!;
        Assert.Null(spec.Mask!.Failure);
        Assert.Equal(expected, Text(MaskProgram.Of(spec).Own!));
    }

    private static string Text(MaskBounds bounds)
    {
        static string Side(string name, EquatableArray<MaskBound> side) => string.Concat(side.Select(bound => $", {name} {bound.Text(["width"]).Replace("(long)", "", StringComparison.Ordinal)}"));
        if (bounds.Window is var (left, right)) return $"window {left?.ToString(CultureInfo.InvariantCulture) ?? "-"}, {right?.ToString(CultureInfo.InvariantCulture) ?? "-"}{(bounds.Rest is null ? "" : ", computed")}";
        string cuts = (bounds.ChunkLength > 0 ? $", chunks of {bounds.ChunkLength}" : "") + (bounds.Dilation > 1 ? $", every {bounds.Dilation}" : "");
        return (cuts + string.Join("; ", bounds.Terms.Select(term => (cuts.Length == 0 ? "" : ", ") + (
            Side("from query", term.FromQuery) + Side("to query", term.ToQuery) + Side("from key", term.FromKey) + Side("to key", term.ToKey) + Side("from distance", term.FromDistance) + Side("to distance", term.ToDistance)
            + (term.FromChunk is var (a, x) ? $", from chunk {a} + {x.Text([])}" : "") + (term.ToChunk is var (b, y) ? $", to chunk {b} + {y.Text([])}" : "") + (term.Rest is null ? "" : ", computed")).TrimStart(',', ' ')))).Trim(',', ' ');
    }

    private static OperationExpression Of(Kind kind, string operation, params Expression[] operands) => new(kind, operation, operands.ToEquatableArray());

    private static OperationExpression Bool(Random random, int depth) => random.Next(depth <= 0 ? 2 : 10) switch
    {
        7 when random.Next(3) > 0 => Of(Kind.Bool, Comparison(random), Of(Kind.Int, "/", s_key, new ConstantExpression(Kind.Int, 4)), Of(Kind.Int, "+", Of(Kind.Int, "/", s_query, new ConstantExpression(Kind.Int, 4)), new ConstantExpression(Kind.Int, random.Next(-2, 3)))),
        7 => Of(Kind.Bool, "==", Of(Kind.Int, "/", s_query, new ConstantExpression(Kind.Int, 3)), Of(Kind.Int, "/", s_key, new ConstantExpression(Kind.Int, 3))),
        8 => Of(Kind.Bool, "==", Of(Kind.Int, "%", Of(Kind.Int, "-", s_query, s_key), new ConstantExpression(Kind.Int, 3)), new ConstantExpression(Kind.Int, 0)),
        9 => Of(Kind.Bool, "?", Bool(random, depth - 1), Bool(random, depth - 1), random.Next(2) == 0 ? new ConstantExpression(Kind.Bool, random.Next(2)) : Bool(random, depth - 1)),
        0 or 1 => Of(Kind.Bool, Comparison(random), Int(random, depth - 1), Int(random, depth - 1)),
        2 or 3 => Of(Kind.Bool, "&&", Bool(random, depth - 1), Bool(random, depth - 1)),
        4 => Of(Kind.Bool, "||", Bool(random, depth - 1), Bool(random, depth - 1)),
        5 => Of(Kind.Bool, "!", Bool(random, depth - 1)),
        _ => Of(Kind.Bool, Comparison(random), Of(Kind.Int, "Abs", Of(Kind.Int, "-", s_query, s_key)), new ConstantExpression(Kind.Int, random.Next(-2, 8))),
    };

    private static Expression Int(Random random, int depth) => random.Next(depth <= 0 ? 4 : 12) switch
    {
        0 => s_query,
        1 => s_key,
        2 => new ConstantExpression(Kind.Int, random.Next(-6, 12)),
        3 => s_head,
        4 => Of(Kind.Int, "+", Int(random, depth - 1), Int(random, depth - 1)),
        5 => Of(Kind.Int, "-", Int(random, depth - 1), Int(random, depth - 1)),
        6 => Of(Kind.Int, "-", Int(random, depth - 1)),
        7 => Of(Kind.Int, random.Next(2) == 0 ? "Min" : "Max", Int(random, depth - 1), Int(random, depth - 1)),
        8 => Of(Kind.Int, "*", Int(random, depth - 1), new ConstantExpression(Kind.Int, random.Next(-3, 4))),
        9 => new ScalarExpression(Kind.Int, 1),
        10 => Of(Kind.Int, "<<", Int(random, depth - 1), new ConstantExpression(Kind.Int, random.Next(3))),
        _ => Of(Kind.Int, ">>", random.Next(3) == 0 ? Int(random, depth - 1) : s_key, new ConstantExpression(Kind.Int, 2)),
    };

    private static string Comparison(Random random) => new[] { "<", "<=", ">", ">=", "==", "!=" }[random.Next(6)];

    /// <summary>The value of an expression of head 1, 0 or 1 for a bool.</summary>
    private static long Value(Expression expression, int query, int key)
    {
        if (expression is InputExpression { Input: var input }) return input switch { Input.Query => query, Input.Key => key, _ => 1 };
        if (expression is ConstantExpression constant) return (long)constant.Value;
        if (expression is ScalarExpression) return 3;
        var operation = (OperationExpression)expression;
        long x = Value(operation.Operands[0], query, key), y = operation.Operands.Count > 1 ? Value(operation.Operands[1], query, key) : 0;
        return operation.Operation switch
        {
            "+" => x + y,
            "-" when operation.Operands.Count == 1 => -x,
            "-" => x - y,
            "Abs" => Math.Abs(x),
            "Min" => Math.Min(x, y),
            "Max" => Math.Max(x, y),
            "*" => x * y,
            "/" => x / y,
            "%" => x % y,
            "<<" => x << (int)y,
            ">>" => x >> (int)y,
            "?" => x != 0 ? y : Value(operation.Operands[2], query, key),
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
