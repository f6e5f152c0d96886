using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace AttentionGen.CompilerServices;

/// <summary>The functions of <see cref="AttentionActivation"/>, alone and at the end of a matrix product.</summary>
/// <remarks>
/// A row is read and written once. Its last elements, fewer than a vector, go through the same operations as the others: an element has the same bits at any place of a row
/// of any length. Spans may be native memory. An output is one of the inputs, or overlaps none of them.
/// </remarks>
internal static unsafe class Activations
{
    /// <summary>Replaces each element by its activation.</summary>
    /// <param name="kind">Any but <see cref="AttentionActivation.SiluGate"/>, which has two operands.</param>
    /// <param name="row">The elements.</param>
    public static void Apply(AttentionActivation kind, Span<float> row) => Finish(row, [], [], [], kind, row);

    /// <summary>output = silu(a) * b. The spans have one length.</summary>
    public static void Gate(ReadOnlySpan<float> a, ReadOnlySpan<float> b, Span<float> output) => FinishGate(a, b, [], [], [], [], [], output);

    /// <summary>output = activation(sums * scales + bias) + residual.</summary>
    /// <param name="sums">A row of a product.</param>
    /// <param name="scales">One for each column, or empty.</param>
    /// <param name="bias">One for each column, or empty.</param>
    /// <param name="residual">One for each column, or empty.</param>
    /// <param name="kind">Any but <see cref="AttentionActivation.SiluGate"/>.</param>
    /// <param name="output">As long as the sums.</param>
    public static void Finish(ReadOnlySpan<float> sums, ReadOnlySpan<float> scales, ReadOnlySpan<float> bias, ReadOnlySpan<float> residual, AttentionActivation kind, Span<float> output)
    {
        int count = sums.Length;
        fixed (float* sum = sums, scale = OneEach(scales, count), offset = OneEach(bias, count), rest = OneEach(residual, count), result = output[..count])
            Finish(new FinishedRows { Sums = sum, Scales = scale, Bias = offset, Residual = rest, Output = result, Count = count, Rows = 1 }, kind);
    }

    /// <inheritdoc cref="Finish(ReadOnlySpan{float}, ReadOnlySpan{float}, ReadOnlySpan{float}, ReadOnlySpan{float}, AttentionActivation, Span{float})"/>
    public static void Finish(in FinishedRows rows, AttentionActivation kind)
    {
        switch (kind)
        {
            case AttentionActivation.None:
                Finish<Identity>(rows);
                break;
            case AttentionActivation.Relu:
                Finish<Relu>(rows);
                break;
            case AttentionActivation.Gelu:
                Finish<Gelu>(rows);
                break;
            case AttentionActivation.GeluTanh:
                Finish<GeluTanh>(rows);
                break;
            case AttentionActivation.Silu:
                Finish<Silu>(rows);
                break;
            default:
                throw new ArgumentOutOfRangeException(nameof(kind), kind, $"{nameof(kind)} is {kind}, an activation of one operand is needed.");
        }
    }

    /// <summary>output = silu(sumsA * scalesA + biasA) * (sumsB * scalesB + biasB) + residual, with the spans of <see cref="Finish(ReadOnlySpan{float}, ReadOnlySpan{float}, ReadOnlySpan{float}, ReadOnlySpan{float}, AttentionActivation, Span{float})"/>.</summary>
    public static void FinishGate(
        ReadOnlySpan<float> sumsA, ReadOnlySpan<float> sumsB, ReadOnlySpan<float> scalesA, ReadOnlySpan<float> scalesB, ReadOnlySpan<float> biasA, ReadOnlySpan<float> biasB,
        ReadOnlySpan<float> residual, Span<float> output)
    {
        int count = sumsA.Length;
        fixed (float* sumA = sumsA, scaleA = OneEach(scalesA, count), offsetA = OneEach(biasA, count), sumB = sumsB[..count], scaleB = OneEach(scalesB, count), offsetB = OneEach(biasB, count))
        fixed (float* rest = OneEach(residual, count), result = output[..count])
        {
            FinishGate(
                new FinishedRows { Sums = sumA, Scales = scaleA, Bias = offsetA, Residual = rest, Output = result, Count = count, Rows = 1 },
                new FinishedRows { Sums = sumB, Scales = scaleB, Bias = offsetB });
        }
    }

    /// <summary>The same for rows.</summary>
    /// <param name="a">The first factors, the residual and the output.</param>
    /// <param name="b">The sums of the second factors, as far apart as those of the first, their scales and their bias.</param>
    public static void FinishGate(in FinishedRows a, in FinishedRows b)
    {
        if (Vector512.IsHardwareAccelerated && Avx512F.IsSupported) FinishGate<Floats512>(a, b);
        else if (Vector256.IsHardwareAccelerated && Avx.IsSupported && Fma.IsSupported) FinishGate<Floats256>(a, b);
        else FinishGate<Floats128>(a, b);
    }

