using System.ComponentModel;
using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace AttentionGen.CompilerServices;

/// <summary>The operations of generated kernels on vectors of 16 floats. All of them inline.</summary>
[EditorBrowsable(EditorBrowsableState.Never)]
public static partial class Vectors512
{
    // 2^f as a polynomial of degree 5, as for narrower vectors.
    private const float N0 = Vectors256.N0, N1 = Vectors256.N1, N2 = Vectors256.N2, N3 = Vectors256.N3, N4 = Vectors256.N4, N5 = Vectors256.N5;

    /// <summary>The vector at an offset.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<float> Load(ref float origin, nint offset) => Vector512.LoadUnsafe(ref Unsafe.Add(ref origin, offset));

    /// <summary>Writes the vector at an offset.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Store(Vector512<float> x, ref float origin, nint offset) => x.StoreUnsafe(ref Unsafe.Add(ref origin, offset));

    /// <summary>A vector with the float at an offset in every element.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<float> Splat(ref float origin, nint offset) => Vector512.Create(Unsafe.Add(ref origin, offset));

    /// <summary>A vector with a number in every element.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<float> All(float x) => Vector512.Create(x);

    /// <summary>x * y + z, rounded once.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<float> MulAdd(Vector512<float> x, Vector512<float> y, Vector512<float> z) => Vector512.FusedMultiplyAdd(x, y, z);

    /// <summary>The larger element of each pair, or the second one if one is NaN.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<float> Max(Vector512<float> x, Vector512<float> y) => Vector512.MaxNative(x, y);

    /// <summary>The first vector's elements where the mask is set, else the second's.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<float> Select(Vector512<float> mask, Vector512<float> x, Vector512<float> y) =>
        Vector512.ConditionalSelect(mask, x, y);

    /// <summary>The first element.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static float First(Vector512<float> x) => x.ToScalar();

    /// <summary>The sum of the elements.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static float Sum(Vector512<float> x) => Vector512.Sum(x);

    /// <summary>Whether every element is 0.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static bool AllZero(Vector512<float> x) => Vector512.EqualsAll(x, Vector512<float>.Zero);

    /// <summary>
    /// The larger element of each pair, compared as integers: the larger of two numbers of which one is positive. A positive NaN is larger than all numbers.
    /// </summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<float> MaxBits(Vector512<float> x, Vector512<float> y) => Vector512.Max(x.AsInt32(), y.AsInt32()).AsSingle();

    /// <summary>Whether no element exceeds a positive limit, compared as integers: no number above it and no NaN except a negative one.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static bool Within(Vector512<float> x, float limit) => Vector512.LessThanOrEqualAll(x.AsInt32(), Vector512.Create(limit).AsInt32());

    /// <summary>A mask with all bits set in the first elements. The count may be below 0 or above the width.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<float> FirstOf(int count) => Vector512.LessThan(Vector512<int>.Indices, Vector512.Create(count)).AsSingle();

    /// <summary>2^x for x below 128, relative error 2.2e-7; 0 below 2^-126, NaN for NaN.</summary>
    /// <remarks>
    /// On Zen 4, rounding, subtraction, conversion, shift and integer addition run in parallel with multiply-adds. VREDUCEPS and VSCALEFPS would be shorter,
    /// but each occupies the slot of a multiply-add.
    /// </remarks>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<float> Exp2(Vector512<float> x)
    {
        var n = Avx512F.RoundScale(x, 8);
        var f = x - n;
        var p = Vector512.FusedMultiplyAdd(Vector512.Create(N5), f, Vector512.Create(N4));
        p = Vector512.FusedMultiplyAdd(p, f, Vector512.Create(N3));
        p = Vector512.FusedMultiplyAdd(p, f, Vector512.Create(N2));
        p = Vector512.FusedMultiplyAdd(p, f, Vector512.Create(N1));
        p = Vector512.FusedMultiplyAdd(p, f, Vector512.Create(N0));
        var exponent = Avx512F.ConvertToVector512Int32(n) << 23;
        return Vector512.ConditionalSelect(Avx512F.CompareNotLessThan(x, Vector512.Create(-126f)), (p.AsInt32() + exponent).AsSingle(), Vector512<float>.Zero);
    }

    /// <summary>Sets the maximum of a row to its first score, and its level to that of the maximum, unless the row has seen keys before.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Begin(Vector512<float> scores, float scale, ref float maximum, nint offset)
    {
        maximum = ref Unsafe.Add(ref maximum, offset);
        if (maximum != float.NegativeInfinity) return;
        maximum = First(Max(scores, All(float.MinValue)));
        Unsafe.Add(ref maximum, 1) = Levels.Level(maximum, scale);
    }

