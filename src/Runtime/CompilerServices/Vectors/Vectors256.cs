using System.ComponentModel;
using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace AttentionGen.CompilerServices;

/// <summary>The operations of generated kernels on vectors of 8 floats. All of them inline.</summary>
[EditorBrowsable(EditorBrowsableState.Never)]
public static partial class Vectors256
{
    // 2^f as a polynomial of degree 5 with the least relative error (Remez): 7.5e-8 on [-1/2, 1/2]. Degree 6 would reach 2e-9, less than the rounding errors of
    // the evaluation.
    internal const float N0 = 1.000000119e+00f, N1 = 6.931469440e-01f, N2 = 2.402212024e-01f, N3 = 5.550713092e-02f, N4 = 9.675540961e-03f, N5 = 1.327647245e-03f;

    // (2^f - 1) / f as a polynomial of degree 5, interpolated at the zeros of a Chebyshev polynomial: relative error 2.2e-8 on [-1/2, 1/2].
    internal const float M0 = 6.931471880e-01f, M1 = 2.402265076e-01f, M2 = 5.550357114e-02f, M3 = 9.618082557e-03f, M4 = 1.339086336e-03f, M5 = 1.545316295e-04f;

    // 1.5 * 2^23 + 127. The lowest bits of its sum with x are round(x) + 127, the exponent of 2^round(x).
    internal const float Magic = 12583039f;

    /// <summary>The vector at an offset.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<float> Load(ref float origin, nint offset) => Vector256.LoadUnsafe(ref Unsafe.Add(ref origin, offset));

    /// <summary>Writes the vector at an offset.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Store(Vector256<float> x, ref float origin, nint offset) => x.StoreUnsafe(ref Unsafe.Add(ref origin, offset));

    /// <summary>A vector with the float at an offset in every element.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<float> Splat(ref float origin, nint offset) => Vector256.Create(Unsafe.Add(ref origin, offset));

    /// <summary>A vector with a number in every element.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<float> All(float x) => Vector256.Create(x);

    /// <summary>x * y + z, rounded once.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<float> MulAdd(Vector256<float> x, Vector256<float> y, Vector256<float> z) => Vector256.FusedMultiplyAdd(x, y, z);

    /// <summary>The larger element of each pair, or the second one if one is NaN.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<float> Max(Vector256<float> x, Vector256<float> y) => Vector256.MaxNative(x, y);

    /// <summary>The first vector's elements where the mask is set, else the second's.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<float> Select(Vector256<float> mask, Vector256<float> x, Vector256<float> y) =>
        Vector256.ConditionalSelect(mask, x, y);

    /// <summary>The first element.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static float First(Vector256<float> x) => x.ToScalar();

    /// <summary>The sum of the elements.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static float Sum(Vector256<float> x) => Vector256.Sum(x);

    /// <summary>Whether every element is 0.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static bool AllZero(Vector256<float> x) => Vector256.EqualsAll(x, Vector256<float>.Zero);

    /// <summary>
    /// The larger element of each pair, compared as integers: the larger of two numbers of which one is positive. A positive NaN is larger than all numbers.
    /// </summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<float> MaxBits(Vector256<float> x, Vector256<float> y) => Vector256.Max(x.AsInt32(), y.AsInt32()).AsSingle();

    /// <summary>Whether no element exceeds a positive limit, compared as integers: no number above it and no NaN except a negative one.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static bool Within(Vector256<float> x, float limit) => Vector256.LessThanOrEqualAll(x.AsInt32(), Vector256.Create(limit).AsInt32());

    /// <summary>A mask with all bits set in the first elements. The count may be below 0 or above the width.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<float> FirstOf(int count) => Vector256.LessThan(Vector256<int>.Indices, Vector256.Create(count)).AsSingle();

