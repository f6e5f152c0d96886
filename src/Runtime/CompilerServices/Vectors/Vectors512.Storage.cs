using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace AttentionGen.CompilerServices;

// Rows in the types that only storage has, as for narrower vectors.
public static partial class Vectors512
{
    /// <summary>The half-precision vector at an offset, as floats.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<float> LoadHalf(ref Half origin, nint offset) => OfHalf(Vector256.LoadUnsafe(ref Unsafe.As<Half, short>(ref Unsafe.Add(ref origin, offset))));

    /// <summary>The first half-precision numbers from memory that may end after them, then zeros; for pinned or native memory.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<float> LoadFirstHalf(ref Half origin, nint offset, int count) => OfHalf(LoadFirst(ref Unsafe.As<Half, short>(ref Unsafe.Add(ref origin, offset)), count));

    /// <summary>The half-precision vector at an offset, as floats, or 2^112 times too small.</summary>
    /// <typeparam name="THalves"><see cref="AnyHalves"/> or <see cref="FiniteHalves"/>.</typeparam>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<float> LoadHalf<THalves>(ref Half origin, nint offset)
        where THalves : struct => typeof(THalves) == typeof(FiniteHalves) ? Small(Vector256.LoadUnsafe(ref Unsafe.As<Half, short>(ref Unsafe.Add(ref origin, offset)))) : LoadHalf(ref origin, offset);

    /// <summary>The first half-precision numbers from memory that may end after them, then zeros; as floats, or 2^112 times too small.</summary>
    /// <typeparam name="THalves"><see cref="AnyHalves"/> or <see cref="FiniteHalves"/>.</typeparam>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<float> LoadFirstHalf<THalves>(ref Half origin, nint offset, int count)
        where THalves : struct => typeof(THalves) == typeof(FiniteHalves) ? Small(LoadFirst(ref Unsafe.As<Half, short>(ref Unsafe.Add(ref origin, offset)), count)) : LoadFirstHalf(ref origin, offset, count);

    /// <summary>Makes a row of weights 2^112 times as large for <see cref="FiniteHalves"/>. They are far below 2^16, so that this is exact.</summary>
    /// <typeparam name="THalves"><see cref="AnyHalves"/> or <see cref="FiniteHalves"/>.</typeparam>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Raise<THalves>(ref float row, int count)
        where THalves : struct
    {
        if (typeof(THalves) != typeof(FiniteHalves)) return;
        for (int i = 0; i < count; i += 16) Store(Load(ref row, i) * Vector512.Create(Vectors128.HalfScale), ref row, i);
    }

    /// <summary>Makes rows of queries, whole vectors, 2^112 times as large for <see cref="FiniteHalves"/>, unless one of them would not stay finite.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static bool TryRaise(ref float rows, int count)
    {
        for (int i = 0; i < count; i += 16)
            if (!Vector512.LessThanAll(Vector512.Abs(Load(ref rows, i)), Vector512.Create(Vectors128.RaisedLimit))) return false;
        Raise<FiniteHalves>(ref rows, count);
        return true;
    }

    /// <summary>The bfloat16 vector at an offset, as floats.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<float> LoadBFloat16(ref BFloat16 origin, nint offset) => OfBFloat16(Vector256.LoadUnsafe(ref Unsafe.As<BFloat16, short>(ref Unsafe.Add(ref origin, offset))));

    /// <summary>The first bfloat16 numbers from memory that may end after them, then zeros; for pinned or native memory.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<float> LoadFirstBFloat16(ref BFloat16 origin, nint offset, int count) => OfBFloat16(LoadFirst(ref Unsafe.As<BFloat16, short>(ref Unsafe.Add(ref origin, offset)), count));

    /// <summary>Rounds a vector to half precision, to nearest even, and writes it at an offset.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void StoreHalf(Vector512<float> x, ref Half origin, nint offset)
    {
        Vectors256.StoreHalf(x.GetLower(), ref origin, offset);
        Vectors256.StoreHalf(x.GetUpper(), ref origin, offset + 8);
    }

    /// <summary>Rounds the first elements to half precision and writes them and nothing after them.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void StoreFirstHalf(Vector512<float> x, ref Half origin, nint offset, int count)
    {
        if (count < 8)
        {
            Vectors256.StoreFirstHalf(x.GetLower(), ref origin, offset, count);
            return;
        }

        Vectors256.StoreHalf(x.GetLower(), ref origin, offset);
        if (count > 8) Vectors256.StoreFirstHalf(x.GetUpper(), ref origin, offset + 8, count - 8);
    }

