using System.Globalization;

namespace AttentionGen.Generator.Text;

/// <summary>Formats numbers with the invariant culture, for code, names and messages.</summary>
internal static class Invariant
{
    public static string Text(int value) => value.ToString(CultureInfo.InvariantCulture);

    public static string Text(long value) => value.ToString(CultureInfo.InvariantCulture);

    /// <summary>The shortest text that parses to the same float. A zero keeps its sign on every runtime, also on .NET Framework.</summary>
    public static string Text(float value) => value == 0 && 1 / value < 0 ? "-0" : value.ToString("R", CultureInfo.InvariantCulture);

    /// <summary>The name of a value, or its names if it is a combination. A value without a name becomes its number.</summary>
    public static string Text(Enum value)
    {
        string text = value.ToString();
        return char.IsLetter(text[0]) ? text : Convert.ToInt64(value, CultureInfo.InvariantCulture).ToString(CultureInfo.InvariantCulture);
    }

    /// <summary>The text of an argument of a message.</summary>
    public static string Text(object value) => value switch
    {
        string text => text,
        Enum constant => Text(constant),
        float number => Text(number),
        IFormattable formattable => formattable.ToString(null, CultureInfo.InvariantCulture),
        _ => value.ToString(),
    };

    public static string Join(string separator, IEnumerable<int> values) => string.Join(separator, values.Select(Text));

    /// <summary>A number as a part of a C# name, e.g. <c>1Em07</c>. Different numbers have different names.</summary>
    public static string Name(float value) => Text(value).Replace('.', 'p').Replace("-", "m").Replace("+", "");

    /// <summary>The 64-bit FNV-1a hash of a text, as 16 hexadecimal digits.</summary>
    public static string Hash(string text) =>
        text.Aggregate(14695981039346656037ul, (hash, c) => unchecked((hash ^ c) * 1099511628211ul)).ToString("x16", CultureInfo.InvariantCulture);

    /// <summary>The 32-bit FNV-1a hash of a text, as 8 hexadecimal digits.</summary>
    public static string ShortHash(string text) =>
        text.Aggregate(2166136261u, (hash, c) => unchecked((hash ^ c) * 16777619u)).ToString("x8", CultureInfo.InvariantCulture);
}