    /// <summary>The exponents of the first scores; -infinity in the elements after them.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<float> Seen(Vector512<float> exponents, int count) => Select(FirstOf(count), exponents, All(float.NegativeInfinity));

    /// <summary>Stores the weights 2^x of a vector and adds them to the sum.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Weights1(Vector512<float> a, ref float weights, nint offset, ref float sum, nint sumOffset)
    {
        a = Exp2(a);
        Store(a, ref weights, offset);
        Store(Load(ref sum, sumOffset) + a, ref sum, sumOffset);
    }

    /// <summary>Stores the weights 2^x of two vectors and adds them to the sum.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Weights2(
        Vector512<float> a, Vector512<float> b, ref float weights, nint offset, ref float sum, nint sumOffset)
    {
        a = Exp2(a);
        b = Exp2(b);
        Store(a, ref weights, offset);
        Store(b, ref weights, offset + 16);
        Store(Load(ref sum, sumOffset) + a + b, ref sum, sumOffset);
    }

    /// <summary>Stores the weights 2^x of three vectors and adds them to the sum.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Weights3(
        Vector512<float> a, Vector512<float> b, Vector512<float> c, ref float weights, nint offset, ref float sum, nint sumOffset)
    {
        a = Exp2(a);
        b = Exp2(b);
        c = Exp2(c);
        Store(a, ref weights, offset);
        Store(b, ref weights, offset + 16);
        Store(c, ref weights, offset + 32);
        Store(Load(ref sum, sumOffset) + a + b + c, ref sum, sumOffset);
    }

    /// <summary>Stores the weights 2^x of four vectors and adds them to the sum.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Weights4(
        Vector512<float> a, Vector512<float> b, Vector512<float> c, Vector512<float> d, ref float weights, nint offset, ref float sum, nint sumOffset)
    {
        a = Exp2(a);
        b = Exp2(b);
        c = Exp2(c);
        d = Exp2(d);
        Store(a, ref weights, offset);
        Store(b, ref weights, offset + 16);
        Store(c, ref weights, offset + 32);
        Store(d, ref weights, offset + 48);
        Store(Load(ref sum, sumOffset) + a + b + c + d, ref sum, sumOffset);
    }

    /// <summary>The largest element.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static float Largest(Vector512<float> x) => Vectors256.Largest(Vector256.MaxNative(x.GetLower(), x.GetUpper()));

    /// <summary>Writes the first elements and nothing after them; for pinned or native memory.</summary>
    // The count is at least 1 and less than the width.
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static unsafe void StoreFirst(Vector512<float> x, ref float origin, nint offset, int count) =>
        Avx512F.MaskStore((float*)Unsafe.AsPointer(ref Unsafe.Add(ref origin, offset)), FirstOf(count), x);

    /// <summary>Loads the first elements from memory that may end after them, then zeros; for pinned or native memory.</summary>
    // The count is at least 1 and less than the width.
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static unsafe Vector512<float> LoadFirst(ref float origin, nint offset, int count) =>
        Avx512F.MaskLoad((float*)Unsafe.AsPointer(ref Unsafe.Add(ref origin, offset)), FirstOf(count), Vector512<float>.Zero);

    /// <summary>The sum of the elements of each of four vectors.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector128<float> Sums4(Vector512<float> a, Vector512<float> b, Vector512<float> c, Vector512<float> d)
    {
        // Adds pairs of elements, then fours. Each 128 bits then hold a part of the four sums.
        var ab = Avx512F.UnpackLow(a, b) + Avx512F.UnpackHigh(a, b);
        var cd = Avx512F.UnpackLow(c, d) + Avx512F.UnpackHigh(c, d);
        var parts = Avx512F.Shuffle(ab, cd, 0x44) + Avx512F.Shuffle(ab, cd, 0xEE);
        var halves = parts.GetLower() + parts.GetUpper();
        return halves.GetLower() + halves.GetUpper();
    }

    /// <summary>1 / sqrt(mean of squares + epsilon), from the sum of squares.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<float> InverseRms(Vector512<float> squares, float count, float epsilon) =>
        Vector512<float>.One / Vector512.Sqrt(squares / Vector512.Create(count) + Vector512.Create(epsilon));

    /// <summary>1 / max(sqrt(sum of squares), epsilon).</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<float> InverseNorm(Vector512<float> squares, float epsilon) => Vector512<float>.One / Max(Vector512.Create(epsilon), Vector512.Sqrt(squares));

    /// <summary>The absolute values.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<float> Abs(Vector512<float> x) => Vector512.Abs(x);

    /// <summary>The consecutive numbers x, x + 1, x + 2 ...</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<float> From(float x) => Vector512.Create(x) + Vector512.ConvertToSingle(Vector512<int>.Indices);

    /// <summary>The hyperbolic tangent, relative error 5e-7; 1 or -1 from 9.01 on, NaN for NaN.</summary>
    /// <remarks>e / (e + 2) with e = e^(2 |x|) - 1.</remarks>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<float> Tanh(Vector512<float> x)
    {
        var e = Growth(x);
        return Vector512.CopySign(e / (e + Vector512.Create(2f)), x);
    }

    /// <summary>sum + v tanh(x), relative error of the hyperbolic tangent 5e-7.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<float> AddTanh(Vector512<float> sum, Vector512<float> x, Vector512<float> v) => MulAdd(Tanh(x), v, sum);

    /// <summary>sum + v tanh(x) + u tanh(y), relative error of each hyperbolic tangent 1e-6, for v and u up to 1e20 in magnitude. Both share a division, which takes as long as eight multiply-adds.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<float> AddTanh(Vector512<float> sum, Vector512<float> x, Vector512<float> v, Vector512<float> y, Vector512<float> u)
    {
        Vector512<float> e = Growth(x), g = Growth(y), c = e + Vector512.Create(2f), h = g + Vector512.Create(2f);
        return sum + MulAdd(Vector512.CopySign(e, x) * v, h, Vector512.CopySign(g, y) * u * c) / (c * h);
    }

    /// <summary>e^(2 |x|) - 1, which keeps its precision near 0; NaN for NaN. Beyond 9.01, where the hyperbolic tangent is 1, it does not grow.</summary>
    /// <remarks>2^y with y = 2 |x| log2(e). The power of two is split off and the rest is computed without its 1.</remarks>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector512<float> Growth(Vector512<float> x)
    {
        var y = Vector512.Abs(x) * Vector512.Create(2.88539008f);
        y = Vector512.MinNative(Vector512.Create(26f), y); // this order of operands keeps a NaN
        var shifted = y + Vector512.Create(Vectors256.Magic);
        var f = y - (shifted - Vector512.Create(Vectors256.Magic));
        var p = Vector512.FusedMultiplyAdd(Vector512.Create(Vectors256.M5), f, Vector512.Create(Vectors256.M4));
        p = Vector512.FusedMultiplyAdd(p, f, Vector512.Create(Vectors256.M3));
        p = Vector512.FusedMultiplyAdd(p, f, Vector512.Create(Vectors256.M2));
        p = Vector512.FusedMultiplyAdd(p, f, Vector512.Create(Vectors256.M1));
        p = Vector512.FusedMultiplyAdd(p, f, Vector512.Create(Vectors256.M0));
        var power = (shifted.AsInt32() << 23).AsSingle();
        return Vector512.FusedMultiplyAdd(power * f, p, power - Vector512<float>.One);
    }

    /// <summary>A mask with all bits set where a byte is not 0.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<float> Keep(ref byte origin, nint offset)
    {
        var bytes = Vector128.LoadUnsafe(ref Unsafe.Add(ref origin, offset));
        return ~Vector512.Equals(Avx512F.ConvertToVector512Int32(bytes), Vector512<int>.Zero).AsSingle();
    }

    /// <summary>The mask of some bytes from memory that may end after them; no bits set in the elements after them.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<float> KeepFirst(ref byte origin, nint offset, int count)
    {
        origin = ref Unsafe.Add(ref origin, offset);
        var bytes = Vector128.Create(KernelMemory.Bytes(ref origin, count), KernelMemory.Bytes(ref Unsafe.Add(ref origin, 8), count - 8)).AsByte();
        return ~Vector512.Equals(Avx512F.ConvertToVector512Int32(bytes), Vector512<int>.Zero).AsSingle();
    }

    /// <summary>
    /// Writes the elements from one index to before another, for pinned or native memory. It writes nothing outside, because other threads may write there.
    /// </summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static unsafe void StoreBetween(Vector512<float> x, ref float origin, nint offset, int from, int end)
    {
        if (from <= 0 && end >= 16) Store(x, ref origin, offset);
        else Avx512F.MaskStore((float*)Unsafe.AsPointer(ref Unsafe.Add(ref origin, offset)), Vector512.AndNot(FirstOf(end), FirstOf(from)), x);
    }

    /// <summary>Writes the elements from one index to before another to every n-th place, and nothing outside.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void StoreEvery(Vector512<float> x, ref float origin, nint offset, int step, int from, int end)
    {
        ref float element = ref Unsafe.As<Vector512<float>, float>(ref x);
        for (int i = Math.Max(from, 0); i < Math.Min(end, 16); i++) Unsafe.Add(ref origin, (offset + i) * step) = Unsafe.Add(ref element, i);
    }

    /// <summary>Loads a number of floats from every n-th place, then zeros.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<float> LoadEvery(ref float origin, nint offset, int step, int count)
    {
        var every = Vector512<float>.Zero;
        ref float element = ref Unsafe.As<Vector512<float>, float>(ref every);
        origin = ref Unsafe.Add(ref origin, offset * step);
        for (int i = 0; i < Math.Min(count, 16); i++) Unsafe.Add(ref element, i) = Unsafe.Add(ref origin, (nint)i * step);
        return every;
    }

    /// <summary>A mask with all bits set where the byte at every n-th place is not 0, for a number of bytes; no bits set in the elements after them.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<float> KeepEvery(ref byte origin, nint offset, int step, int count)
    {
        var every = Vector512<int>.Zero;
        ref int element = ref Unsafe.As<Vector512<int>, int>(ref every);
        origin = ref Unsafe.Add(ref origin, offset * step);
        for (int i = 0; i < Math.Min(count, 16); i++) Unsafe.Add(ref element, i) = Unsafe.Add(ref origin, (nint)i * step);
        return ~Vector512.Equals(every, Vector512<int>.Zero).AsSingle();
    }

    /// <summary>2^x for any x; infinity from 128 on.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<float> Power2(Vector512<float> x) =>
        Vector512.ConditionalSelect(Vector512.GreaterThanOrEqual(x, Vector512.Create(128f)), Vector512.Create(float.PositiveInfinity), Exp2(x));

    /// <summary>The elements of a span from <paramref name="first"/> on; 0 outside the span.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<float> ElementsFrom(ref float span, int length, nint first)
    {
        if (first >= 0 && first <= length - 16) return Load(ref span, first);
        int near = (int)Math.Min(Math.Max(first, -16), length); // the span has no elements further out
        return Gather(ref span, length, Vector512.Create(near) + Vector512<int>.Indices);
    }

    /// <summary>The elements of a span from <paramref name="first"/> downwards; 0 outside the span.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<float> ElementsDown(ref float span, int length, nint first)
    {
        if (first >= 15 && first < length) return Reverse(Load(ref span, first - 15));
        return Gather(ref span, length, Vector512.Create((int)Math.Max(first, -1)) - Vector512<int>.Indices);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector512<float> Reverse(Vector512<float> x) => Vector512.Shuffle(x, Vector512.Create(15, 14, 13, 12, 11, 10, 9, 8, 7, 6, 5, 4, 3, 2, 1, 0));

    /// <summary>
    /// The elements of a span at some indices; 0 outside the span. Consecutive indices, ascending or descending, and equal indices need one load.
    /// </summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<float> Elements(ref float span, int length, Vector512<int> index)
    {
        int first = index.ToScalar();
        if (index == Vector512.Create(first) + Vector512<int>.Indices && first >= 0 && first <= length - 16) return Load(ref span, first);
        if (index == Vector512.Create(first) - Vector512<int>.Indices && first >= 15 && first < length) return Reverse(Load(ref span, first - 15));
        if (index == Vector512.Create(first)) return Vector512.Create(KernelMemory.Element(ref span, length, first));
        return Gather(ref span, length, index);
    }

    /// <summary>The elements of a span at any indices; 0 outside the span, where no memory is read.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector512<float> Gather(ref float span, int length, Vector512<int> index) =>
        Vector512.Create(Vectors256.Gather(ref span, length, index.GetLower()), Vectors256.Gather(ref span, length, index.GetUpper()));

    /// <summary>A mask with all bits set where a score is -infinity, which hides the key.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<float> IsHidden(Vector512<float> score) => Vector512.Equals(score, Vector512.Create(float.NegativeInfinity));

    /// <summary>The weights, with the sign set for hidden keys. Their weight -0 differs from the +0 of a weight that underflows.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<float> MarkHidden(Vector512<float> weight, Vector512<float> score) => weight | (IsHidden(score) & Vector512.Create(-0f));

    /// <summary>Whether a bit is set.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static bool Any(Vector512<float> mask) => mask.AsInt32() != Vector512<int>.Zero;
}