    /// <summary>2^x for x below 128, relative error 2.2e-7; 0 below 2^-126.5, NaN for NaN.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<float> Exp2(Vector256<float> x)
    {
        x = Vector256.MaxNative(Vector256.Create(-127f), x); // this order of operands keeps a NaN
        var shifted = x + Vector256.Create(Magic);
        var f = x - (shifted - Vector256.Create(Magic));
        var p = Vector256.FusedMultiplyAdd(Vector256.Create(N5), f, Vector256.Create(N4));
        p = Vector256.FusedMultiplyAdd(p, f, Vector256.Create(N3));
        p = Vector256.FusedMultiplyAdd(p, f, Vector256.Create(N2));
        p = Vector256.FusedMultiplyAdd(p, f, Vector256.Create(N1));
        p = Vector256.FusedMultiplyAdd(p, f, Vector256.Create(N0));
        return p * (shifted.AsInt32() << 23).AsSingle();
    }

    /// <summary>
    /// The weights 2^(score * scale + level), relative error 2.2e-7. Levels are integers with <see cref="Levels.Whole"/> added. The result must be below 2^127;
    /// it is 0 below 2^-126, and NaN for NaN.
    /// </summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<float> Weight(Vector256<float> score, Vector256<float> scale, Vector256<float> level)
    {
        var power = MulAdd(score, scale, level);
        var f = MulAdd(score, scale, level - power);
        var p = Vector256.FusedMultiplyAdd(Vector256.Create(N5), f, Vector256.Create(N4));
        p = Vector256.FusedMultiplyAdd(p, f, Vector256.Create(N3));
        p = Vector256.FusedMultiplyAdd(p, f, Vector256.Create(N2));
        p = Vector256.FusedMultiplyAdd(p, f, Vector256.Create(N1));
        p = Vector256.FusedMultiplyAdd(p, f, Vector256.Create(N0));
        return TimesPower(p, power);
    }

    /// <summary>
    /// Makes weights, as <see cref="Weight"/> does, of the scores in four consecutive vectors, and returns their sum. The four go through each step together: chains of one multiply-add
    /// after the other would leave the multipliers idle.
    /// </summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<float> Weights4(ref float scores, nint offset, Vector256<float> scale, Vector256<float> level)
    {
        Vector256<float> s0 = Load(ref scores, offset), s1 = Load(ref scores, offset + 8), s2 = Load(ref scores, offset + 16), s3 = Load(ref scores, offset + 24);
        Vector256<float> x0 = MulAdd(s0, scale, level), x1 = MulAdd(s1, scale, level), x2 = MulAdd(s2, scale, level), x3 = MulAdd(s3, scale, level);
        Vector256<float> f0 = MulAdd(s0, scale, level - x0), f1 = MulAdd(s1, scale, level - x1), f2 = MulAdd(s2, scale, level - x2), f3 = MulAdd(s3, scale, level - x3);
        Vector256<float> n5 = Vector256.Create(N5), n = Vector256.Create(N4);
        Vector256<float> p0 = MulAdd(n5, f0, n), p1 = MulAdd(n5, f1, n), p2 = MulAdd(n5, f2, n), p3 = MulAdd(n5, f3, n);
        n = Vector256.Create(N3);
        (p0, p1, p2, p3) = (MulAdd(p0, f0, n), MulAdd(p1, f1, n), MulAdd(p2, f2, n), MulAdd(p3, f3, n));
        n = Vector256.Create(N2);
        (p0, p1, p2, p3) = (MulAdd(p0, f0, n), MulAdd(p1, f1, n), MulAdd(p2, f2, n), MulAdd(p3, f3, n));
        n = Vector256.Create(N1);
        (p0, p1, p2, p3) = (MulAdd(p0, f0, n), MulAdd(p1, f1, n), MulAdd(p2, f2, n), MulAdd(p3, f3, n));
        n = Vector256.Create(N0);
        (p0, p1, p2, p3) = (MulAdd(p0, f0, n), MulAdd(p1, f1, n), MulAdd(p2, f2, n), MulAdd(p3, f3, n));
        (p0, p1, p2, p3) = (TimesPower(p0, x0), TimesPower(p1, x1), TimesPower(p2, x2), TimesPower(p3, x3));
        Store(p0, ref scores, offset);
        Store(p1, ref scores, offset + 8);
        Store(p2, ref scores, offset + 16);
        Store(p3, ref scores, offset + 24);
        return (p0 + p1) + (p2 + p3);
    }

