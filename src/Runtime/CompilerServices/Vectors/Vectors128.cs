using System.ComponentModel;
using System.Diagnostics.CodeAnalysis;
using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.Arm;
using System.Runtime.Intrinsics.X86;

namespace AttentionGen.CompilerServices;

/// <summary>The operations of generated kernels on vectors of 4 floats. All of them inline.</summary>
[EditorBrowsable(EditorBrowsableState.Never)]
public static partial class Vectors128
{
    /// <summary>The vector at an offset.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector128<float> Load(ref float origin, nint offset) => Vector128.LoadUnsafe(ref Unsafe.Add(ref origin, offset));

    /// <summary>Writes the vector at an offset.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Store(Vector128<float> x, ref float origin, nint offset) => x.StoreUnsafe(ref Unsafe.Add(ref origin, offset));

    /// <summary>A vector with the float at an offset in every element.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector128<float> Splat(ref float origin, nint offset) => Vector128.Create(Unsafe.Add(ref origin, offset));

    /// <summary>A vector with a number in every element.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector128<float> All(float x) => Vector128.Create(x);

    /// <summary>x * y + z, rounded once where the processor has an instruction for it. Elsewhere .NET would emulate it in software.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector128<float> MulAdd(Vector128<float> x, Vector128<float> y, Vector128<float> z) =>
        AdvSimd.IsSupported ? Vector128.FusedMultiplyAdd(x, y, z) : Vector128.MultiplyAddEstimate(x, y, z);

    /// <summary>The larger element of each pair, or the second one if one is NaN.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector128<float> Max(Vector128<float> x, Vector128<float> y) => Vector128.MaxNative(x, y);

    /// <summary>The first vector's elements where the mask is set, else the second's.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector128<float> Select(Vector128<float> mask, Vector128<float> x, Vector128<float> y) =>
        Vector128.ConditionalSelect(mask, x, y);

    /// <summary>The first element.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static float First(Vector128<float> x) => x.ToScalar();

    /// <summary>The sum of the elements.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static float Sum(Vector128<float> x) => Vector128.Sum(x);

    /// <summary>Whether every element is 0.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static bool AllZero(Vector128<float> x) => Vector128.EqualsAll(x, Vector128<float>.Zero);

    /// <summary>
    /// The larger element of each pair, compared as integers: the larger of two numbers of which one is positive. A positive NaN is larger than all numbers.
    /// </summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector128<float> MaxBits(Vector128<float> x, Vector128<float> y) => Vector128.Max(x.AsInt32(), y.AsInt32()).AsSingle();

    /// <summary>Whether no element exceeds a positive limit, compared as integers: no number above it and no NaN except a negative one.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static bool Within(Vector128<float> x, float limit) => Vector128.LessThanOrEqualAll(x.AsInt32(), Vector128.Create(limit).AsInt32());

    /// <summary>A mask with all bits set in the first elements. The count may be below 0 or above the width.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector128<float> FirstOf(int count) => Vector128.LessThan(Vector128<int>.Indices, Vector128.Create(count)).AsSingle();

    /// <summary>z + x * an element of y, for arm64. The index is a constant.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector128<float> MulAddAt(Vector128<float> z, Vector128<float> x, Vector128<float> y, [ConstantExpected(Max = (byte)3)] byte index) =>
        AdvSimd.Arm64.FusedMultiplyAddBySelectedScalar(z, x, y, index);

    /// <summary>2^x for x below 128, relative error 2.2e-7; 0 below 2^-126.5, NaN for NaN.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector128<float> Exp2(Vector128<float> x)
    {
        x = Vector128.MaxNative(Vector128.Create(-127f), x);
        var shifted = x + Vector128.Create(Vectors256.Magic);
        var f = x - (shifted - Vector128.Create(Vectors256.Magic));
        var p = MulAdd(Vector128.Create(Vectors256.N5), f, Vector128.Create(Vectors256.N4));
        p = MulAdd(p, f, Vector128.Create(Vectors256.N3));
        p = MulAdd(p, f, Vector128.Create(Vectors256.N2));
        p = MulAdd(p, f, Vector128.Create(Vectors256.N1));
        p = MulAdd(p, f, Vector128.Create(Vectors256.N0));
        return p * (shifted.AsInt32() << 23).AsSingle();
    }

