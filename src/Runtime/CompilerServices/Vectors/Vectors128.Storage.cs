using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace AttentionGen.CompilerServices;

// Rows in the types that only storage has: they become floats as they are loaded, exactly. .NET has no instructions for them, so integers do it.
public static partial class Vectors128
{
    /// <summary>Half-precision numbers have their exponent 2^112 times too low once their bits lie where those of a float lie.</summary>
    internal const float HalfScale = 5.192296858534828e33f; // 2^112

    /// <summary>The bits of a float that a half-precision number has: all but the highest three of the exponent and the lowest 13.</summary>
    internal const int HalfBits = unchecked((int)0x8FFFE000);

    /// <summary>The least float that no finite half-precision number reaches: its infinity and its NaN lie there and above.</summary>
    internal const float HalfLimit = 65536f;

    /// <summary>A magnitude below which floats stay finite when they become <see cref="HalfScale"/> times as large.</summary>
    internal const float RaisedLimit = 65536f;

    /// <summary>The exponent of infinity and NaN.</summary>
    internal const int Infinity = 0x7F800000;

    /// <summary>The half-precision vector at an offset, as floats.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector128<float> LoadHalf(ref Half origin, nint offset) => OfHalf(Four(ref Unsafe.As<Half, ushort>(ref Unsafe.Add(ref origin, offset))));

    /// <summary>The first half-precision numbers from memory that may end after them, then zeros.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector128<float> LoadFirstHalf(ref Half origin, nint offset, int count) => OfHalf(FirstFour(ref Unsafe.As<Half, ushort>(ref Unsafe.Add(ref origin, offset)), count));

    /// <summary>The half-precision vector at an offset, as floats, or 2^112 times too small.</summary>
    /// <typeparam name="THalves"><see cref="AnyHalves"/> or <see cref="FiniteHalves"/>.</typeparam>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector128<float> LoadHalf<THalves>(ref Half origin, nint offset)
        where THalves : struct => typeof(THalves) == typeof(FiniteHalves) ? Small(Four(ref Unsafe.As<Half, ushort>(ref Unsafe.Add(ref origin, offset)))) : LoadHalf(ref origin, offset);

    /// <summary>The first half-precision numbers from memory that may end after them, then zeros; as floats, or 2^112 times too small.</summary>
    /// <typeparam name="THalves"><see cref="AnyHalves"/> or <see cref="FiniteHalves"/>.</typeparam>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector128<float> LoadFirstHalf<THalves>(ref Half origin, nint offset, int count)
        where THalves : struct => typeof(THalves) == typeof(FiniteHalves) ? Small(FirstFour(ref Unsafe.As<Half, ushort>(ref Unsafe.Add(ref origin, offset)), count)) : LoadFirstHalf(ref origin, offset, count);

    /// <summary>Makes a row of weights 2^112 times as large for <see cref="FiniteHalves"/>. They are far below 2^16, so that this is exact.</summary>
    /// <typeparam name="THalves"><see cref="AnyHalves"/> or <see cref="FiniteHalves"/>.</typeparam>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Raise<THalves>(ref float row, int count)
        where THalves : struct
    {
        if (typeof(THalves) != typeof(FiniteHalves)) return;
        for (int i = 0; i < count; i += 4) Store(Load(ref row, i) * Vector128.Create(HalfScale), ref row, i);
    }

    /// <summary>Makes rows of queries, whole vectors, 2^112 times as large for <see cref="FiniteHalves"/>, unless one of them would not stay finite.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static bool TryRaise(ref float rows, int count)
    {
        for (int i = 0; i < count; i += 4)
            if (!Vector128.LessThanAll(Vector128.Abs(Load(ref rows, i)), Vector128.Create(RaisedLimit))) return false;
        Raise<FiniteHalves>(ref rows, count);
        return true;
    }

    /// <summary>The bfloat16 vector at an offset, as floats.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector128<float> LoadBFloat16(ref BFloat16 origin, nint offset) => OfBFloat16(Four(ref Unsafe.As<BFloat16, ushort>(ref Unsafe.Add(ref origin, offset))));

    /// <summary>The first bfloat16 numbers from memory that may end after them, then zeros.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector128<float> LoadFirstBFloat16(ref BFloat16 origin, nint offset, int count) => OfBFloat16(FirstFour(ref Unsafe.As<BFloat16, ushort>(ref Unsafe.Add(ref origin, offset)), count));

