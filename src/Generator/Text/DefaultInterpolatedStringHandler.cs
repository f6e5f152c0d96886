using System.Text;
using AttentionGen.Generator.Text;

namespace System.Runtime.CompilerServices;

/// <summary>
/// Builds every interpolated string of this project. The compiler finds the type by its name, and netstandard2.0 does not have one. Numbers are formatted with
/// the invariant culture. A type that has no overload here does not compile in an interpolated string.
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

/// <summary>The attribute that the compiler requires on a handler. netstandard2.0 does not have it.</summary>
[AttributeUsage(AttributeTargets.Class | AttributeTargets.Struct), Microsoft.CodeAnalysis.Embedded]
internal sealed class InterpolatedStringHandlerAttribute : Attribute;
