using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace AttentionGen.CompilerServices;

// Rows in the types that only storage has, as for narrower vectors.
public static partial class Vectors256
{
    /// <summary>The half-precision vector at an offset, as floats.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<float> LoadHalf(ref Half origin, nint offset) => OfHalf(Eight(ref Unsafe.As<Half, short>(ref Unsafe.Add(ref origin, offset))));

    /// <summary>The first half-precision numbers from memory that may end after them, then zeros.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<float> LoadFirstHalf(ref Half origin, nint offset, int count) => OfHalf(FirstEight(ref Unsafe.As<Half, ushort>(ref Unsafe.Add(ref origin, offset)), count));

    /// <summary>The half-precision vector at an offset, as floats, or 2^112 times too small.</summary>
    /// <typeparam name="THalves"><see cref="AnyHalves"/> or <see cref="FiniteHalves"/>.</typeparam>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<float> LoadHalf<THalves>(ref Half origin, nint offset)
        where THalves : struct => typeof(THalves) == typeof(FiniteHalves) ? Small(Eight(ref Unsafe.As<Half, short>(ref Unsafe.Add(ref origin, offset)))) : LoadHalf(ref origin, offset);

    /// <summary>The first half-precision numbers from memory that may end after them, then zeros; as floats, or 2^112 times too small.</summary>
    /// <typeparam name="THalves"><see cref="AnyHalves"/> or <see cref="FiniteHalves"/>.</typeparam>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<float> LoadFirstHalf<THalves>(ref Half origin, nint offset, int count)
        where THalves : struct => typeof(THalves) == typeof(FiniteHalves) ? Small(FirstEight(ref Unsafe.As<Half, ushort>(ref Unsafe.Add(ref origin, offset)), count)) : LoadFirstHalf(ref origin, offset, count);

    /// <summary>Makes a row of weights 2^112 times as large for <see cref="FiniteHalves"/>. They are far below 2^16, so that this is exact.</summary>
    /// <typeparam name="THalves"><see cref="AnyHalves"/> or <see cref="FiniteHalves"/>.</typeparam>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Raise<THalves>(ref float row, int count)
        where THalves : struct
    {
        if (typeof(THalves) != typeof(FiniteHalves)) return;
        for (int i = 0; i < count; i += 8) Store(Load(ref row, i) * Vector256.Create(Vectors128.HalfScale), ref row, i);
    }

    /// <summary>Makes rows of queries, whole vectors, 2^112 times as large for <see cref="FiniteHalves"/>, unless one of them would not stay finite.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static bool TryRaise(ref float rows, int count)
    {
        for (int i = 0; i < count; i += 8)
            if (!Vector256.LessThanAll(Vector256.Abs(Load(ref rows, i)), Vector256.Create(Vectors128.RaisedLimit))) return false;
        Raise<FiniteHalves>(ref rows, count);
        return true;
    }

    /// <summary>The bfloat16 vector at an offset, as floats.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<float> LoadBFloat16(ref BFloat16 origin, nint offset) => OfBFloat16(Eight(ref Unsafe.As<BFloat16, short>(ref Unsafe.Add(ref origin, offset))));

    /// <summary>The first bfloat16 numbers from memory that may end after them, then zeros.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<float> LoadFirstBFloat16(ref BFloat16 origin, nint offset, int count) => OfBFloat16(FirstEight(ref Unsafe.As<BFloat16, ushort>(ref Unsafe.Add(ref origin, offset)), count));

    /// <summary>Rounds a vector to half precision, to nearest even, and writes it at an offset.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void StoreHalf(Vector256<float> x, ref Half origin, nint offset) => Narrowed(ToHalf(x)).StoreUnsafe(ref Unsafe.As<Half, ushort>(ref Unsafe.Add(ref origin, offset)));

    /// <summary>Rounds the first elements to half precision and writes them and nothing after them.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void StoreFirstHalf(Vector256<float> x, ref Half origin, nint offset, int count) => StoreFirst(Narrowed(ToHalf(x)), ref Unsafe.As<Half, ushort>(ref Unsafe.Add(ref origin, offset)), count);

