using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.Arm;
using System.Runtime.Intrinsics.X86;

namespace AttentionGen.CompilerServices;

/// <summary>A vector of 4 floats.</summary>
internal readonly unsafe struct Floats128(Vector128<float> value) : IFloats<Floats128>
{
    private readonly Vector128<float> _value = value;

    public static int Count => 4;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Floats128 All(float x) => new(Vector128.Create(x));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Floats128 Load(float* from) => new(Vector128.Load(from));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Store(Floats128 x, float* to) => Vector128.Store(x._value, to);

    /// <summary>Whether this machine multiplies and adds in one instruction. Elsewhere .NET would emulate it, hundreds of times as slow.</summary>
    private static bool IsFused
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        get => AdvSimd.IsSupported || Fma.IsSupported;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Floats128 LoadFirst(float* from, int count)
    {
        var first = Vector128.CreateScalar(from[0]);
        if (count > 1) first = first.WithElement(1, from[1]);
        if (count > 2) first = first.WithElement(2, from[2]);
        return new(first);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void StoreFirst(Floats128 x, float* to, int count)
    {
        to[0] = x._value.ToScalar();
        if (count > 1) to[1] = x._value.GetElement(1);
        if (count > 2) to[2] = x._value.GetElement(2);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Floats128 KeepFirst(Floats128 x, int count) => new(x._value & First(count));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector128<float> First(int count) => Vector128.LessThan(Vector128<int>.Indices, Vector128.Create(count)).AsSingle();

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Floats128 operator +(Floats128 x, Floats128 y) => new(x._value + y._value);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Floats128 operator -(Floats128 x, Floats128 y) => new(x._value - y._value);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Floats128 operator *(Floats128 x, Floats128 y) => new(x._value * y._value);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Floats128 operator /(Floats128 x, Floats128 y) => new(x._value / y._value);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Floats128 MulAdd(Floats128 x, Floats128 y, Floats128 z) =>
        new(IsFused ? Vector128.FusedMultiplyAdd(x._value, y._value, z._value) : x._value * y._value + z._value);

    /// <remarks>
    /// Without an instruction, the factors are cut into halves of 12 bits. Their products are exact, and sums in this order cut off next to nothing (Dekker 1971, A
    /// floating-point technique for extending the available precision).
    /// </remarks>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Floats128 ProductError(Floats128 x, Floats128 y, Floats128 product)
    {
        if (IsFused) return new(Vector128.FusedMultiplyAdd(x._value, y._value, -product._value));
        Vector128<float> high = Vector128.Create(0xFFFFF000).AsSingle(), xHigh = x._value & high, yHigh = y._value & high, xLow = x._value - xHigh, yLow = y._value - yHigh;
        return new(xHigh * yHigh - product._value + xHigh * yLow + xLow * yHigh + xLow * yLow);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Floats128 Abs(Floats128 x) => new(Vector128.Abs(x._value));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Floats128 Max(Floats128 x, Floats128 y) => new(Vector128.MaxNative(x._value, y._value));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Floats128 Min(Floats128 x, Floats128 y) => new(Vector128.MinNative(x._value, y._value));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Floats128 CopySign(Floats128 x, Floats128 y) => new(Vector128.CopySign(x._value, y._value));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Floats128 PowerOfLowBits(Floats128 x) => new((x._value.AsInt32() << 23).AsSingle());

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static float Sum(Floats128 x) => Vector128.Sum(x._value);
}
