namespace AttentionGen.Views;

/// <summary>
/// An expression of a mask over the position of a query and a key, with the 32-bit integers of C#. The page evaluates it; it never runs a text.
/// </summary>
public sealed class MaskCondition
{
    private static readonly Dictionary<string, int[]> s_operations = new()
    {
        ["&&"] = [2], ["||"] = [2], ["!"] = [1], ["?:"] = [3], ["=="] = [2], ["!="] = [2], ["<"] = [2], ["<="] = [2], [">"] = [2], [">="] = [2],
        ["+"] = [2], ["-"] = [1, 2], ["*"] = [2], ["/"] = [2], ["%"] = [2], ["&"] = [2], ["|"] = [2], ["^"] = [2], ["~"] = [1], ["<<"] = [2], [">>"] = [2],
        ["Abs"] = [1], ["Min"] = [2], ["Max"] = [2],
    };

    private MaskCondition(string operation, int value, IReadOnlyList<MaskCondition> operands) => (Operation, Value, Operands) = (operation, value, operands);

    /// <summary>The position of the query.</summary>
    public static MaskCondition Query { get; } = new("query", 0, []);

    /// <summary>The key.</summary>
    public static MaskCondition Key { get; } = new("key", 0, []);

    /// <summary>The operator of C#, the name of a method of Math, or the kind of a leaf: <c>query</c>, <c>key</c> or <c>number</c>.</summary>
    public string Operation { get; }

    /// <summary>The value of a number.</summary>
    public int Value { get; }

    /// <summary>The operands.</summary>
    public IReadOnlyList<MaskCondition> Operands { get; }

    /// <summary>A constant; true is 1 and false is 0.</summary>
    /// <param name="value">The value.</param>
    /// <returns>The constant.</returns>
    public static MaskCondition Number(int value) => new("number", value, []);

    /// <summary>An operation.</summary>
    /// <param name="operation">An operator of C# (<c>?:</c> for the conditional one), or <c>Abs</c>, <c>Min</c>, <c>Max</c>.</param>
    /// <param name="operands">The operands.</param>
    /// <returns>The operation.</returns>
    /// <exception cref="ArgumentNullException">An argument is null.</exception>
    /// <exception cref="ArgumentException">There is no such operation with so many operands.</exception>
    public static MaskCondition Of(string operation, params IReadOnlyList<MaskCondition> operands)
    {
        ArgumentNullException.ThrowIfNull(operation);
        ArgumentNullException.ThrowIfNull(operands);
        foreach (var operand in operands) ArgumentNullException.ThrowIfNull(operand, nameof(operands));
        if (!s_operations.TryGetValue(operation, out int[]? counts) || !counts.Contains(operands.Count))
            throw new ArgumentException($"There is no operation '{operation}' of {operands.Count} operands. There are {string.Join(" ", s_operations.Keys)}.", nameof(operation));
        return new(operation, 0, [.. operands]);
    }
}