    /// <summary>Rounds a vector to bfloat16, to nearest even, and writes it at an offset.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void StoreBFloat16(Vector256<float> x, ref BFloat16 origin, nint offset) => Narrowed(Narrowing.Rounded(x)).StoreUnsafe(ref Unsafe.As<BFloat16, ushort>(ref Unsafe.Add(ref origin, offset)));

    /// <summary>Rounds the first elements to bfloat16 and writes them and nothing after them.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void StoreFirstBFloat16(Vector256<float> x, ref BFloat16 origin, nint offset, int count) =>
        StoreFirst(Narrowed(Narrowing.Rounded(x)), ref Unsafe.As<BFloat16, ushort>(ref Unsafe.Add(ref origin, offset)), count);

    /// <summary>Eight half-precision numbers as floats: see <see cref="Vectors128.OfHalf"/>.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal static Vector256<float> OfHalf(Vector128<short> x)
    {
        var scaled = Small(x) * Vector256.Create(Vectors128.HalfScale);
        return scaled | (Vector256.GreaterThanOrEqual(Vector256.Abs(scaled), Vector256.Create(Vectors128.HalfLimit)) & Vector256.Create(Vectors128.Infinity).AsSingle());
    }

    /// <summary>Eight half-precision numbers as floats that are 2^112 times too small: see <see cref="Vectors128.OfHalf"/>.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector256<float> Small(Vector128<short> x) => ((Avx2.ConvertToVector256Int32(x) << 13) & Vector256.Create(Vectors128.HalfBits)).AsSingle();

    /// <summary>Eight bfloat16 numbers, the upper halves of floats.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal static Vector256<float> OfBFloat16(Vector128<short> x) => (Avx2.ConvertToVector256Int32(x) << 16).AsSingle();

    /// <summary>Half-precision numbers in the low halves of the elements: see <see cref="Vectors128.ToHalf"/>.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector256<uint> ToHalf(Vector256<float> x) => Vector256.Create(Vectors128.ToHalf(x.GetLower()), Vectors128.ToHalf(x.GetUpper()));

    /// <summary>The low halves of the elements, side by side.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector128<ushort> Narrowed(Vector256<uint> x) => Vector128.Narrow(x.GetLower(), x.GetUpper());

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector128<short> Eight(ref short source) => Vector128.LoadUnsafe(ref source);

    /// <summary>The first numbers of 16 bits, and zeros. The count is a constant of 1 to 7.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector128<short> FirstEight(ref ushort source, int count) => count <= 4
        ? Vector128.CreateScalar(Vectors128.FirstFourBits(ref source, count)).AsInt16()
        : Vector128.Create(Vectors128.FirstFourBits(ref source, 4), Vectors128.FirstFourBits(ref Unsafe.Add(ref source, 4), count - 4)).AsInt16();

    /// <summary>Writes the first numbers of 16 bits. The count is a constant of 1 to 7.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal static void StoreFirst(Vector128<ushort> x, ref ushort target, int count)
    {
        Vectors128.StoreFirstBits(x.AsUInt64().ToScalar(), ref target, Math.Min(count, 4));
        if (count > 4) Vectors128.StoreFirstBits(x.AsUInt64().GetElement(1), ref Unsafe.Add(ref target, 4), count - 4);
    }