    /// <summary>x times the power of two in the lowest bits of a sum with <see cref="Levels.Whole"/>; 0 below 2^-126, NaN for NaN.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector256<float> TimesPower(Vector256<float> x, Vector256<float> power)
    {
        // The lowest bits of a NaN are any. The minimum is its second operand then, whose lowest nine bits are 0: x, a NaN, stays as it is.
        var shift = Vector256.MinNative(power, Vector256.Create(Levels.NoPower)).AsInt32() << 23;
        return Vector256.AndNot((x.AsInt32() + shift).AsSingle(), Vector256.LessThan(power, Vector256.Create(Levels.Whole - 126)));
    }

    /// <summary>Writes a partial sum, added to what lies at an offset of <paramref name="before"/>, at the same offset of <paramref name="sums"/>.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void PutAside(Vector256<float> sum, ref float before, ref float sums, nint offset) => Store(sum + Load(ref before, offset), ref sums, offset);

    /// <summary>The largest element.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static float Largest(Vector256<float> x) => Vectors128.Largest(Vector128.MaxNative(x.GetLower(), x.GetUpper()));

    /// <summary>Writes the first elements and nothing after them; for pinned or native memory.</summary>
    // The count is at least 1 and less than the width.
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static unsafe void StoreFirst(Vector256<float> x, ref float origin, nint offset, int count) =>
        Avx.MaskStore((float*)Unsafe.AsPointer(ref Unsafe.Add(ref origin, offset)), FirstOf(count), x);

    /// <summary>Loads the first elements from memory that may end after them, then zeros; for pinned or native memory.</summary>
    // The count is at least 1 and less than the width.
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static unsafe Vector256<float> LoadFirst(ref float origin, nint offset, int count) =>
        Avx.MaskLoad((float*)Unsafe.AsPointer(ref Unsafe.Add(ref origin, offset)), FirstOf(count));

    /// <summary>The sum of the elements of each of four vectors.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector128<float> Sums4(Vector256<float> a, Vector256<float> b, Vector256<float> c, Vector256<float> d)
    {
        var ab = Avx.UnpackLow(a, b) + Avx.UnpackHigh(a, b);
        var cd = Avx.UnpackLow(c, d) + Avx.UnpackHigh(c, d);
        var parts = Avx.Shuffle(ab, cd, 0x44) + Avx.Shuffle(ab, cd, 0xEE);
        return parts.GetLower() + parts.GetUpper();
    }

