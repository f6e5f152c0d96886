using System.Text;
using AttentionGen.Generator.Text;

namespace System.Runtime.CompilerServices;

/// <summary>
/// What the compiler makes of every interpolated string of this project: it takes this type by its name, and netstandard2.0 has none of its own. So numbers become
/// text in one way, that of the invariant culture, and what has no such text does not compile.
/// </summary>
[InterpolatedStringHandler, Microsoft.CodeAnalysis.Embedded]
internal readonly struct DefaultInterpolatedStringHandler(int literalLength, int formattedCount)
{
    private const int UsualHole = 8;

    private readonly StringBuilder _text = new(literalLength + (UsualHole * formattedCount));

    public void AppendLiteral(string value) => _text.Append(value);

    public void AppendFormatted(string? value) => _text.Append(value);

    public void AppendFormatted(char value) => _text.Append(value);

    public void AppendFormatted(int value) => _text.Append(Invariant.Text(value));

    public void AppendFormatted(int? value)
    {
        if (value is { } number) AppendFormatted(number);
    }

    public void AppendFormatted(long value) => _text.Append(Invariant.Text(value));

    public void AppendFormatted(Enum value) => _text.Append(Invariant.Text(value));

    public string ToStringAndClear() => _text.ToString();
}

/// <summary>What the compiler asks for on a handler; netstandard2.0 has none.</summary>
[AttributeUsage(AttributeTargets.Class | AttributeTargets.Struct), Microsoft.CodeAnalysis.Embedded]
internal sealed class InterpolatedStringHandlerAttribute : Attribute;
