namespace AttentionGen.Kernels.Tests;

/// <summary>
/// A float of the user's own score, of which every intermediate is noted: the text of a score is compiled once more with it in the place of float.
/// What an intermediate rounds to is a part of its size, so the largest says what the score may lose.
/// </summary>
public readonly struct Traced
{
    [ThreadStatic]
    private static double s_largest;

    private readonly float _value;

    private Traced(float value)
    {
        _value = value;
        if (float.IsFinite(value)) s_largest = Math.Max(s_largest, Math.Abs(value));
    }

    /// <summary>The largest finite magnitude in the score of a pair.</summary>
    public static double Largest(Func<Traced, int, int, int, int, Traced> score, float of, int query, int key, int head, int batch)
    {
        s_largest = 0;
        _ = score(of, query, key, head, batch);
        return s_largest;
    }

    /// <summary>For patterns, which take constants of its type.</summary>
    public float Value => _value;

    public static implicit operator Traced(float value) => new(value);

    public static Traced operator +(Traced x, Traced y) => new(x._value + y._value);

    public static Traced operator -(Traced x, Traced y) => new(x._value - y._value);

    public static Traced operator *(Traced x, Traced y) => new(x._value * y._value);

    public static Traced operator /(Traced x, Traced y) => new(x._value / y._value);

    public static Traced operator -(Traced x) => new(-x._value);

    public static Traced Abs(Traced x) => new(MathF.Abs(x._value));

    public static Traced Min(Traced x, Traced y) => new(MathF.Min(x._value, y._value));

    public static Traced Max(Traced x, Traced y) => new(MathF.Max(x._value, y._value));

    public static Traced Clamp(Traced x, Traced least, Traced most) => new(Math.Clamp(x._value, least._value, most._value));

    public static Traced Tanh(Traced x) => new(MathF.Tanh(x._value));

    public static Traced Sin(Traced x) => new(MathF.Sin(x._value));

    public static Traced Cos(Traced x) => new(MathF.Cos(x._value));

    public static Traced Sqrt(Traced x) => new(MathF.Sqrt(x._value));

    public static Traced Log(Traced x) => new(MathF.Log(x._value));

    public static Traced Log2(Traced x) => new(MathF.Log2(x._value));

    public static Traced Exp(Traced x) => Exponential(x._value, MathF.Exp(x._value));

    public static Traced Exp2(Traced x) => Exponential(x._value * MathF.Log(2), float.Exp2(x._value));

    /// <summary>Of what the exponent is off by, relative to it, an exponential is off by the exponent times as much, relative to itself.</summary>
    private static Traced Exponential(float exponent, float value)
    {
        _ = new Traced(exponent * value);
        return new(value);
    }

    public static Traced FusedMultiplyAdd(Traced x, Traced y, Traced z) => new(MathF.FusedMultiplyAdd(x._value, y._value, z._value));
}
