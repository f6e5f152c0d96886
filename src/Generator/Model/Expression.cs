using AttentionGen.Generator.Text;

namespace AttentionGen.Generator.Model;

/// <summary>The type of a lifted expression.</summary>
internal enum Kind
{
    Int,
    Float,
    Bool,
}

/// <summary>A property of a pair of query and key that a method of the user can read.</summary>
internal enum Input
{
    Score,
    Query,
    Key,
    Head,
    Batch,
}

/// <summary>The result of a mask or score method of the user for a query and a key, without syntax nodes.</summary>
internal abstract record Expression(Kind Kind)
{
    /// <summary>Whether the value is the same for all keys of a row.</summary>
    public abstract bool IsOfRow { get; }

    /// <summary>The expression as text. Different expressions have different texts.</summary>
    public string Text => Spell(ExpressionNames.Slots);

    /// <summary>The expression as text, with names for the numbers and spans of the call.</summary>
    public abstract string Spell(ExpressionNames names);

    /// <summary>
    /// The hash of the text, as a part of a core's name. It has 64 bits, because kernels whose cores have the same name share one: a collision would give a
    /// kernel the wrong mask.
    /// </summary>
    public string Name => Invariant.Hash(Text);

    public abstract IEnumerable<Expression> Parts { get; }

    /// <summary>The number of operations in the text. Shared parts count each time, so the number can be exponential in the depth: hence a double.</summary>
    public virtual double Size => 1;

    public bool Uses(Input input) => this is InputExpression { Input: var own } && own == input || Parts.Any(part => part.Uses(input));

    public sealed override string ToString() => Text;
}

/// <summary>An input of a pair: its score, or the index of its query, key, head or batch item.</summary>
internal sealed record InputExpression(Input Input) : Expression(Input == Input.Score ? Kind.Float : Kind.Int)
{
    public override bool IsOfRow => Input is not (Input.Score or Input.Key);

    public override string Spell(ExpressionNames names) => Input.ToString().ToLowerInvariant();

    public override IEnumerable<Expression> Parts => [];
}

/// <summary>A constant.</summary>
/// <param name="Value">An int, a float, or a bool as 0 or 1.</param>
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

    /// <summary>Compares bits, so that 0 and -0 differ.</summary>
    public bool Equals(ConstantExpression? other) =>
        other is not null && Kind == other.Kind && BitConverter.DoubleToInt64Bits(Value) == BitConverter.DoubleToInt64Bits(other.Value);

    public override int GetHashCode() => BitConverter.DoubleToInt64Bits(Value).GetHashCode();
}

/// <summary>A parameter of the kernel that is a number.</summary>
internal sealed record ScalarExpression(Kind Kind, int Index) : Expression(Kind)
{
    public override bool IsOfRow => true;

    public override string Spell(ExpressionNames names) => names.Number(Kind, Index);

    public override IEnumerable<Expression> Parts => [];
}

/// <summary>A parameter of the kernel that is a span. It has no value itself: expressions read its elements or its length.</summary>
/// <param name="Kind">The type of the elements.</param>
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

/// <summary>An element of a span; 0 if the index is outside the span.</summary>
internal sealed record ElementExpression(SpanExpression Span, Expression Index) : Expression(Span.Kind)
{
    public override bool IsOfRow => Index.IsOfRow;

    public override string Spell(ExpressionNames names) => $"{Span.Spell(names)}[{Index.Spell(names)}]";

    public override IEnumerable<Expression> Parts => [Index];

    public override double Size { get; } = 1 + Index.Size;

    /// <summary>
    /// The index for key 0, which depends on the row only, and whether the index falls from key to key, if consecutive keys read consecutive elements; null if
    /// they need not.
    /// </summary>
    public (Expression OfKey0, bool Down)? Line => LineOf(Index);

    private static (Expression OfKey0, bool Down)? LineOf(Expression index) => index switch
    {
        InputExpression { Input: Input.Key } => (new ConstantExpression(Kind.Int, 0), false),
        OperationExpression { Operation: "+" or "-", First: var x, Second: { IsOfRow: true } y } sum when LineOf(x) is var (first, down) =>
            (Sum(sum.Operation, first, y), down),
        OperationExpression { Operation: "+" or "-", First: { IsOfRow: true } x, Second: { } y } sum when LineOf(y) is var (first, down) =>
            (Sum(sum.Operation, x, first), down ^ sum.Operation == "-"),
        OperationExpression { Operation: "-", First: var x, Second: null } when LineOf(x) is var (first, down) =>
            (Sum("-", new ConstantExpression(Kind.Int, 0), first), !down),
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

/// <summary>An operation of C#, named by its operator, or a function, named by its method of Math or MathF.</summary>
internal sealed record OperationExpression(Kind Kind, string Operation, EquatableArray<Expression> Operands) : Expression(Kind)
{
    public Expression First => Operands[0];

    /// <summary>The second operand; null if there is only one.</summary>
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

    /// <summary>The class or type that declares the function.</summary>
    public string Class => Operation == "Exp2" ? "float" : Kind == Kind.Float ? "MathF" : "Math";

    public override IEnumerable<Expression> Parts => Operands;
}