    /// <summary>
    /// The weights 2^(score * scale + level), relative error 2.2e-7. Levels are integers with <see cref="Levels.Whole"/> added. The result must be below 2^127;
    /// it is 0 below 2^-126, and NaN for NaN.
    /// </summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector128<float> Weight(Vector128<float> score, Vector128<float> scale, Vector128<float> level)
    {
        var power = MulAdd(score, scale, level);
        var f = MulAdd(score, scale, level - power);
        var p = MulAdd(Vector128.Create(Vectors256.N5), f, Vector128.Create(Vectors256.N4));
        p = MulAdd(p, f, Vector128.Create(Vectors256.N3));
        p = MulAdd(p, f, Vector128.Create(Vectors256.N2));
        p = MulAdd(p, f, Vector128.Create(Vectors256.N1));
        p = MulAdd(p, f, Vector128.Create(Vectors256.N0));

        // As in Vectors256: the lowest bits of a NaN are any.
        var noPower = Vector128.Create(Levels.NoPower);
        var shift = (AdvSimd.IsSupported ? AdvSimd.MinNumber(power, noPower) : Vector128.MinNative(power, noPower)).AsInt32() << 23;
        return Vector128.AndNot((p.AsInt32() + shift).AsSingle(), Vector128.LessThan(power, Vector128.Create(Levels.Whole - 126)));
    }

    /// <summary>Makes weights, as <see cref="Weight"/> does, of the scores in four consecutive vectors, and returns their sum.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector128<float> Weights4(ref float scores, nint offset, Vector128<float> scale, Vector128<float> level)
    {
        var p0 = Weight(Load(ref scores, offset), scale, level);
        var p1 = Weight(Load(ref scores, offset + 4), scale, level);
        var p2 = Weight(Load(ref scores, offset + 8), scale, level);
        var p3 = Weight(Load(ref scores, offset + 12), scale, level);
        Store(p0, ref scores, offset);
        Store(p1, ref scores, offset + 4);
        Store(p2, ref scores, offset + 8);
        Store(p3, ref scores, offset + 12);
        return (p0 + p1) + (p2 + p3);
    }

    /// <summary>Sets the maximum of a row to its first score, and its level to that of the maximum, unless the row has seen keys before.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Begin(Vector128<float> scores, float scale, ref float maximum, nint offset)
    {
        maximum = ref Unsafe.Add(ref maximum, offset);
        if (maximum != float.NegativeInfinity) return;
        maximum = First(Max(scores, All(float.MinValue)));
        Unsafe.Add(ref maximum, 1) = Levels.Level(maximum, scale);
    }

    /// <summary>The exponents of the first scores; -infinity in the elements after them.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector128<float> Seen(Vector128<float> exponents, int count) => Select(FirstOf(count), exponents, All(float.NegativeInfinity));

    /// <summary>Stores the weights 2^x of a vector and adds them to the sum.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Weights1(Vector128<float> a, ref float weights, nint offset, ref float sum, nint sumOffset)
    {
        a = Exp2(a);
        Store(a, ref weights, offset);
        Store(Load(ref sum, sumOffset) + a, ref sum, sumOffset);
    }

