using System.ComponentModel;
using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.Arm;
using System.Runtime.Intrinsics.X86;

namespace AttentionGen.CompilerServices;

/// <summary>Vector functions that generated kernels share, one overload for a width. All of them inline.</summary>
[EditorBrowsable(EditorBrowsableState.Never)]
public static class KernelMath
{
    // 2^f as a polynomial of degree 5, fitted for the least relative error (Remez): 8.2e-8 on [0, 1) with p(0) = 1,
    // 7.5e-8 on [-1/2, 1/2]. One degree more would reach 2e-9, which the rounding of the evaluation hides.
    private const float F1 = 6.931512952e-01f, F2 = 2.401644439e-01f, F3 = 5.579991266e-02f, F4 = 9.017030708e-03f, F5 = 1.867130050e-03f;
    private const float N0 = 1.000000119e+00f, N1 = 6.931469440e-01f, N2 = 2.402212024e-01f, N3 = 5.550713092e-02f, N4 = 9.675540961e-03f, N5 = 1.327647245e-03f;

    // 1.5 * 2^23 + 127: added to x it leaves round(x) + 127, the exponent of 2^round(x), in the lowest bits.
    private const float Magic = 12583039f;

    /// <summary>2^x, relative error 1.6e-7; subnormal and 0 where the result is, NaN for NaN.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<float> Exp2(Vector512<float> x)
    {
        var f = Avx512DQ.Reduce(x, 1); // x - floor(x)
        var p = Vector512.FusedMultiplyAdd(Vector512.Create(F5), f, Vector512.Create(F4));
        p = Vector512.FusedMultiplyAdd(p, f, Vector512.Create(F3));
        p = Vector512.FusedMultiplyAdd(p, f, Vector512.Create(F2));
        p = Vector512.FusedMultiplyAdd(p, f, Vector512.Create(F1));
        p = Vector512.FusedMultiplyAdd(p, f, Vector512.Create(1f));
        return Avx512F.Scale(p, x); // p * 2^floor(x)
    }

    /// <summary>2^x for x below 128, relative error 2.2e-7; 0 below 2^-126.5, NaN for NaN.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<float> Exp2(Vector256<float> x)
    {
        x = Vector256.MaxNative(Vector256.Create(-127f), x); // in this order a NaN stays
        var shifted = x + Vector256.Create(Magic);
        var f = x - (shifted - Vector256.Create(Magic));
        var p = Vector256.FusedMultiplyAdd(Vector256.Create(N5), f, Vector256.Create(N4));
        p = Vector256.FusedMultiplyAdd(p, f, Vector256.Create(N3));
        p = Vector256.FusedMultiplyAdd(p, f, Vector256.Create(N2));
        p = Vector256.FusedMultiplyAdd(p, f, Vector256.Create(N1));
        p = Vector256.FusedMultiplyAdd(p, f, Vector256.Create(N0));
        return p * (shifted.AsInt32() << 23).AsSingle();
    }

    /// <inheritdoc cref="Exp2(Vector256{float})"/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector128<float> Exp2(Vector128<float> x)
    {
        x = Vector128.MaxNative(Vector128.Create(-127f), x);
        var shifted = x + Vector128.Create(Magic);
        var f = x - (shifted - Vector128.Create(Magic));
        var p = MultiplyAdd(Vector128.Create(N5), f, Vector128.Create(N4));
        p = MultiplyAdd(p, f, Vector128.Create(N3));
        p = MultiplyAdd(p, f, Vector128.Create(N2));
        p = MultiplyAdd(p, f, Vector128.Create(N1));
        p = MultiplyAdd(p, f, Vector128.Create(N0));
        return p * (shifted.AsInt32() << 23).AsSingle();
    }

    // Where there is no such instruction, Vector128.FusedMultiplyAdd would compute it in software.
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector128<float> MultiplyAdd(Vector128<float> x, Vector128<float> y, Vector128<float> z) =>
        AdvSimd.IsSupported ? Vector128.FusedMultiplyAdd(x, y, z) : Vector128.MultiplyAddEstimate(x, y, z);

    /// <summary>Stores the weights 2^(x * scale) of two vectors of scores, less the maximum, and adds them to the sum.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Weights(ref float weights, ref float sum, Vector512<float> a, Vector512<float> b, Vector512<float> scale)
    {
        a = Exp2(a * scale);
        b = Exp2(b * scale);
        a.StoreUnsafe(ref weights);
        b.StoreUnsafe(ref weights, 16);
        (Vector512.LoadUnsafe(ref sum) + a + b).StoreUnsafe(ref sum);
    }