    /// <summary>Rounds a vector to bfloat16, to nearest even, and writes it at an offset.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void StoreBFloat16(Vector512<float> x, ref BFloat16 origin, nint offset)
    {
        Vectors256.StoreBFloat16(x.GetLower(), ref origin, offset);
        Vectors256.StoreBFloat16(x.GetUpper(), ref origin, offset + 8);
    }

    /// <summary>Rounds the first elements to bfloat16 and writes them and nothing after them.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void StoreFirstBFloat16(Vector512<float> x, ref BFloat16 origin, nint offset, int count)
    {
        if (count < 8)
        {
            Vectors256.StoreFirstBFloat16(x.GetLower(), ref origin, offset, count);
            return;
        }

        Vectors256.StoreBFloat16(x.GetLower(), ref origin, offset);
        if (count > 8) Vectors256.StoreFirstBFloat16(x.GetUpper(), ref origin, offset + 8, count - 8);
    }

    /// <summary>16 half-precision numbers as floats: see <see cref="Vectors128.OfHalf"/>.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector512<float> OfHalf(Vector256<short> x)
    {
        var scaled = Small(x) * Vector512.Create(Vectors128.HalfScale);
        return scaled | (Vector512.GreaterThanOrEqual(Vector512.Abs(scaled), Vector512.Create(Vectors128.HalfLimit)) & Vector512.Create(Vectors128.Infinity).AsSingle());
    }

    /// <summary>16 half-precision numbers as floats that are 2^112 times too small: see <see cref="Vectors128.OfHalf"/>.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector512<float> Small(Vector256<short> x) => ((Avx512F.ConvertToVector512Int32(x) << 13) & Vector512.Create(Vectors128.HalfBits)).AsSingle();

    /// <summary>16 bfloat16 numbers, the upper halves of floats.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector512<float> OfBFloat16(Vector256<short> x) => (Avx512F.ConvertToVector512Int32(x) << 16).AsSingle();

    /// <summary>The first numbers of 16 bits, and zeros. The count is at least 1 and less than 16.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static unsafe Vector256<short> LoadFirst(ref short source, int count) =>
        Avx512BW.VL.MaskLoad((short*)Unsafe.AsPointer(ref source), Vector256.LessThan(Vector256<short>.Indices, Vector256.Create((short)count)), Vector256<short>.Zero);

    /// <summary>The integers at an offset, as floats.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<float> LoadSByte(ref sbyte origin, nint offset) => OfSByte(Vector128.LoadUnsafe(ref Unsafe.Add(ref origin, offset)));

    /// <summary>The first integers from memory that may end after them, as floats, then zeros; for pinned or native memory.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static unsafe Vector512<float> LoadFirstSByte(ref sbyte origin, nint offset, int count) => OfSByte(
        Avx512BW.VL.MaskLoad((sbyte*)Unsafe.AsPointer(ref Unsafe.Add(ref origin, offset)), Vector128.LessThan(Vector128<sbyte>.Indices, Vector128.Create((sbyte)count)), Vector128<sbyte>.Zero));

    /// <summary>16 integers as floats.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector512<float> OfSByte(Vector128<sbyte> x) => Vector512.ConvertToSingle(Avx512F.ConvertToVector512Int32(x));

    /// <summary>Multiplies the elements of a row from one to an end by factors, each by its own.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Multiply(ref float row, int from, int end, ref float factors)
    {
        int i = from;
        for (; i <= end - 16; i += 16) Store(Load(ref row, i) * Load(ref factors, i), ref row, i);
        if (i < end) Store(Select(FirstOf(end - i), Load(ref row, i) * Load(ref factors, i), Load(ref row, i)), ref row, i);
    }

    /// <summary>The same, but not those that <see cref="KernelMemory.Hidden"/> tells: a factor may be NaN.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void MultiplyVisible(ref float row, int from, int end, ref float factors)
    {
        for (int i = from; i < end; i += 16)
        {
            var x = Load(ref row, i);
            var changes = Vector512.AndNot(FirstOf(end - i), Vector512.Equals(x.AsInt32(), Vector512.Create(int.MinValue)).AsSingle());
            Store(Select(changes, x * Load(ref factors, i), x), ref row, i);
        }
    }

    /// <summary>The first numbers of 16 pairs of bfloat16, as floats.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<float> LowBFloat16(ref BFloat16 origin, nint offset) => (Vector512.LoadUnsafe(ref Unsafe.As<BFloat16, int>(ref Unsafe.Add(ref origin, offset))) << 16).AsSingle();

    /// <summary>The second numbers of 16 pairs of bfloat16, as floats.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<float> HighBFloat16(ref BFloat16 origin, nint offset) => (Vector512.LoadUnsafe(ref Unsafe.As<BFloat16, int>(ref Unsafe.Add(ref origin, offset))) & Vector512.Create(~0xFFFF)).AsSingle();
}