    /// <summary>Stores the weights 2^x of two vectors and adds them to the sum.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Weights2(
        Vector128<float> a, Vector128<float> b, ref float weights, nint offset, ref float sum, nint sumOffset)
    {
        a = Exp2(a);
        b = Exp2(b);
        Store(a, ref weights, offset);
        Store(b, ref weights, offset + 4);
        Store(Load(ref sum, sumOffset) + a + b, ref sum, sumOffset);
    }

    /// <summary>Stores the weights 2^x of three vectors and adds them to the sum.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Weights3(
        Vector128<float> a, Vector128<float> b, Vector128<float> c, ref float weights, nint offset, ref float sum, nint sumOffset)
    {
        a = Exp2(a);
        b = Exp2(b);
        c = Exp2(c);
        Store(a, ref weights, offset);
        Store(b, ref weights, offset + 4);
        Store(c, ref weights, offset + 8);
        Store(Load(ref sum, sumOffset) + a + b + c, ref sum, sumOffset);
    }

    /// <summary>Stores the weights 2^x of four vectors and adds them to the sum.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Weights4(
        Vector128<float> a, Vector128<float> b, Vector128<float> c, Vector128<float> d, ref float weights, nint offset, ref float sum, nint sumOffset)
    {
        a = Exp2(a);
        b = Exp2(b);
        c = Exp2(c);
        d = Exp2(d);
        Store(a, ref weights, offset);
        Store(b, ref weights, offset + 4);
        Store(c, ref weights, offset + 8);
        Store(d, ref weights, offset + 12);
        Store(Load(ref sum, sumOffset) + a + b + c + d, ref sum, sumOffset);
    }

    /// <summary>The largest element.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static float Largest(Vector128<float> x)
    {
        x = Vector128.MaxNative(x, Vector128.Shuffle(x, Vector128.Create(2, 3, 0, 1)));
        x = Vector128.MaxNative(x, Vector128.Shuffle(x, Vector128.Create(1, 0, 3, 2)));
        return x.ToScalar();
    }

    /// <summary>Writes the first elements and nothing after them; for pinned or native memory.</summary>
    // The count is at least 1 and less than the width.
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void StoreFirst(Vector128<float> x, ref float origin, nint offset, int count)
    {
        origin = ref Unsafe.Add(ref origin, offset);
        origin = x.ToScalar();
        if (count > 1) Unsafe.Add(ref origin, 1) = x.GetElement(1);
        if (count > 2) Unsafe.Add(ref origin, 2) = x.GetElement(2);
    }

    /// <summary>Loads the first elements from memory that may end after them, then zeros; for pinned or native memory.</summary>
    // The count is at least 1 and less than the width.
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector128<float> LoadFirst(ref float origin, nint offset, int count)
    {
        ref float source = ref Unsafe.Add(ref origin, offset);
        if (count == 1) return Vector128.CreateScalar(source);
        var pair = Vector128.CreateScalar(Unsafe.ReadUnaligned<double>(ref Unsafe.As<float, byte>(ref source))).AsSingle();
        return count == 2 ? pair : pair.WithElement(2, Unsafe.Add(ref source, 2));
    }

    /// <summary>The sum of the elements of each of four vectors.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector128<float> Sums4(Vector128<float> a, Vector128<float> b, Vector128<float> c, Vector128<float> d)
    {
        if (AdvSimd.Arm64.IsSupported) return AdvSimd.Arm64.AddPairwise(AdvSimd.Arm64.AddPairwise(a, b), AdvSimd.Arm64.AddPairwise(c, d));
        if (!Sse.IsSupported) return Vector128.Create(Vector128.Sum(a), Vector128.Sum(b), Vector128.Sum(c), Vector128.Sum(d));
        var ab = Sse.UnpackLow(a, b) + Sse.UnpackHigh(a, b);
        var cd = Sse.UnpackLow(c, d) + Sse.UnpackHigh(c, d);
        return Sse.Shuffle(ab, cd, 0x44) + Sse.Shuffle(ab, cd, 0xEE);
    }

    /// <summary>Writes 4 elements of each of 4 rows as 4 columns, with arm64 instructions. Rows past <paramref name="last"/> are copies of it.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Transpose4(ref float source, nint stride, int last, ref float target, nint targetStride) => Transpose(
        Load(ref source, 0), Load(ref source, Math.Min(1, last) * stride), Load(ref source, Math.Min(2, last) * stride), Load(ref source, Math.Min(3, last) * stride),
        ref target, targetStride);

    /// <summary>Writes 4 rows as 4 columns, with arm64 instructions.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Transpose(Vector128<float> r0, Vector128<float> r1, Vector128<float> r2, Vector128<float> r3, ref float target, nint targetStride)
    {
        var a0 = AdvSimd.Arm64.ZipLow(r0, r2);
        var a1 = AdvSimd.Arm64.ZipHigh(r0, r2);
        var a2 = AdvSimd.Arm64.ZipLow(r1, r3);
        var a3 = AdvSimd.Arm64.ZipHigh(r1, r3);
        AdvSimd.Arm64.ZipLow(a0, a2).StoreUnsafe(ref target);
        AdvSimd.Arm64.ZipHigh(a0, a2).StoreUnsafe(ref Unsafe.Add(ref target, targetStride));
        AdvSimd.Arm64.ZipLow(a1, a3).StoreUnsafe(ref Unsafe.Add(ref target, 2 * targetStride));
        AdvSimd.Arm64.ZipHigh(a1, a3).StoreUnsafe(ref Unsafe.Add(ref target, 3 * targetStride));
    }

    /// <summary>Writes one element of each of 4 rows contiguously. Rows past <paramref name="last"/> are copies of it.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector128<float> Gather4(ref float source, nint stride, int last) =>
        Vector128.Create(
            source,
            Unsafe.Add(ref source, Math.Min(1, last) * stride),
            Unsafe.Add(ref source, Math.Min(2, last) * stride),
            Unsafe.Add(ref source, Math.Min(3, last) * stride));

    /// <summary>Writes the elements with a stride.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Scatter(Vector128<float> x, ref float target, nint apart)
    {
        target = x.ToScalar();
        Unsafe.Add(ref target, apart) = x.GetElement(1);
        Unsafe.Add(ref target, 2 * apart) = x.GetElement(2);
        Unsafe.Add(ref target, 3 * apart) = x.GetElement(3);
    }

    /// <summary>Writes the lower half at an offset, and the upper half some floats after it.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void StoreHalves(Vector128<float> x, ref float origin, nint offset, nint apart)
    {
        // Vectors of 64 bits would go by the stack; doubles stay in the register.
        Unsafe.WriteUnaligned(ref Unsafe.As<float, byte>(ref Unsafe.Add(ref origin, offset)), x.AsDouble().ToScalar());
        Unsafe.WriteUnaligned(ref Unsafe.As<float, byte>(ref Unsafe.Add(ref origin, offset + apart)), x.AsDouble().GetElement(1));
    }

    /// <summary>1 / sqrt(mean of squares + epsilon), from the sum of squares.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector128<float> InverseRms(Vector128<float> squares, float count, float epsilon) =>
        Vector128<float>.One / Vector128.Sqrt(squares / Vector128.Create(count) + Vector128.Create(epsilon));

    /// <summary>1 / max(sqrt(sum of squares), epsilon).</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector128<float> InverseNorm(Vector128<float> squares, float epsilon) => Vector128<float>.One / Max(Vector128.Create(epsilon), Vector128.Sqrt(squares));

    /// <summary>The absolute values.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector128<float> Abs(Vector128<float> x) => Vector128.Abs(x);

    /// <summary>The consecutive numbers x, x + 1, x + 2 ...</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector128<float> From(float x) => Vector128.Create(x) + Vector128.ConvertToSingle(Vector128<int>.Indices);

    /// <summary>The hyperbolic tangent, relative error 5e-7; 1 or -1 from 9.01 on, NaN for NaN.</summary>
    /// <remarks>e / (e + 2) with e = e^(2 |x|) - 1.</remarks>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector128<float> Tanh(Vector128<float> x)
    {
        var e = Growth(x);
        return Vector128.CopySign(e / (e + Vector128.Create(2f)), x);
    }

    /// <summary>sum + v tanh(x), relative error of the hyperbolic tangent 5e-7.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector128<float> AddTanh(Vector128<float> sum, Vector128<float> x, Vector128<float> v) => MulAdd(Tanh(x), v, sum);

    /// <summary>sum + v tanh(x) + u tanh(y), relative error of each hyperbolic tangent 1e-6, for v and u up to 1e20 in magnitude. Both share a division, which takes as long as eight multiply-adds.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector128<float> AddTanh(Vector128<float> sum, Vector128<float> x, Vector128<float> v, Vector128<float> y, Vector128<float> u)
    {
        Vector128<float> e = Growth(x), g = Growth(y), c = e + Vector128.Create(2f), h = g + Vector128.Create(2f);
        return sum + MulAdd(Vector128.CopySign(e, x) * v, h, Vector128.CopySign(g, y) * u * c) / (c * h);
    }

    /// <summary>e^(2 |x|) - 1, which keeps its precision near 0; NaN for NaN. Beyond 9.01, where the hyperbolic tangent is 1, it does not grow.</summary>
    /// <remarks>2^y with y = 2 |x| log2(e). The power of two is split off and the rest is computed without its 1.</remarks>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector128<float> Growth(Vector128<float> x)
    {
        var y = Vector128.Abs(x) * Vector128.Create(2.88539008f);
        y = Vector128.MinNative(Vector128.Create(26f), y); // this order of operands keeps a NaN
        var shifted = y + Vector128.Create(Vectors256.Magic);
        var f = y - (shifted - Vector128.Create(Vectors256.Magic));
        var p = MulAdd(Vector128.Create(Vectors256.M5), f, Vector128.Create(Vectors256.M4));
        p = MulAdd(p, f, Vector128.Create(Vectors256.M3));
        p = MulAdd(p, f, Vector128.Create(Vectors256.M2));
        p = MulAdd(p, f, Vector128.Create(Vectors256.M1));
        p = MulAdd(p, f, Vector128.Create(Vectors256.M0));
        var power = (shifted.AsInt32() << 23).AsSingle();
        return MulAdd(power * f, p, power - Vector128<float>.One);
    }

    /// <summary>A mask with all bits set where a byte is not 0.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector128<float> Keep(ref byte origin, nint offset)
    {
        var bytes = Vector128.CreateScalar(Unsafe.ReadUnaligned<uint>(ref Unsafe.Add(ref origin, offset))).AsByte();
        return ~Vector128.Equals(Vector128.WidenLower(Vector128.WidenLower(bytes)), Vector128<uint>.Zero).AsSingle();
    }

    /// <summary>The mask of some bytes from memory that may end after them; no bits set in the elements after them.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector128<float> KeepFirst(ref byte origin, nint offset, int count)
    {
        var bytes = Vector128.CreateScalar((uint)KernelMemory.Bytes(ref Unsafe.Add(ref origin, offset), count)).AsByte();
        return ~Vector128.Equals(Vector128.WidenLower(Vector128.WidenLower(bytes)), Vector128<uint>.Zero).AsSingle();
    }

    /// <summary>
    /// Writes the elements from one index to before another, for pinned or native memory. It writes nothing outside, because other threads may write there.
    /// </summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void StoreBetween(Vector128<float> x, ref float origin, nint offset, int from, int end)
    {
        if (from <= 0 && end >= 4) Store(x, ref origin, offset);
        else StoreEvery(x, ref origin, offset, step: 1, from, end);
    }

    /// <summary>Writes the elements from one index to before another to every n-th place, and nothing outside.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void StoreEvery(Vector128<float> x, ref float origin, nint offset, int step, int from, int end)
    {
        ref float element = ref Unsafe.As<Vector128<float>, float>(ref x);
        for (int i = Math.Max(from, 0); i < Math.Min(end, 4); i++) Unsafe.Add(ref origin, (offset + i) * step) = Unsafe.Add(ref element, i);
    }

    /// <summary>Loads a number of floats from every n-th place, then zeros.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector128<float> LoadEvery(ref float origin, nint offset, int step, int count)
    {
        var every = Vector128<float>.Zero;
        ref float element = ref Unsafe.As<Vector128<float>, float>(ref every);
        origin = ref Unsafe.Add(ref origin, offset * step);
        for (int i = 0; i < Math.Min(count, 4); i++) Unsafe.Add(ref element, i) = Unsafe.Add(ref origin, (nint)i * step);
        return every;
    }

    /// <summary>A mask with all bits set where the byte at every n-th place is not 0, for a number of bytes; no bits set in the elements after them.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector128<float> KeepEvery(ref byte origin, nint offset, int step, int count)
    {
        var every = Vector128<int>.Zero;
        ref int element = ref Unsafe.As<Vector128<int>, int>(ref every);
        origin = ref Unsafe.Add(ref origin, offset * step);
        for (int i = 0; i < Math.Min(count, 4); i++) Unsafe.Add(ref element, i) = Unsafe.Add(ref origin, (nint)i * step);
        return ~Vector128.Equals(every, Vector128<int>.Zero).AsSingle();
    }

    /// <summary>2^x for any x; infinity from 128 on.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector128<float> Power2(Vector128<float> x) =>
        Vector128.ConditionalSelect(Vector128.GreaterThanOrEqual(x, Vector128.Create(128f)), Vector128.Create(float.PositiveInfinity), Exp2(x));

    /// <summary>The elements of a span from <paramref name="first"/> on; 0 outside the span.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector128<float> ElementsFrom(ref float span, int length, nint first)
    {
        if (first >= 0 && first <= length - 4) return Load(ref span, first);
        int near = (int)Math.Min(Math.Max(first, -4), length); // the span has no elements further out
        return Gather(ref span, length, Vector128.Create(near) + Vector128<int>.Indices);
    }

    /// <summary>The elements of a span from <paramref name="first"/> downwards; 0 outside the span.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector128<float> ElementsDown(ref float span, int length, nint first)
    {
        if (first >= 3 && first < length) return Reverse(Load(ref span, first - 3));
        return Gather(ref span, length, Vector128.Create((int)Math.Max(first, -1)) - Vector128<int>.Indices);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector128<float> Reverse(Vector128<float> x) => Vector128.Shuffle(x, Vector128.Create(3, 2, 1, 0));

    /// <summary>
    /// The elements of a span at some indices; 0 outside the span. Consecutive indices, ascending or descending, and equal indices need one load.
    /// </summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector128<float> Elements(ref float span, int length, Vector128<int> index)
    {
        int first = index.ToScalar();
        if (index == Vector128.Create(first) + Vector128<int>.Indices && first >= 0 && first <= length - 4) return Load(ref span, first);
        if (index == Vector128.Create(first) - Vector128<int>.Indices && first >= 3 && first < length) return Reverse(Load(ref span, first - 3));
        if (index == Vector128.Create(first)) return Vector128.Create(KernelMemory.Element(ref span, length, first));
        return Gather(ref span, length, index);
    }

    /// <summary>The elements of a span at any indices; 0 outside the span, where no memory is read.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector128<float> Gather(ref float span, int length, Vector128<int> index) =>
        Vector128.Create(
            KernelMemory.Element(ref span, length, index.ToScalar()), KernelMemory.Element(ref span, length, index.GetElement(1)),
            KernelMemory.Element(ref span, length, index.GetElement(2)), KernelMemory.Element(ref span, length, index.GetElement(3)));

    /// <summary>A mask with all bits set where a score is -infinity, which hides the key.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector128<float> IsHidden(Vector128<float> score) => Vector128.Equals(score, Vector128.Create(float.NegativeInfinity));

    /// <summary>The weights, with the sign set for hidden keys. Their weight -0 differs from the +0 of a weight that underflows.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector128<float> MarkHidden(Vector128<float> weight, Vector128<float> score) => weight | (IsHidden(score) & Vector128.Create(-0f));

    /// <summary>Whether a bit is set.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static bool Any(Vector128<float> mask) => mask.AsInt32() != Vector128<int>.Zero;
}