    /// <summary>Writes 8 elements of each of 8 half-precision rows as 8 columns of floats. Rows past <paramref name="last"/> are copies of it.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Transpose8Half(ref Half source, nint stride, int last, ref float target, nint targetStride) => Transpose(
        LoadHalf(ref source, 0), LoadHalf(ref source, Math.Min(1, last) * stride), LoadHalf(ref source, Math.Min(2, last) * stride), LoadHalf(ref source, Math.Min(3, last) * stride),
        LoadHalf(ref source, Math.Min(4, last) * stride), LoadHalf(ref source, Math.Min(5, last) * stride), LoadHalf(ref source, Math.Min(6, last) * stride), LoadHalf(ref source, Math.Min(7, last) * stride),
        ref target, targetStride);

    /// <summary>Writes 8 elements of each of 8 bfloat16 rows as 8 columns of floats. Rows past <paramref name="last"/> are copies of it.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Transpose8BFloat16(ref BFloat16 source, nint stride, int last, ref float target, nint targetStride) => Transpose(
        LoadBFloat16(ref source, 0), LoadBFloat16(ref source, Math.Min(1, last) * stride), LoadBFloat16(ref source, Math.Min(2, last) * stride), LoadBFloat16(ref source, Math.Min(3, last) * stride),
        LoadBFloat16(ref source, Math.Min(4, last) * stride), LoadBFloat16(ref source, Math.Min(5, last) * stride), LoadBFloat16(ref source, Math.Min(6, last) * stride), LoadBFloat16(ref source, Math.Min(7, last) * stride),
        ref target, targetStride);

    /// <summary>The integers at an offset, as floats.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<float> LoadSByte(ref sbyte origin, nint offset) => OfSByte(Unsafe.ReadUnaligned<ulong>(ref Unsafe.As<sbyte, byte>(ref Unsafe.Add(ref origin, offset))));

    /// <summary>The first integers from memory that may end after them, as floats, then zeros.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<float> LoadFirstSByte(ref sbyte origin, nint offset, int count) => OfSByte(Vectors128.FirstBytes(ref Unsafe.Add(ref origin, offset), count));

    /// <summary>Eight integers as floats.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector256<float> OfSByte(ulong x) => Vector256.ConvertToSingle(Avx2.ConvertToVector256Int32(Vector128.CreateScalarUnsafe(x).AsSByte()));

    /// <summary>Writes 8 elements of each of 8 rows of integers as 8 columns of floats. Rows past <paramref name="last"/> are copies of it.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Transpose8SByte(ref sbyte source, nint stride, int last, ref float target, nint targetStride) => Transpose(
        LoadSByte(ref source, 0), LoadSByte(ref source, Math.Min(1, last) * stride), LoadSByte(ref source, Math.Min(2, last) * stride), LoadSByte(ref source, Math.Min(3, last) * stride),
        LoadSByte(ref source, Math.Min(4, last) * stride), LoadSByte(ref source, Math.Min(5, last) * stride), LoadSByte(ref source, Math.Min(6, last) * stride), LoadSByte(ref source, Math.Min(7, last) * stride),
        ref target, targetStride);

    /// <summary>Multiplies the elements of a row from one to an end by factors, each by its own.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Multiply(ref float row, int from, int end, ref float factors)
    {
        int i = from;
        for (; i <= end - 8; i += 8) Store(Load(ref row, i) * Load(ref factors, i), ref row, i);
        if (i < end) Store(Select(FirstOf(end - i), Load(ref row, i) * Load(ref factors, i), Load(ref row, i)), ref row, i);
    }

    /// <summary>The same, but not those that <see cref="KernelMemory.Hidden"/> tells: a factor may be NaN.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void MultiplyVisible(ref float row, int from, int end, ref float factors)
    {
        for (int i = from; i < end; i += 8)
        {
            var x = Load(ref row, i);
            var changes = Vector256.AndNot(FirstOf(end - i), Vector256.Equals(x.AsInt32(), Vector256.Create(int.MinValue)).AsSingle());
            Store(Select(changes, x * Load(ref factors, i), x), ref row, i);
        }
    }

    /// <summary>The first numbers of 8 pairs of bfloat16, as floats.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<float> LowBFloat16(ref BFloat16 origin, nint offset) => (Vector256.LoadUnsafe(ref Unsafe.As<BFloat16, int>(ref Unsafe.Add(ref origin, offset))) << 16).AsSingle();

    /// <summary>The second numbers of 8 pairs of bfloat16, as floats.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<float> HighBFloat16(ref BFloat16 origin, nint offset) => (Vector256.LoadUnsafe(ref Unsafe.As<BFloat16, int>(ref Unsafe.Add(ref origin, offset))) & Vector256.Create(~0xFFFF)).AsSingle();
}
