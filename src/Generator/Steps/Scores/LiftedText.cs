using AttentionGen.Generator.Model;

namespace AttentionGen.Generator.Steps.Scores;

/// <summary>
/// Writes a lifted expression: what is the same for all keys of a row is computed once, as the user wrote it; what depends on the key becomes vector code.
/// </summary>
/// <param name="vector">The type of the vectors, in System.Runtime.Intrinsics.</param>
/// <param name="name">What its variables begin with.</param>
/// <param name="steps">Whether keys do not follow each other, so that the elements of a span for them do not either.</param>
internal sealed class LiftedText(string vector, string name, bool steps)
{
    private readonly Dictionary<Expression, string> _ofRow = [];
    private readonly Dictionary<(Expression OfKey0, bool Down), string> _lines = [];
    private readonly SortedSet<int> _spans = [];

    /// <summary>Whether the vector of keys is used.</summary>
    public bool UsesKeys { get; private set; }

    /// <summary>The declarations for a row, after <see cref="Vector"/> has met all that needs one; from `place`, `head`, `row` and `key`.</summary>
    public IEnumerable<string> Declarations =>
    [
        .. _spans.Select(slot => $"ref float {name}Span{slot} = ref place.Span({slot}); int {name}Length{slot} = place.Length({slot});"),
        .. _lines.Select(pair => $"nint {pair.Value} = {(pair.Key is (ConstantExpression { Value: 0 }, Down: false) ? "place.Key(key)" : $"unchecked({Scalar(pair.Key.OfKey0)} {(pair.Key.Down ? '-' : '+')} place.Key(key))")};"),
        .. _ofRow.Select(pair => $"{Type(pair.Key.Kind)} {pair.Value} = {Splat(pair.Key.Kind, Computes(pair.Key) ? $"unchecked({Scalar(pair.Key)})" : Scalar(pair.Key))};"),
    ];

    /// <summary>The expression over a vector of keys: floats and masks as <c>Vec</c>, ints as <c>Ints</c>; from the scores `s` and the keys `j`.</summary>
    public string Vector(Expression expression)
    {
        if (expression is ConstantExpression) return Splat(expression.Kind, expression.Text);
        if (expression.IsOfRow)
        {
            if (!_ofRow.TryGetValue(expression, out string? known)) _ofRow.Add(expression, known = $"{name}{_ofRow.Count}");
            return known;
        }

        if (expression is InputExpression { Input: Input.Score }) return "s";
        if (expression is InputExpression)
        {
            UsesKeys = true;
            return "j";
        }

        if (expression is ElementExpression element) return Elements(element);
        var operation = (OperationExpression)expression;
        var parts = operation.Operands.Select(Vector).ToList();
        bool ofInts = operation.Operands[operation.Operands.Count - 1].Kind == Kind.Int;
        string Compared(string function) => $"{vector}.{function}({parts[0]}, {parts[1]}){(ofInts ? ".AsSingle()" : "")}";
        return operation.Operation switch
        {
            "tofloat" => $"{vector}.ConvertToSingle({parts[0]})",
            "!" or "~" => $"~{parts[0]}",
            "-" when parts.Count == 1 => $"(-{parts[0]})",
            "+" or "-" or "*" or "/" => $"({parts[0]} {operation.Operation} {parts[1]})",
            "%" => $"({parts[0]} - {parts[0]} / {parts[1]} * {parts[1]})",
            "&&" or "&" => $"({parts[0]} & {parts[1]})",
            "||" or "|" => $"({parts[0]} | {parts[1]})",
            "^" => $"({parts[0]} ^ {parts[1]})",
            "<<" or ">>" or ">>>" => $"({parts[0]} {operation.Operation} {operation.Second!.Text})",
            "<" => Compared("LessThan"),
            "<=" => Compared("LessThanOrEqual"),
            ">" => Compared("GreaterThan"),
            ">=" => Compared("GreaterThanOrEqual"),
            "==" => Compared("Equals"),
            "!=" => "~" + Compared("Equals"),
            "?" when operation.Kind == Kind.Int => $"{vector}.ConditionalSelect({parts[0]}.AsInt32(), {parts[1]}, {parts[2]})",
            "?" => $"Select({parts[0]}, {parts[1]}, {parts[2]})",
            "Tanh" => $"Tanh({parts[0]})",
            "Exp2" => $"Power2({parts[0]})",
            "FusedMultiplyAdd" => $"MulAdd({string.Join(", ", parts)})",
            var function => $"{vector}.{function}({string.Join(", ", parts)})",
        };
    }

    /// <summary>The elements of a vector of keys: where they surely lie one after the other they are loaded, else as it turns out.</summary>
    private string Elements(ElementExpression element)
    {
        int slot = element.Span.Slot;
        _spans.Add(slot);
        string span = $"ref {name}Span{slot}, {name}Length{slot}", elements;
        if (!steps && element.Line is { } line)
        {
            if (!_lines.TryGetValue(line, out string? first)) _lines.Add(line, first = $"{name}First{_lines.Count}");
            elements = line.Down ? $"ElementsDown({span}, {first} - column)" : $"ElementsFrom({span}, {first} + column)";
        }
        else
        {
            elements = $"Elements({span}, {Vector(element.Index)})";
        }

        return element.Kind == Kind.Int ? elements + ".AsInt32()" : elements;
    }

    private static bool Computes(Expression ofRow) => ofRow is OperationExpression || ofRow.Parts.Any(Computes);

    private static string Type(Kind kind) => kind == Kind.Int ? "Ints" : "Vec";

    private string Splat(Kind kind, string scalar) => kind switch
    {
        Kind.Float => $"All({scalar})",
        Kind.Int => $"{vector}.Create({scalar})",
        _ => $"{vector}.Create({scalar} ? -1 : 0).AsSingle()",
    };

    private static string Scalar(Expression expression)
    {
        switch (expression)
        {
            case InputExpression { Input: var input }:
                return input switch { Input.Query => "place.Position(row)", Input.Head => "place.Head(head)", _ => "place.Batch" };
            case ScalarExpression scalar:
                return $"place.{(scalar.Kind == Kind.Int ? "Whole" : "Real")}({scalar.Index})";
            case LengthExpression length:
                return $"place.Length({length.Slot})";
            case ElementExpression element:
                return $"place.{(element.Kind == Kind.Int ? "Whole" : "Real")}({element.Span.Slot}, {Scalar(element.Index)})";
            case OperationExpression operation:
                var parts = operation.Operands.Select(Scalar).ToList();
                return operation.Operation switch
                {
                    "tofloat" => $"(float){parts[0]}",
                    "?" => $"({parts[0]} ? {parts[1]} : {parts[2]})",
                    "Abs" when operation.Kind == Kind.Int => $"Magnitude({parts[0]})",
                    _ when char.IsLetter(operation.Operation[0]) => $"{operation.Class}.{operation.Operation}({string.Join(", ", parts)})",
                    _ when parts.Count == 1 => $"({operation.Operation}{parts[0]})",
                    _ => $"({parts[0]} {operation.Operation} {parts[1]})",
                };
            default:
                return expression.Text;
        }
    }
}