    /// <summary>Rounds a vector to half precision, to nearest even, and writes it at an offset.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void StoreHalf(Vector128<float> x, ref Half origin, nint offset) => StoreFour(ToHalf(x), ref Unsafe.As<Half, ushort>(ref Unsafe.Add(ref origin, offset)));

    /// <summary>Rounds the first elements to half precision and writes them and nothing after them.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void StoreFirstHalf(Vector128<float> x, ref Half origin, nint offset, int count) => StoreFirst(ToHalf(x), ref Unsafe.As<Half, ushort>(ref Unsafe.Add(ref origin, offset)), count);

    /// <summary>Rounds a vector to bfloat16, to nearest even, and writes it at an offset.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void StoreBFloat16(Vector128<float> x, ref BFloat16 origin, nint offset) => StoreFour(Narrowing.Rounded(x), ref Unsafe.As<BFloat16, ushort>(ref Unsafe.Add(ref origin, offset)));

    /// <summary>Rounds the first elements to bfloat16 and writes them and nothing after them.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void StoreFirstBFloat16(Vector128<float> x, ref BFloat16 origin, nint offset, int count) =>
        StoreFirst(Narrowing.Rounded(x), ref Unsafe.As<BFloat16, ushort>(ref Unsafe.Add(ref origin, offset)), count);

    /// <summary>An element as a float.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static float ReadFloat(ref Half origin, nint offset) => OfHalf(Vector128.CreateScalar(Unsafe.As<Half, short>(ref Unsafe.Add(ref origin, offset)))).ToScalar();

    /// <inheritdoc cref="ReadFloat(ref Half, nint)"/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static float ReadFloat(ref BFloat16 origin, nint offset) => BitConverter.UInt32BitsToSingle((uint)Unsafe.As<BFloat16, ushort>(ref Unsafe.Add(ref origin, offset)) << 16);

    /// <summary>Rounds a float to nearest even and writes it.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void WriteFloat(float x, ref Half origin, nint offset) => Unsafe.As<Half, ushort>(ref Unsafe.Add(ref origin, offset)) = (ushort)ToHalf(Vector128.CreateScalar(x)).ToScalar();

    /// <inheritdoc cref="WriteFloat(float, ref Half, nint)"/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void WriteFloat(float x, ref BFloat16 origin, nint offset) =>
        Unsafe.As<BFloat16, ushort>(ref Unsafe.Add(ref origin, offset)) = (ushort)Narrowing.Rounded(Vector128.CreateScalar(x)).ToScalar();

    /// <summary>Four half-precision numbers, in the low halves of the elements, as floats.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal static Vector128<float> OfHalf(Vector128<short> x)
    {
        // Infinity and NaN get the highest exponent.
        var scaled = Small(x) * Vector128.Create(HalfScale);
        return scaled | (Vector128.GreaterThanOrEqual(Vector128.Abs(scaled), Vector128.Create(HalfLimit)) & Vector128.Create(Infinity).AsSingle());
    }

    /// <summary>
    /// Four half-precision numbers, in the low halves of the elements, as floats that are 2^112 times too small. With the sign copied upwards, the bits are a float with an exponent that is
    /// 112 too low; subnormals become subnormals, and all finite numbers are exact.
    /// </summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector128<float> Small(Vector128<short> x) => ((Vector128.WidenLower(x) << 13) & Vector128.Create(HalfBits)).AsSingle();

    /// <summary>Four bfloat16 numbers, the upper halves of floats.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal static Vector128<float> OfBFloat16(Vector128<short> x) => (Vector128.WidenLower(x) << 16).AsSingle();

    /// <summary>Half-precision numbers in the low halves of the elements: to nearest even, NaN as a quiet NaN.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal static Vector128<uint> ToHalf(Vector128<float> x)
    {
        const int Least = 0x38800000, Half = 0x3F000000, Above = 0x47800000; // 2^-14, the least normal number; 0.5, in whose last places subnormals lie; 2^16
        var magnitude = x.AsInt32() & Vector128.Create(int.MaxValue);
        var sign = (x.AsInt32() >>> 16) & Vector128.Create(0x8000);
        var normal = (magnitude + Vector128.Create(unchecked((int)0xC8000FFF)) + ((magnitude >>> 13) & Vector128<int>.One)) >>> 13;
        var subnormal = (magnitude.AsSingle() + Vector128.Create(Half).AsSingle()).AsInt32() - Vector128.Create(Half);
        var special = Vector128.ConditionalSelect(
            Vector128.GreaterThan(magnitude, Vector128.Create(Infinity)), ((magnitude >>> 13) & Vector128.Create(0x3FF)) | Vector128.Create(0x7E00), Vector128.Create(0x7C00));
        var rounded = Vector128.ConditionalSelect(Vector128.LessThan(magnitude, Vector128.Create(Least)), subnormal, normal);
        return (sign | Vector128.ConditionalSelect(Vector128.GreaterThanOrEqual(magnitude, Vector128.Create(Above)), special, rounded)).AsUInt32();
    }

