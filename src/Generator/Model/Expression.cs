using AttentionGen.Generator.Text;

namespace AttentionGen.Generator.Model;

/// <summary>The types of the expressions that are lifted.</summary>
internal enum Kind
{
    Int,
    Float,
    Bool,
}

/// <summary>What the user's method is told of a pair of query and key.</summary>
internal enum Input
{
    Score,
    Query,
    Key,
    Head,
    Batch,
}

/// <summary>A mask or a score as the user wrote it, without syntax: what a method returns for a query and a key.</summary>
internal abstract record Expression(Kind Kind)
{
    /// <summary>Whether it is the same for all keys of a row.</summary>
    public abstract bool IsOfRow { get; }

    /// <summary>The expression as text, which tells it from every other.</summary>
    public string Text => Spell(ExpressionNames.Slots);

    /// <summary>The expression as text, with names for the numbers and spans of the call.</summary>
    public abstract string Spell(ExpressionNames names);

    /// <summary>The part of a core's name: a number of its text (FNV-1a). Of 64 bits, as kernels of one name share a core: with fewer, one could get another's mask.</summary>
    public string Name => Invariant.Hash(Text);

    public abstract IEnumerable<Expression> Parts { get; }

    /// <summary>How many operations it is as text. Parts may be shared, so that it can be more than anybody has counted one by one.</summary>
    public virtual double Size => 1;

    public bool Uses(Input input) => this is InputExpression { Input: var own } && own == input || Parts.Any(part => part.Uses(input));

    public sealed override string ToString() => Text;
}

internal sealed record InputExpression(Input Input) : Expression(Input == Input.Score ? Kind.Float : Kind.Int)
{
    public override bool IsOfRow => Input is not (Input.Score or Input.Key);

    public override string Spell(ExpressionNames names) => Input.ToString().ToLowerInvariant();

    public override IEnumerable<Expression> Parts => [];
}

/// <param name="Value">An int, a float or a bool.</param>
internal sealed record ConstantExpression(Kind Kind, double Value) : Expression(Kind)
{
    public override bool IsOfRow => true;

    public override string Spell(ExpressionNames names) => Kind switch
    {
        Kind.Bool => Value == 0 ? "false" : "true",
        Kind.Int when Value == int.MinValue => "int.MinValue",
        Kind.Int => Invariant.Text((int)Value),
        _ when double.IsNaN(Value) => "float.NaN",
        _ when double.IsPositiveInfinity(Value) => "float.PositiveInfinity",
        _ when double.IsNegativeInfinity(Value) => "float.NegativeInfinity",
        _ => Invariant.Text((float)Value) + "f",
    };

    public override IEnumerable<Expression> Parts => [];

    /// <summary>By bits: 0 and -0 are different numbers.</summary>
    public bool Equals(ConstantExpression? other) => other is not null && Kind == other.Kind && BitConverter.DoubleToInt64Bits(Value) == BitConverter.DoubleToInt64Bits(other.Value);

    public override int GetHashCode() => BitConverter.DoubleToInt64Bits(Value).GetHashCode();
}

/// <summary>A number that comes with the call.</summary>
internal sealed record ScalarExpression(Kind Kind, int Index) : Expression(Kind)
{
    public override bool IsOfRow => true;

    public override string Spell(ExpressionNames names) => names.Number(Kind, Index);

    public override IEnumerable<Expression> Parts => [];
}

/// <summary>A span that comes with the call: no value by itself, but what is indexed or asked for its length.</summary>
/// <param name="Kind">Of its elements.</param>
internal sealed record SpanExpression(Kind Kind, int Slot) : Expression(Kind)
{
    public override bool IsOfRow => true;

    public override string Spell(ExpressionNames names) => names.Span(Kind, Slot);

    public override IEnumerable<Expression> Parts => [];
}

/// <summary>The length of a span.</summary>
internal sealed record LengthExpression(int Slot) : Expression(Kind.Int)
{
    public override bool IsOfRow => true;

    public override string Spell(ExpressionNames names) => names.Length(Slot);

    public override IEnumerable<Expression> Parts => [];
}

/// <summary>An element of a span; 0 where there is none.</summary>
internal sealed record ElementExpression(SpanExpression Span, Expression Index) : Expression(Span.Kind)
{
    public override bool IsOfRow => Index.IsOfRow;

    public override string Spell(ExpressionNames names) => $"{Span.Spell(names)}[{Index.Spell(names)}]";

    public override IEnumerable<Expression> Parts => [Index];

    public override double Size { get; } = 1 + Index.Size;

    /// <summary>Where the elements of keys that follow each other do so, too, the index of key 0, of the row alone, and whether they go down; null where they need not.</summary>
    public (Expression OfKey0, bool Down)? Line => LineOf(Index);

    private static (Expression OfKey0, bool Down)? LineOf(Expression index) => index switch
    {
        InputExpression { Input: Input.Key } => (new ConstantExpression(Kind.Int, 0), false),
        OperationExpression { Operation: "+" or "-", First: var x, Second: { IsOfRow: true } y } sum when LineOf(x) is var (first, down) => (Sum(sum.Operation, first, y), down),
        OperationExpression { Operation: "+" or "-", First: { IsOfRow: true } x, Second: { } y } sum when LineOf(y) is var (first, down) => (Sum(sum.Operation, x, first), down ^ sum.Operation == "-"),
        OperationExpression { Operation: "-", First: var x, Second: null } when LineOf(x) is var (first, down) => (Sum("-", new ConstantExpression(Kind.Int, 0), first), !down),
        _ => null,
    };

    private static Expression Sum(string operation, Expression x, Expression y) =>
        (operation, x, y) switch
        {
            (_, _, ConstantExpression { Value: 0 }) => x,
            ("+", ConstantExpression { Value: 0 }, _) => y,
            ("-", ConstantExpression { Value: 0 }, _) => new OperationExpression(Kind.Int, "-", new[] { y }.ToEquatableArray()),
            _ => new OperationExpression(Kind.Int, operation, new[] { x, y }.ToEquatableArray()),
        };
}

/// <summary>An operation or a function of C#, by the name of the operator or of the method of Math and MathF.</summary>
internal sealed record OperationExpression(Kind Kind, string Operation, EquatableArray<Expression> Operands) : Expression(Kind)
{
    public Expression First => Operands[0];

    /// <summary>Null where there is one operand.</summary>
    public Expression? Second => Operands.Count > 1 ? Operands[1] : null;

    public override double Size { get; } = 1 + Operands.Sum(operand => operand.Size);

    public override bool IsOfRow => Operands.All(operand => operand.IsOfRow);

    public override string Spell(ExpressionNames names)
    {
        var parts = Operands.Select(operand => operand.Spell(names)).ToList();
        return parts.Count switch
        {
            _ when Operation == "tofloat" => $"(float){parts[0]}",
            _ when char.IsLetter(Operation[0]) => $"{Class}.{Operation}({string.Join(", ", parts)})",
            1 => $"({Operation}{parts[0]})",
            2 => $"({parts[0]} {Operation} {parts[1]})",
            _ => $"({parts[0]} ? {parts[1]} : {parts[2]})",
        };
    }

    /// <summary>The class of a function.</summary>
    public string Class => Operation == "Exp2" ? "float" : Kind == Kind.Float ? "MathF" : "Math";

    public override IEnumerable<Expression> Parts => Operands;
}