    /// <summary>The same for four vectors.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Weights(
        ref float weights, ref float sum, Vector512<float> a, Vector512<float> b, Vector512<float> c, Vector512<float> d, Vector512<float> scale)
    {
        a = Exp2(a * scale);
        b = Exp2(b * scale);
        c = Exp2(c * scale);
        d = Exp2(d * scale);
        a.StoreUnsafe(ref weights);
        b.StoreUnsafe(ref weights, 16);
        c.StoreUnsafe(ref weights, 32);
        d.StoreUnsafe(ref weights, 48);
        (Vector512.LoadUnsafe(ref sum) + a + b + c + d).StoreUnsafe(ref sum);
    }

    /// <inheritdoc cref="Weights(ref float, ref float, Vector512{float}, Vector512{float}, Vector512{float})"/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Weights(ref float weights, ref float sum, Vector128<float> a, Vector128<float> b, Vector128<float> scale)
    {
        a = Exp2(a * scale);
        b = Exp2(b * scale);
        a.StoreUnsafe(ref weights);
        b.StoreUnsafe(ref weights, 4);
        (Vector128.LoadUnsafe(ref sum) + a + b).StoreUnsafe(ref sum);
    }

    /// <summary>The largest element.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static float Max(Vector512<float> x) => Max(Vector256.MaxNative(x.GetLower(), x.GetUpper()));

    /// <summary>The largest element.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static float Max(Vector256<float> x) => Max(Vector128.MaxNative(x.GetLower(), x.GetUpper()));

    /// <summary>The largest element.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static float Max(Vector128<float> x)
    {
        x = Vector128.MaxNative(x, Vector128.Shuffle(x, Vector128.Create(2, 3, 0, 1)));
        x = Vector128.MaxNative(x, Vector128.Shuffle(x, Vector128.Create(1, 0, 3, 2)));
        return x.ToScalar();
    }

    /// <summary>All bits set in the first <paramref name="count"/> elements; a count below 0 or above the width is allowed.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<float> FirstOf512(int count) => Vector512.LessThan(Vector512<int>.Indices, Vector512.Create(count)).AsSingle();

    /// <inheritdoc cref="FirstOf512"/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<float> FirstOf256(int count) => Vector256.LessThan(Vector256<int>.Indices, Vector256.Create(count)).AsSingle();

    /// <inheritdoc cref="FirstOf512"/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector128<float> FirstOf128(int count) => Vector128.LessThan(Vector128<int>.Indices, Vector128.Create(count)).AsSingle();

    /// <summary>The first elements of memory that ends behind them, then zeros; for pinned or native memory.</summary>
    /// <param name="source">The first element.</param>
    /// <param name="count">The number of elements, less than the width: a constant.</param>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static unsafe Vector512<float> LoadFirstOf512(ref float source, int count) =>
        Avx512F.MaskLoad((float*)Unsafe.AsPointer(ref source), FirstOf512(count), Vector512<float>.Zero);

    /// <inheritdoc cref="LoadFirstOf512"/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static unsafe Vector256<float> LoadFirstOf256(ref float source, int count) =>
        Avx.MaskLoad((float*)Unsafe.AsPointer(ref source), FirstOf256(count));

    /// <inheritdoc cref="LoadFirstOf512"/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector128<float> LoadFirstOf128(ref float source, int count)
    {
        if (count == 1) return Vector128.CreateScalar(source);
        var pair = Vector128.CreateScalar(Unsafe.ReadUnaligned<double>(ref Unsafe.As<float, byte>(ref source))).AsSingle();
        return count == 2 ? pair : pair.WithElement(2, Unsafe.Add(ref source, 2));
    }

    /// <summary>The sums of four vectors' elements.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector128<float> Sums4(Vector512<float> a, Vector512<float> b, Vector512<float> c, Vector512<float> d)
    {
        // Pairs of elements, then fours: each 128 bits hold a part of the four sums.
        var ab = Avx512F.UnpackLow(a, b) + Avx512F.UnpackHigh(a, b);
        var cd = Avx512F.UnpackLow(c, d) + Avx512F.UnpackHigh(c, d);
        var parts = Avx512F.Shuffle(ab, cd, 0x44) + Avx512F.Shuffle(ab, cd, 0xEE);
        var halves = parts.GetLower() + parts.GetUpper();
        return halves.GetLower() + halves.GetUpper();
    }

    /// <inheritdoc cref="Sums4(Vector512{float}, Vector512{float}, Vector512{float}, Vector512{float})"/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector128<float> Sums4(Vector256<float> a, Vector256<float> b, Vector256<float> c, Vector256<float> d)
    {
        var ab = Avx.UnpackLow(a, b) + Avx.UnpackHigh(a, b);
        var cd = Avx.UnpackLow(c, d) + Avx.UnpackHigh(c, d);
        var parts = Avx.Shuffle(ab, cd, 0x44) + Avx.Shuffle(ab, cd, 0xEE);
        return parts.GetLower() + parts.GetUpper();
    }

    /// <inheritdoc cref="Sums4(Vector512{float}, Vector512{float}, Vector512{float}, Vector512{float})"/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector128<float> Sums4(Vector128<float> a, Vector128<float> b, Vector128<float> c, Vector128<float> d)
    {
        if (AdvSimd.Arm64.IsSupported) return AdvSimd.Arm64.AddPairwise(AdvSimd.Arm64.AddPairwise(a, b), AdvSimd.Arm64.AddPairwise(c, d));
        if (!Sse.IsSupported) return Vector128.Create(Vector128.Sum(a), Vector128.Sum(b), Vector128.Sum(c), Vector128.Sum(d));
        var ab = Sse.UnpackLow(a, b) + Sse.UnpackHigh(a, b);
        var cd = Sse.UnpackLow(c, d) + Sse.UnpackHigh(c, d);
        return Sse.Shuffle(ab, cd, 0x44) + Sse.Shuffle(ab, cd, 0xEE);
    }

    /// <summary>
    /// Writes 8 elements of each of 8 rows as 8 columns. Rows past <paramref name="last"/> repeat it.
    /// </summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Transpose8(ref float source, nint stride, int last, ref float target, nuint targetStride)
    {
        var r0 = Vector256.LoadUnsafe(ref source);
        var r1 = Vector256.LoadUnsafe(ref Unsafe.Add(ref source, Math.Min(1, last) * stride));
        var r2 = Vector256.LoadUnsafe(ref Unsafe.Add(ref source, Math.Min(2, last) * stride));
        var r3 = Vector256.LoadUnsafe(ref Unsafe.Add(ref source, Math.Min(3, last) * stride));
        var r4 = Vector256.LoadUnsafe(ref Unsafe.Add(ref source, Math.Min(4, last) * stride));
        var r5 = Vector256.LoadUnsafe(ref Unsafe.Add(ref source, Math.Min(5, last) * stride));
        var r6 = Vector256.LoadUnsafe(ref Unsafe.Add(ref source, Math.Min(6, last) * stride));
        var r7 = Vector256.LoadUnsafe(ref Unsafe.Add(ref source, Math.Min(7, last) * stride));

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
        Avx.Permute2x128(b1, b5, 0x20).StoreUnsafe(ref target, targetStride);
        Avx.Permute2x128(b2, b6, 0x20).StoreUnsafe(ref target, 2 * targetStride);
        Avx.Permute2x128(b3, b7, 0x20).StoreUnsafe(ref target, 3 * targetStride);
        Avx.Permute2x128(b0, b4, 0x31).StoreUnsafe(ref target, 4 * targetStride);
        Avx.Permute2x128(b1, b5, 0x31).StoreUnsafe(ref target, 5 * targetStride);
        Avx.Permute2x128(b2, b6, 0x31).StoreUnsafe(ref target, 6 * targetStride);
        Avx.Permute2x128(b3, b7, 0x31).StoreUnsafe(ref target, 7 * targetStride);
    }

    /// <summary>
    /// Writes 4 elements of each of 4 rows as 4 columns, in the instructions of arm64. Rows past <paramref name="last"/> repeat it.
    /// </summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Transpose4(ref float source, nint stride, int last, ref float target, nuint targetStride)
    {
        var r0 = Vector128.LoadUnsafe(ref source);
        var r1 = Vector128.LoadUnsafe(ref Unsafe.Add(ref source, Math.Min(1, last) * stride));
        var r2 = Vector128.LoadUnsafe(ref Unsafe.Add(ref source, Math.Min(2, last) * stride));
        var r3 = Vector128.LoadUnsafe(ref Unsafe.Add(ref source, Math.Min(3, last) * stride));
        var a0 = AdvSimd.Arm64.ZipLow(r0, r2);
        var a1 = AdvSimd.Arm64.ZipHigh(r0, r2);
        var a2 = AdvSimd.Arm64.ZipLow(r1, r3);
        var a3 = AdvSimd.Arm64.ZipHigh(r1, r3);
        AdvSimd.Arm64.ZipLow(a0, a2).StoreUnsafe(ref target);
        AdvSimd.Arm64.ZipHigh(a0, a2).StoreUnsafe(ref target, targetStride);
        AdvSimd.Arm64.ZipLow(a1, a3).StoreUnsafe(ref target, 2 * targetStride);
        AdvSimd.Arm64.ZipHigh(a1, a3).StoreUnsafe(ref target, 3 * targetStride);
    }

    /// <summary>
    /// Asks for some floats of memory to be brought into the cache. For pinned or native memory; the address may lie outside of what is allocated.
    /// </summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static unsafe void Prefetch(ref float start, int count)
    {
        if (!Sse.IsSupported) return;
        const int Line = 64 / sizeof(float);
        for (int i = 0; i < count; i += Line) Sse.Prefetch0(Unsafe.AsPointer(ref Unsafe.Add(ref start, i)));
    }

    /// <summary>Asks for a line of memory to be brought into the cache, as above.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static unsafe void Prefetch(ref float address)
    {
        if (Sse.IsSupported) Sse.Prefetch0(Unsafe.AsPointer(ref address));
    }

    /// <summary>Writes one element of each of 4 rows side by side. Rows past <paramref name="last"/> repeat it.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector128<float> Gather4(ref float source, nint stride, int last) =>
        Vector128.Create(
            source,
            Unsafe.Add(ref source, Math.Min(1, last) * stride),
            Unsafe.Add(ref source, Math.Min(2, last) * stride),
            Unsafe.Add(ref source, Math.Min(3, last) * stride));
}