    private static ReadOnlySpan<float> OneEach(ReadOnlySpan<float> span, int count) => span.IsEmpty ? span : span[..count];

    private static void Finish<TActivation>(in FinishedRows rows)
        where TActivation : struct, IActivation
    {
        if (Vector512.IsHardwareAccelerated && Avx512F.IsSupported) Finish<Floats512, TActivation>(rows);
        else if (Vector256.IsHardwareAccelerated && Avx.IsSupported && Fma.IsSupported) Finish<Floats256, TActivation>(rows);
        else Finish<Floats128, TActivation>(rows);
    }

    // All rows in one call: rows by value, one a call, took 0.06 of the time of a product of 512 rows of 768 elements. The copy of a struct waits for the stores before it, here those of the row before.
    [MethodImpl(MethodImplOptions.AggressiveOptimization | MethodImplOptions.NoInlining)]
    private static void Finish<TVector, TActivation>(in FinishedRows rows)
        where TVector : struct, IFloats<TVector>
        where TActivation : struct, IActivation
    {
        float* sums = rows.Sums, scales = rows.Scales, bias = rows.Bias, residual = rows.Residual, output = rows.Output;
        nint sumRow = rows.SumRow, residualRow = rows.ResidualRow, outputRow = rows.OutputRow;
        int count = rows.Count;
        for (int row = rows.Rows; row > 0; row--, sums += sumRow, residual += residualRow, output += outputRow)
        {
            // Each turn asks which operands there are. Such branches are predicted: a row of 3072 floats without any operand takes 0.106 ns for a float on a Zen 4 core,
            // TensorPrimitives.Add 0.098 ns.
            int i = 0;
            for (; i <= count - TVector.Count; i += TVector.Count)
            {
                var x = TActivation.Of(Scaled<TVector>(sums, scales, bias, i, TVector.Count));
                if (residual != null) x += TVector.Load(residual + i);
                TVector.Store(x, output + i);
            }

            if (i < count)
            {
                var x = TActivation.Of(Scaled<TVector>(sums, scales, bias, i, count - i));
                if (residual != null) x += TVector.LoadFirst(residual + i, count - i);
                TVector.StoreFirst(x, output + i, count - i);
            }
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization | MethodImplOptions.NoInlining)]
    private static void FinishGate<TVector>(in FinishedRows a, in FinishedRows b)
        where TVector : struct, IFloats<TVector>
    {
        float* sumsA = a.Sums, scalesA = a.Scales, biasA = a.Bias, sumsB = b.Sums, scalesB = b.Scales, biasB = b.Bias, residual = a.Residual, output = a.Output;
        nint sumRow = a.SumRow, residualRow = a.ResidualRow, outputRow = a.OutputRow;
        int count = a.Count;
        for (int row = a.Rows; row > 0; row--, sumsA += sumRow, sumsB += sumRow, residual += residualRow, output += outputRow)
        {
            int i = 0;
            for (; i <= count - TVector.Count; i += TVector.Count)
            {
                var x = Silu.Of(Scaled<TVector>(sumsA, scalesA, biasA, i, TVector.Count)) * Scaled<TVector>(sumsB, scalesB, biasB, i, TVector.Count);
                if (residual != null) x += TVector.Load(residual + i);
                TVector.Store(x, output + i);
            }

            if (i < count)
            {
                var x = Silu.Of(Scaled<TVector>(sumsA, scalesA, biasA, i, count - i)) * Scaled<TVector>(sumsB, scalesB, biasB, i, count - i);
                if (residual != null) x += TVector.LoadFirst(residual + i, count - i);
                TVector.StoreFirst(x, output + i, count - i);
            }
        }
    }

    /// <summary>sums * scales + bias from an index on: a whole vector, or a count of elements and zeros.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static TVector Scaled<TVector>(float* sums, float* scales, float* bias, int index, int count)
        where TVector : struct, IFloats<TVector>
    {
        var x = Load<TVector>(sums + index, count);
        if (scales != null)
        {
            var factors = Load<TVector>(scales + index, count);
            return bias != null ? TVector.MulAdd(x, factors, Load<TVector>(bias + index, count)) : x * factors;
        }

        return bias != null ? x + Load<TVector>(bias + index, count) : x;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static TVector Load<TVector>(float* from, int count)
        where TVector : struct, IFloats<TVector> => count == TVector.Count ? TVector.Load(from) : TVector.LoadFirst(from, count);
}

/// <summary>Rows of a product, what they go through, and where they go; null where there is nothing. Rows lie so many floats apart: 0 where there is nothing.</summary>
internal unsafe struct FinishedRows
{
    public float* Sums, Scales, Bias, Residual, Output;
    public nint SumRow, ResidualRow, OutputRow;
    public int Rows, Count;
}
