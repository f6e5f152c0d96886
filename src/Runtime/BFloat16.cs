using System.Diagnostics.CodeAnalysis;
using System.Globalization;
using System.Runtime.CompilerServices;

namespace AttentionGen;

/// <summary>
/// A bfloat16: the upper half of a <see cref="float"/>. It has one sign bit, eight exponent bits and seven stored bits of the significand: the range of a float,
/// and a relative rounding error of at most 2^-8.
/// </summary>
/// <remarks>
/// <para>
/// It is a storage type of two bytes, without arithmetic: convert to <see cref="float"/>, which is exact, compute, and convert back, which rounds once, to the
/// nearest value, ties to the even significand. Values beyond <see cref="MaxValue"/> by half a unit in the last place or more become infinite, subnormal results
/// are kept, and NaN stays NaN: sign and upper bits of the payload are kept, and it becomes quiet.
/// </para>
/// <para>
/// Bits and conversions are those of <c>System.Numerics.BFloat16</c>, which comes with .NET 11. Spans of both can be cast into each other, and into spans of
/// <see cref="ushort"/>, with <see cref="System.Runtime.InteropServices.MemoryMarshal"/>.
/// </para>
/// </remarks>
public readonly struct BFloat16 : IComparable, IComparable<BFloat16>, IEquatable<BFloat16>, ISpanFormattable, ISpanParsable<BFloat16>
{
    private const ushort SignBit = 0x8000, Infinite = 0x7F80, QuietBit = 0x0040, SmallestNormal = 0x0080;

    private readonly ushort _bits;

    private BFloat16(uint bits) => _bits = (ushort)bits;

    /// <summary>0.</summary>
    public static BFloat16 Zero => default;

    /// <summary>1.</summary>
    public static BFloat16 One => new(0x3F80);

    /// <summary>-1.</summary>
    public static BFloat16 NegativeOne => new(0xBF80);

    /// <summary>-0.</summary>
    public static BFloat16 NegativeZero => new(SignBit);

    /// <summary>The smallest positive value: 2^-133, which is subnormal.</summary>
    public static BFloat16 Epsilon => new(0x0001);

    /// <summary>The largest finite value: (2 - 2^-7) * 2^127, about 3.39e38.</summary>
    public static BFloat16 MaxValue => new(0x7F7F);

    /// <summary>The lowest finite value: -<see cref="MaxValue"/>.</summary>
    public static BFloat16 MinValue => new(0xFF7F);

    /// <summary>Infinity.</summary>
    public static BFloat16 PositiveInfinity => new(Infinite);

    /// <summary>-Infinity.</summary>
    public static BFloat16 NegativeInfinity => new(SignBit | Infinite);

    /// <summary>Not a number; quiet, with the sign bit set, as <see cref="float.NaN"/>.</summary>
    public static BFloat16 NaN => new(SignBit | Infinite | QuietBit);

    private int Magnitude => _bits & ~SignBit;

    /// <summary>The value with the given bits: the sign highest, then the exponent, then the significand.</summary>
    public static BFloat16 FromBits(ushort bits) => new(bits);

    /// <summary>The bits: the sign highest, then the exponent, then the significand.</summary>
    public ushort ToBits() => _bits;

    /// <summary>Whether the value is not a number.</summary>
    public static bool IsNaN(BFloat16 value) => value.Magnitude > Infinite;

    /// <summary>Whether the value is infinity or -infinity.</summary>
    public static bool IsInfinity(BFloat16 value) => value.Magnitude == Infinite;

    /// <summary>Whether the value is neither infinite nor NaN.</summary>
    public static bool IsFinite(BFloat16 value) => value.Magnitude < Infinite;

    /// <summary>Whether the sign bit is set, also that of -0 and NaN.</summary>
    public static bool IsNegative(BFloat16 value) => (value._bits & SignBit) != 0;

    /// <summary>Whether the value is finite, not 0, and of smaller magnitude than 2^-126.</summary>
    public static bool IsSubnormal(BFloat16 value) => value.Magnitude is > 0 and < SmallestNormal;

    /// <summary>Whether the value is finite, neither 0 nor subnormal.</summary>
    public static bool IsNormal(BFloat16 value) => value.Magnitude is >= SmallestNormal and < Infinite;

    /// <summary>The value without its sign.</summary>
    public static BFloat16 Abs(BFloat16 value) => new((uint)value.Magnitude);

    /// <summary>The value with its sign bit inverted.</summary>
    public static BFloat16 operator -(BFloat16 value) => new((uint)(value._bits ^ SignBit));

    /// <summary>The nearest value, ties to even.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static explicit operator BFloat16(float value)
    {
        uint bits = BitConverter.SingleToUInt32Bits(value);
        if (float.IsNaN(value)) return new(bits >> 16 | QuietBit); // the upper bits alone could be those of infinity
        // The lower half carries if it is more than half, or half and the upper one is odd. A carry out of the significand raises the exponent, up to infinity.
        return new((bits + 0x7FFF + (bits >> 16 & 1)) >> 16);
    }

    /// <summary>The nearest value, ties to even. It is rounded once: a value just above a tie does not become the tie first.</summary>
    public static explicit operator BFloat16(double value)
    {
        if (double.IsNaN(value))
        {
            ulong payload = BitConverter.DoubleToUInt64Bits(value);
            return new((uint)(payload >> 48) & SignBit | Infinite | QuietBit | (uint)(payload >> 45) & 0x7F);
        }

        // Rounded to odd, a float still says on which side of a tie the value lies: cut off what a float cannot hold, and set the lowest bit if that was not 0.
        float single = (float)value;
        uint bits = BitConverter.SingleToUInt32Bits(single);
        if (single != value) bits = (Math.Abs((double)single) > Math.Abs(value) ? bits - 1 : bits) | 1;
        return (BFloat16)BitConverter.UInt32BitsToSingle(bits);
    }

    /// <summary>The nearest value, ties to even: a half has more bits, but a smaller range.</summary>
    public static explicit operator BFloat16(Half value) => (BFloat16)(float)value;

    /// <summary>The nearest value, ties to even; exact up to 256.</summary>
    public static explicit operator BFloat16(int value) => (BFloat16)(double)value;

    /// <summary>The same value as a float; exact.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static explicit operator float(BFloat16 value) => BitConverter.UInt32BitsToSingle((uint)value._bits << 16);

    /// <summary>The same value as a double; exact.</summary>
    public static explicit operator double(BFloat16 value) => (float)value;

    /// <summary>The nearest half, ties to even; infinite from 65520.</summary>
    public static explicit operator Half(BFloat16 value) => (Half)(float)value;

    /// <summary>Whether the values are equal; 0 equals -0, NaN equals nothing.</summary>
    public static bool operator ==(BFloat16 left, BFloat16 right) => (float)left == (float)right;

    /// <summary>Whether the values are not equal; true with NaN.</summary>
    public static bool operator !=(BFloat16 left, BFloat16 right) => (float)left != (float)right;

    /// <summary>Whether the first value is less; false with NaN.</summary>
    public static bool operator <(BFloat16 left, BFloat16 right) => (float)left < (float)right;

    /// <summary>Whether the first value is greater; false with NaN.</summary>
    public static bool operator >(BFloat16 left, BFloat16 right) => (float)left > (float)right;

    /// <summary>Whether the first value is less or equal; false with NaN.</summary>
    public static bool operator <=(BFloat16 left, BFloat16 right) => (float)left <= (float)right;

    /// <summary>Whether the first value is greater or equal; false with NaN.</summary>
    public static bool operator >=(BFloat16 left, BFloat16 right) => (float)left >= (float)right;

    /// <summary>The order of two values as <see cref="float.CompareTo(float)"/> has it: NaN equals NaN and comes before all others.</summary>
    public int CompareTo(BFloat16 other) => ((float)this).CompareTo((float)other);

    /// <inheritdoc/>
    public int CompareTo(object? obj) => obj switch
    {
        null => 1,
        BFloat16 other => CompareTo(other),
        _ => throw new ArgumentException($"A {nameof(BFloat16)} is needed, not a {obj.GetType()}.", nameof(obj)),
    };

    /// <summary>Whether the values are equal as <see cref="float.Equals(float)"/> has it: 0 equals -0, and NaN equals NaN.</summary>
    public bool Equals(BFloat16 other) => ((float)this).Equals((float)other);

    /// <inheritdoc/>
    public override bool Equals([NotNullWhen(true)] object? obj) => obj is BFloat16 other && Equals(other);

    /// <inheritdoc/>
    public override int GetHashCode() => ((float)this).GetHashCode();

    /// <summary>The text of the value as a float, in the current culture.</summary>
    public override string ToString() => ((float)this).ToString(CultureInfo.CurrentCulture);

    /// <summary>The text of the value as a float. Without a format, parsing it gives the same value.</summary>
    public string ToString([StringSyntax(StringSyntaxAttribute.NumericFormat)] string? format, IFormatProvider? formatProvider) => ((float)this).ToString(format, formatProvider);

    /// <inheritdoc/>
    public bool TryFormat(Span<char> destination, out int charsWritten, [StringSyntax(StringSyntaxAttribute.NumericFormat)] ReadOnlySpan<char> format = default, IFormatProvider? provider = null) =>
        ((float)this).TryFormat(destination, out charsWritten, format, provider);

    /// <summary>The value nearest to a number in the formats of <see cref="double.Parse(string, IFormatProvider)"/>, ties to even; rounded once.</summary>
    /// <exception cref="FormatException">The text is not a number.</exception>
    public static BFloat16 Parse(string s, IFormatProvider? provider) => Rounded(double.Parse(s, provider), s);

    /// <inheritdoc cref="Parse(string, IFormatProvider)"/>
    public static BFloat16 Parse(ReadOnlySpan<char> s, IFormatProvider? provider) => Rounded(double.Parse(s, provider), s);

    /// <summary>As <see cref="Parse(string, IFormatProvider)"/>, but says whether the text is a number.</summary>
    public static bool TryParse([NotNullWhen(true)] string? s, IFormatProvider? provider, out BFloat16 result) => TryParse(s.AsSpan(), provider, out result);

    /// <inheritdoc cref="TryParse(string, IFormatProvider, out BFloat16)"/>
    public static bool TryParse(ReadOnlySpan<char> s, IFormatProvider? provider, out BFloat16 result)
    {
        bool isNumber = double.TryParse(s, provider, out double number);
        result = isNumber ? Rounded(number, s) : default;
        return isNumber;
    }

    /// <summary>The double nearest to a text, rounded as the text is. The double can be a tie where the text is not: then the digits say on which side it lies.</summary>
    private static BFloat16 Rounded(double number, ReadOnlySpan<char> text)
    {
        float single = (float)number;
        uint bits = BitConverter.SingleToUInt32Bits(single);
        if (single != number || (ushort)bits != 0x8000) return (BFloat16)number; // a tie is a float of which the lower half is just its highest bit

        const int digits = 120; // a tie has at most 97 significant digits: 2^-134 times an integer of 9 bits, or a larger power
        string tie = Math.Abs(number).ToString($"E{digits}", CultureInfo.InvariantCulture);
        return (BFloat16)BitConverter.UInt32BitsToSingle(bits + (uint)Math.Sign(CompareDigits(text, tie)));
    }

    /// <summary>
    /// Compares the significant digits of two numbers between which no double lies, one of them a tie. Their powers of ten are equal: no tie is that near to a power
    /// of ten.
    /// </summary>
    private static int CompareDigits(ReadOnlySpan<char> left, ReadOnlySpan<char> right)
    {
        int leftAt = 0, rightAt = 0;
        char leftDigit, rightDigit = Digit(right, ref rightAt);
        do leftDigit = Digit(left, ref leftAt);
        while (leftDigit == '0' && leftAt < left.Length);

        while (leftDigit == rightDigit && (leftAt < left.Length || rightAt < right.Length))
            (leftDigit, rightDigit) = (Digit(left, ref leftAt), Digit(right, ref rightAt));
        return leftDigit - rightDigit;
    }

    /// <summary>The next digit before the exponent; zeros follow the last one.</summary>
    private static char Digit(ReadOnlySpan<char> text, ref int at)
    {
        while (at < text.Length)
        {
            char c = text[at++];
            if (char.IsAsciiDigit(c)) return c;
            if (c is 'e' or 'E') at = text.Length;
        }

        return '0';
    }
}
