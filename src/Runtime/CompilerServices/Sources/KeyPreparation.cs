using System.Numerics.Tensors;
using System.Runtime.CompilerServices;

namespace AttentionGen.CompilerServices;

/// <summary>What happens to new keys before a cache stores them: they are normalised, rotated, and rounded to its type. A call meets each key once, so this is no part of a core.</summary>
internal readonly struct KeyPreparation(AttentionNorm norm, float epsilon, AttentionRotary rotary, int rotaryStart)
{
    /// <summary>Stores a row.</summary>
    /// <param name="source">Its elements: floats, or elements of the cache's type.</param>
    /// <param name="sourceBytes">Bytes of such an element.</param>
    /// <param name="target">Where it is stored.</param>
    /// <param name="scale">Where the scale of integers is stored; not used for other types.</param>
    /// <param name="dim">The number of elements.</param>
    /// <param name="type">The type of the cache.</param>
    /// <param name="weights">The factors of normalised elements, or null.</param>
    /// <param name="table">The table of rotary positions, or null.</param>
    /// <param name="position">The position of the key.</param>
    [SkipLocalsInit]
    public unsafe void Store(byte* source, int sourceBytes, byte* target, float* scale, int dim, ElementType type, float* weights, RotaryTable? table, int position)
    {
        int bytes = ElementTable.Of(type).Bytes;
        bool isFloat = sourceBytes == sizeof(float);
        if (norm == AttentionNorm.None && rotary == AttentionRotary.None && sourceBytes == bytes)
        {
            Unsafe.CopyBlockUnaligned(target, source, (uint)(dim * bytes));
            return;
        }

        float* buffer = stackalloc float[CacheShape.MostSharedDim];
        var row = new Span<float>(buffer, dim);
        if (isFloat) new ReadOnlySpan<float>(source, dim).CopyTo(row);
        else if (type == ElementType.Half) Narrowing.Widen(new ReadOnlySpan<Half>(source, dim), row);
        else Narrowing.Widen(new ReadOnlySpan<BFloat16>(source, dim), row);

        if (norm != AttentionNorm.None)
        {
            double squares = TensorPrimitives.SumOfSquares<float>(row);
            double factor = norm == AttentionNorm.Rms ? 1 / Math.Sqrt(squares / dim + epsilon) : 1 / Math.Max(Math.Sqrt(squares), epsilon);
            TensorPrimitives.Multiply(row, (float)factor, row);
            if (weights != null) TensorPrimitives.Multiply(row, new ReadOnlySpan<float>(weights, dim), row);
        }

        if (rotary != AttentionRotary.None) table!.Rotate(row, heads: 1, dim, position, rotary, rotaryStart);
        Round(row, target, scale, type);
    }

    /// <summary>Rounds a row to the type of a cache.</summary>
    private static unsafe void Round(ReadOnlySpan<float> row, byte* target, float* scale, ElementType type)
    {
        switch (type)
        {
            case ElementType.Half:
                Narrowing.Narrow(row, new Span<Half>(target, row.Length));
                break;
            case ElementType.BFloat16:
                Narrowing.Narrow(row, new Span<BFloat16>(target, row.Length));
                break;
            case ElementType.SByte:
                *scale = Narrowing.Quantize(row, new Span<sbyte>(target, row.Length));
                break;
            default:
                row.CopyTo(new Span<float>(target, row.Length));
                break;
        }
    }
}