    /// <summary>Four numbers of 16 bits, in the lower half of a vector.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector128<short> Four(ref ushort source) => Vector128.CreateScalarUnsafe(Unsafe.ReadUnaligned<double>(ref Unsafe.As<ushort, byte>(ref source))).AsInt16();

    /// <summary>The first numbers of 16 bits, and zeros. The count is a constant of 1 to 3.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector128<short> FirstFour(ref ushort source, int count) => Vector128.CreateScalar(FirstFourBits(ref source, count)).AsInt16();

    /// <summary>The first numbers of 16 bits, the first one lowest. The count is a constant of 1 to 4.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal static ulong FirstFourBits(ref ushort source, int count)
    {
        if (count == 4) return Unsafe.ReadUnaligned<ulong>(ref Unsafe.As<ushort, byte>(ref source));
        if (count == 1) return source;
        ulong pair = Unsafe.ReadUnaligned<uint>(ref Unsafe.As<ushort, byte>(ref source));
        return count == 2 ? pair : pair | (ulong)Unsafe.Add(ref source, 2) << 32;
    }

    /// <summary>The low halves of the elements, side by side.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static ulong Narrowed(Vector128<uint> x) => Vector128.Narrow(x, x).AsUInt64().ToScalar();

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void StoreFour(Vector128<uint> x, ref ushort target) => Unsafe.WriteUnaligned(ref Unsafe.As<ushort, byte>(ref target), Narrowed(x));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void StoreFirst(Vector128<uint> x, ref ushort target, int count) => StoreFirstBits(Narrowed(x), ref target, count);

    /// <summary>Writes the first numbers of 16 bits. The count is a constant of 1 to 4.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal static void StoreFirstBits(ulong numbers, ref ushort target, int count)
    {
        if (count == 4)
        {
            Unsafe.WriteUnaligned(ref Unsafe.As<ushort, byte>(ref target), numbers);
            return;
        }

        target = (ushort)numbers;
        if (count > 1) Unsafe.Add(ref target, 1) = (ushort)(numbers >> 16);
        if (count > 2) Unsafe.Add(ref target, 2) = (ushort)(numbers >> 32);
    }