    /// <summary>Writes 8 elements of each of 8 rows as 8 columns. Rows past <paramref name="last"/> are copies of it.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Transpose8(ref float source, nint stride, int last, ref float target, nint targetStride) => Transpose(
        Load(ref source, 0), Load(ref source, Math.Min(1, last) * stride), Load(ref source, Math.Min(2, last) * stride), Load(ref source, Math.Min(3, last) * stride),
        Load(ref source, Math.Min(4, last) * stride), Load(ref source, Math.Min(5, last) * stride), Load(ref source, Math.Min(6, last) * stride), Load(ref source, Math.Min(7, last) * stride),
        ref target, targetStride);

    /// <summary>Writes 8 rows as 8 columns.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Transpose(
        Vector256<float> r0, Vector256<float> r1, Vector256<float> r2, Vector256<float> r3, Vector256<float> r4, Vector256<float> r5, Vector256<float> r6, Vector256<float> r7,
        ref float target, nint targetStride)
    {
        // Pairs of rows, then fours, then the two halves.
        var a0 = Avx.UnpackLow(r0, r1);
        var a1 = Avx.UnpackHigh(r0, r1);
        var a2 = Avx.UnpackLow(r2, r3);
        var a3 = Avx.UnpackHigh(r2, r3);
        var a4 = Avx.UnpackLow(r4, r5);
        var a5 = Avx.UnpackHigh(r4, r5);
        var a6 = Avx.UnpackLow(r6, r7);
        var a7 = Avx.UnpackHigh(r6, r7);
        var b0 = Avx.Shuffle(a0, a2, 0x44);
        var b1 = Avx.Shuffle(a0, a2, 0xEE);
        var b2 = Avx.Shuffle(a1, a3, 0x44);
        var b3 = Avx.Shuffle(a1, a3, 0xEE);
        var b4 = Avx.Shuffle(a4, a6, 0x44);
        var b5 = Avx.Shuffle(a4, a6, 0xEE);
        var b6 = Avx.Shuffle(a5, a7, 0x44);
        var b7 = Avx.Shuffle(a5, a7, 0xEE);
        Avx.Permute2x128(b0, b4, 0x20).StoreUnsafe(ref target);
        Avx.Permute2x128(b1, b5, 0x20).StoreUnsafe(ref Unsafe.Add(ref target, targetStride));
        Avx.Permute2x128(b2, b6, 0x20).StoreUnsafe(ref Unsafe.Add(ref target, 2 * targetStride));
        Avx.Permute2x128(b3, b7, 0x20).StoreUnsafe(ref Unsafe.Add(ref target, 3 * targetStride));
        Avx.Permute2x128(b0, b4, 0x31).StoreUnsafe(ref Unsafe.Add(ref target, 4 * targetStride));
        Avx.Permute2x128(b1, b5, 0x31).StoreUnsafe(ref Unsafe.Add(ref target, 5 * targetStride));
        Avx.Permute2x128(b2, b6, 0x31).StoreUnsafe(ref Unsafe.Add(ref target, 6 * targetStride));
        Avx.Permute2x128(b3, b7, 0x31).StoreUnsafe(ref Unsafe.Add(ref target, 7 * targetStride));
    }

    /// <summary>1 / sqrt(mean of squares + epsilon), from the sum of squares.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<float> InverseRms(Vector256<float> squares, float count, float epsilon) =>
        Vector256<float>.One / Vector256.Sqrt(squares / Vector256.Create(count) + Vector256.Create(epsilon));

    /// <summary>1 / max(sqrt(sum of squares), epsilon).</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<float> InverseNorm(Vector256<float> squares, float epsilon) => Vector256<float>.One / Max(Vector256.Create(epsilon), Vector256.Sqrt(squares));

    /// <summary>The absolute values.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<float> Abs(Vector256<float> x) => Vector256.Abs(x);

    /// <summary>The consecutive numbers x, x + 1, x + 2 ...</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<float> From(float x) => Vector256.Create(x) + Vector256.ConvertToSingle(Vector256<int>.Indices);

    /// <summary>The hyperbolic tangent, relative error 5e-7; 1 or -1 from 9.01 on, NaN for NaN.</summary>
    /// <remarks>e / (e + 2) with e = e^(2 |x|) - 1.</remarks>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<float> Tanh(Vector256<float> x)
    {
        var e = Growth(x);
        return Vector256.CopySign(e / (e + Vector256.Create(2f)), x);
    }

    /// <summary>sum + v tanh(x), relative error of the hyperbolic tangent 5e-7.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<float> AddTanh(Vector256<float> sum, Vector256<float> x, Vector256<float> v) => MulAdd(Tanh(x), v, sum);

    /// <summary>sum + v tanh(x) + u tanh(y), relative error of each hyperbolic tangent 1e-6, for v and u up to 1e20 in magnitude. Both share a division, which takes as long as eight multiply-adds.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<float> AddTanh(Vector256<float> sum, Vector256<float> x, Vector256<float> v, Vector256<float> y, Vector256<float> u)
    {
        Vector256<float> e = Growth(x), g = Growth(y), c = e + Vector256.Create(2f), h = g + Vector256.Create(2f);
        return sum + MulAdd(Vector256.CopySign(e, x) * v, h, Vector256.CopySign(g, y) * u * c) / (c * h);
    }

    /// <summary>e^(2 |x|) - 1, which keeps its precision near 0; NaN for NaN. Beyond 9.01, where the hyperbolic tangent is 1, it does not grow.</summary>
    /// <remarks>2^y with y = 2 |x| log2(e). The power of two is split off and the rest is computed without its 1.</remarks>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector256<float> Growth(Vector256<float> x)
    {
        var y = Vector256.Abs(x) * Vector256.Create(2.88539008f);
        y = Vector256.MinNative(Vector256.Create(26f), y); // this order of operands keeps a NaN
        var shifted = y + Vector256.Create(Magic);
        var f = y - (shifted - Vector256.Create(Magic));
        var p = Vector256.FusedMultiplyAdd(Vector256.Create(M5), f, Vector256.Create(M4));
        p = Vector256.FusedMultiplyAdd(p, f, Vector256.Create(M3));
        p = Vector256.FusedMultiplyAdd(p, f, Vector256.Create(M2));
        p = Vector256.FusedMultiplyAdd(p, f, Vector256.Create(M1));
        p = Vector256.FusedMultiplyAdd(p, f, Vector256.Create(M0));
        var power = (shifted.AsInt32() << 23).AsSingle();
        return Vector256.FusedMultiplyAdd(power * f, p, power - Vector256<float>.One);
    }

    /// <summary>A mask with all bits set where a byte is not 0.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<float> Keep(ref byte origin, nint offset)
    {
        var bytes = Vector128.CreateScalar(Unsafe.ReadUnaligned<ulong>(ref Unsafe.Add(ref origin, offset))).AsByte();
        return ~Vector256.Equals(Avx2.ConvertToVector256Int32(bytes), Vector256<int>.Zero).AsSingle();
    }

    /// <summary>The mask of some bytes from memory that may end after them; no bits set in the elements after them.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<float> KeepFirst(ref byte origin, nint offset, int count)
    {
        var bytes = Vector128.CreateScalar(KernelMemory.Bytes(ref Unsafe.Add(ref origin, offset), count)).AsByte();
        return ~Vector256.Equals(Avx2.ConvertToVector256Int32(bytes), Vector256<int>.Zero).AsSingle();
    }

    /// <summary>
    /// Writes the elements from one index to before another, for pinned or native memory. It writes nothing outside, because other threads may write there.
    /// </summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static unsafe void StoreBetween(Vector256<float> x, ref float origin, nint offset, int from, int end)
    {
        if (from <= 0 && end >= 8) Store(x, ref origin, offset);
        else Avx.MaskStore((float*)Unsafe.AsPointer(ref Unsafe.Add(ref origin, offset)), Vector256.AndNot(FirstOf(end), FirstOf(from)), x);
    }

    /// <summary>Writes the elements from one index to before another to every n-th place, and nothing outside.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void StoreEvery(Vector256<float> x, ref float origin, nint offset, int step, int from, int end)
    {
        ref float element = ref Unsafe.As<Vector256<float>, float>(ref x);
        for (int i = Math.Max(from, 0); i < Math.Min(end, 8); i++) Unsafe.Add(ref origin, (offset + i) * step) = Unsafe.Add(ref element, i);
    }

    /// <summary>Loads a number of floats from every n-th place, then zeros.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<float> LoadEvery(ref float origin, nint offset, int step, int count)
    {
        var every = Vector256<float>.Zero;
        ref float element = ref Unsafe.As<Vector256<float>, float>(ref every);
        origin = ref Unsafe.Add(ref origin, offset * step);
        for (int i = 0; i < Math.Min(count, 8); i++) Unsafe.Add(ref element, i) = Unsafe.Add(ref origin, (nint)i * step);
        return every;
    }

    /// <summary>A mask with all bits set where the byte at every n-th place is not 0, for a number of bytes; no bits set in the elements after them.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<float> KeepEvery(ref byte origin, nint offset, int step, int count)
    {
        var every = Vector256<int>.Zero;
        ref int element = ref Unsafe.As<Vector256<int>, int>(ref every);
        origin = ref Unsafe.Add(ref origin, offset * step);
        for (int i = 0; i < Math.Min(count, 8); i++) Unsafe.Add(ref element, i) = Unsafe.Add(ref origin, (nint)i * step);
        return ~Vector256.Equals(every, Vector256<int>.Zero).AsSingle();
    }

    /// <summary>2^x for any x; infinity from 128 on.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<float> Power2(Vector256<float> x) =>
        Vector256.ConditionalSelect(Vector256.GreaterThanOrEqual(x, Vector256.Create(128f)), Vector256.Create(float.PositiveInfinity), Exp2(x));

    /// <summary>The elements of a span from <paramref name="first"/> on; 0 outside the span.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<float> ElementsFrom(ref float span, int length, nint first)
    {
        if (first >= 0 && first <= length - 8) return Load(ref span, first);
        int near = (int)Math.Min(Math.Max(first, -8), length); // the span has no elements further out
        return Gather(ref span, length, Vector256.Create(near) + Vector256<int>.Indices);
    }

    /// <summary>The elements of a span from <paramref name="first"/> downwards; 0 outside the span.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<float> ElementsDown(ref float span, int length, nint first)
    {
        if (first >= 7 && first < length) return Reverse(Load(ref span, first - 7));
        return Gather(ref span, length, Vector256.Create((int)Math.Max(first, -1)) - Vector256<int>.Indices);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector256<float> Reverse(Vector256<float> x) => Vector256.Shuffle(x, Vector256.Create(7, 6, 5, 4, 3, 2, 1, 0));

    /// <summary>
    /// The elements of a span at some indices; 0 outside the span. Consecutive indices, ascending or descending, and equal indices need one load.
    /// </summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<float> Elements(ref float span, int length, Vector256<int> index)
    {
        int first = index.ToScalar();
        if (index == Vector256.Create(first) + Vector256<int>.Indices && first >= 0 && first <= length - 8) return Load(ref span, first);
        if (index == Vector256.Create(first) - Vector256<int>.Indices && first >= 7 && first < length) return Reverse(Load(ref span, first - 7));
        if (index == Vector256.Create(first)) return Vector256.Create(KernelMemory.Element(ref span, length, first));
        return Gather(ref span, length, index);
    }

    /// <summary>The elements of a span at any indices; 0 outside the span, where no memory is read.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal static unsafe Vector256<float> Gather(ref float span, int length, Vector256<int> index)
    {
        var there = Vector256.LessThan(index.AsUInt32(), Vector256.Create((uint)length)).AsSingle();
        return Avx2.GatherMaskVector256(Vector256<float>.Zero, (float*)Unsafe.AsPointer(ref span), index, there, sizeof(float));
    }

    /// <summary>A mask with all bits set where a score is -infinity, which hides the key.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<float> IsHidden(Vector256<float> score) => Vector256.Equals(score, Vector256.Create(float.NegativeInfinity));

    /// <summary>The weights, with the sign set for hidden keys. Their weight -0 differs from the +0 of a weight that underflows.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<float> MarkHidden(Vector256<float> weight, Vector256<float> score) => weight | (IsHidden(score) & Vector256.Create(-0f));

    /// <summary>Whether a bit is set.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static bool Any(Vector256<float> mask) => mask.AsInt32() != Vector256<int>.Zero;
}
