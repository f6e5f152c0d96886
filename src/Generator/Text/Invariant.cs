using System.Globalization;

namespace AttentionGen.Generator.Text;

/// <summary>Numbers as text, the same in every culture: in code, in names and in messages.</summary>
internal static class Invariant
{
    public static string Text(int value) => value.ToString(CultureInfo.InvariantCulture);

    public static string Text(long value) => value.ToString(CultureInfo.InvariantCulture);

    /// <summary>The shortest digits that give the float back. A zero keeps its sign, on every runtime that the compiler runs on.</summary>
    public static string Text(float value) => value == 0 && 1 / value < 0 ? "-0" : value.ToString("R", CultureInfo.InvariantCulture);

    /// <summary>The name of a value, or names; the number of one without.</summary>
    public static string Text(Enum value)
    {
        string text = value.ToString();
        return char.IsLetter(text[0]) ? text : Convert.ToInt64(value, CultureInfo.InvariantCulture).ToString(CultureInfo.InvariantCulture);
    }

    /// <summary>What an argument of a message says.</summary>
    public static string Text(object value) => value switch
    {
        string text => text,
        Enum constant => Text(constant),
        float number => Text(number),
        IFormattable formattable => formattable.ToString(null, CultureInfo.InvariantCulture),
        _ => value.ToString(),
    };

    public static string Join(string separator, IEnumerable<int> values) => string.Join(separator, values.Select(Text));

    /// <summary>A number as a part of a name in C#, another one for each number: <c>1Em07</c>.</summary>
    public static string Name(float value) => Text(value).Replace('.', 'p').Replace("-", "m").Replace("+", "");

    /// <summary>A number of a text, of 64 bits (FNV-1a), as 16 digits.</summary>
    public static string Hash(string text) =>
        text.Aggregate(14695981039346656037ul, (hash, c) => unchecked((hash ^ c) * 1099511628211ul)).ToString("x16", CultureInfo.InvariantCulture);

    /// <summary>The same of 32 bits, as 8 digits.</summary>
    public static string ShortHash(string text) =>
        text.Aggregate(2166136261u, (hash, c) => unchecked((hash ^ c) * 16777619u)).ToString("x8", CultureInfo.InvariantCulture);
}