    /// <summary>Writes 4 elements of each of 4 half-precision rows as 4 columns of floats. Rows past <paramref name="last"/> are copies of it.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Transpose4Half(ref Half source, nint stride, int last, ref float target, nint targetStride) => Transpose(
        LoadHalf(ref source, 0), LoadHalf(ref source, Math.Min(1, last) * stride), LoadHalf(ref source, Math.Min(2, last) * stride), LoadHalf(ref source, Math.Min(3, last) * stride),
        ref target, targetStride);

    /// <summary>Writes 4 elements of each of 4 bfloat16 rows as 4 columns of floats. Rows past <paramref name="last"/> are copies of it.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Transpose4BFloat16(ref BFloat16 source, nint stride, int last, ref float target, nint targetStride) => Transpose(
        LoadBFloat16(ref source, 0), LoadBFloat16(ref source, Math.Min(1, last) * stride), LoadBFloat16(ref source, Math.Min(2, last) * stride), LoadBFloat16(ref source, Math.Min(3, last) * stride),
        ref target, targetStride);

    /// <summary>One element of each of 4 half-precision rows. Rows past <paramref name="last"/> are copies of it.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector128<float> Gather4Half(ref Half source, nint stride, int last) => OfHalf(GatherFour(ref Unsafe.As<Half, ushort>(ref source), stride, last));

    /// <summary>One element of each of 4 bfloat16 rows. Rows past <paramref name="last"/> are copies of it.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector128<float> Gather4BFloat16(ref BFloat16 source, nint stride, int last) => OfBFloat16(GatherFour(ref Unsafe.As<BFloat16, ushort>(ref source), stride, last));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector128<short> GatherFour(ref ushort source, nint stride, int last) => Vector128.CreateScalar(
        source | (ulong)Unsafe.Add(ref source, Math.Min(1, last) * stride) << 16 | (ulong)Unsafe.Add(ref source, Math.Min(2, last) * stride) << 32
        | (ulong)Unsafe.Add(ref source, Math.Min(3, last) * stride) << 48).AsInt16();

    /// <summary>The integers at an offset, as floats.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector128<float> LoadSByte(ref sbyte origin, nint offset) => OfSByte(Unsafe.ReadUnaligned<uint>(ref Unsafe.As<sbyte, byte>(ref Unsafe.Add(ref origin, offset))));

    /// <summary>The first integers from memory that may end after them, as floats, then zeros.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector128<float> LoadFirstSByte(ref sbyte origin, nint offset, int count) => OfSByte((uint)FirstBytes(ref Unsafe.Add(ref origin, offset), count));

    /// <summary>An integer as a float.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static float ReadFloat(ref sbyte origin, nint offset) => Unsafe.Add(ref origin, offset);

    /// <summary>Four integers as floats.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector128<float> OfSByte(uint x) => Vector128.ConvertToSingle(Vector128.WidenLower(Vector128.WidenLower(Vector128.CreateScalar(x).AsSByte())));

    /// <summary>The first bytes, the first one lowest, and zeros. The count is a constant of 1 to 7.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal static ulong FirstBytes(ref sbyte source, int count)
    {
        ref byte x = ref Unsafe.As<sbyte, byte>(ref source);
        if (count >= 4) return Unsafe.ReadUnaligned<uint>(ref x) | (count == 4 ? 0 : FirstBytes(ref Unsafe.Add(ref source, 4), count - 4) << 32);
        if (count == 1) return x;
        ulong pair = Unsafe.ReadUnaligned<ushort>(ref x);
        return count == 2 ? pair : pair | (ulong)Unsafe.Add(ref x, 2) << 16;
    }

    /// <summary>Writes 4 elements of each of 4 rows of integers as 4 columns of floats. Rows past <paramref name="last"/> are copies of it.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Transpose4SByte(ref sbyte source, nint stride, int last, ref float target, nint targetStride) => Transpose(
        LoadSByte(ref source, 0), LoadSByte(ref source, Math.Min(1, last) * stride), LoadSByte(ref source, Math.Min(2, last) * stride), LoadSByte(ref source, Math.Min(3, last) * stride),
        ref target, targetStride);

    /// <summary>One element of each of 4 rows of integers. Rows past <paramref name="last"/> are copies of it.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector128<float> Gather4SByte(ref sbyte source, nint stride, int last) => Vector128.ConvertToSingle(Vector128.Create(
        source, Unsafe.Add(ref source, Math.Min(1, last) * stride), Unsafe.Add(ref source, Math.Min(2, last) * stride), Unsafe.Add(ref source, Math.Min(3, last) * stride)));

    /// <summary>Multiplies the elements of a row from one to an end by factors, each by its own.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Multiply(ref float row, int from, int end, ref float factors)
    {
        int i = from;
        for (; i <= end - 4; i += 4) Store(Load(ref row, i) * Load(ref factors, i), ref row, i);
        if (i < end) Store(Select(FirstOf(end - i), Load(ref row, i) * Load(ref factors, i), Load(ref row, i)), ref row, i);
    }

    /// <summary>The same, but not those that <see cref="KernelMemory.Hidden"/> tells: a factor may be NaN.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void MultiplyVisible(ref float row, int from, int end, ref float factors)
    {
        for (int i = from; i < end; i += 4)
        {
            var x = Load(ref row, i);
            var changes = Vector128.AndNot(FirstOf(end - i), Vector128.Equals(x.AsInt32(), Vector128.Create(int.MinValue)).AsSingle());
            Store(Select(changes, x * Load(ref factors, i), x), ref row, i);
        }
    }

    /// <summary>The first numbers of 4 pairs of bfloat16, as floats.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector128<float> LowBFloat16(ref BFloat16 origin, nint offset) => (Vector128.LoadUnsafe(ref Unsafe.As<BFloat16, int>(ref Unsafe.Add(ref origin, offset))) << 16).AsSingle();

    /// <summary>The second numbers of 4 pairs of bfloat16, as floats.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector128<float> HighBFloat16(ref BFloat16 origin, nint offset) => (Vector128.LoadUnsafe(ref Unsafe.As<BFloat16, int>(ref Unsafe.Add(ref origin, offset))) & Vector128.Create(~0xFFFF)).AsSingle();
}
