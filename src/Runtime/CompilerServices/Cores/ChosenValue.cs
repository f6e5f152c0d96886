using System.ComponentModel;
using System.Numerics.Tensors;

namespace AttentionGen.CompilerServices;

/// <summary>For cores whose rows choose a key, and whose outputs are copies of values: where the state of a row has the key, and how its value becomes the output.</summary>
[EditorBrowsable(EditorBrowsableState.Never)]
public readonly unsafe struct ChosenValue
{
    /// <summary>Stands for the key of a row that has none, and of a row with NaN.</summary>
    internal const int None = -1, NotANumber = -2;

    private readonly delegate*<void*, float*, void*, int, void> _copy;

    private ChosenValue(int key, int valueBytes, int outputBytes, delegate*<void*, float*, void*, int, void> copy)
    {
        (Key, ValueBytes, OutputBytes) = (key, valueBytes, outputBytes);
        _copy = copy;
    }

    /// <summary>The place of the key in the state, in floats.</summary>
    internal int Key { get; }

    /// <summary>Bytes of an element of a value and of an output.</summary>
    internal int ValueBytes { get; }

    internal int OutputBytes { get; }

    /// <summary>Whether rows choose a key.</summary>
    internal bool Exists => _copy != null;

    /// <summary>Values of a type that become outputs of the same type, or of floats.</summary>
    /// <typeparam name="TValue">The type of a value's elements: float, Half, BFloat16 or sbyte.</typeparam>
    /// <typeparam name="TOutput">The type of an output's elements.</typeparam>
    /// <param name="key">The place of the key in the state of a row, in floats.</param>
    /// <exception cref="NotSupportedException">There is no such copy.</exception>
    public static ChosenValue Of<TValue, TOutput>(int key)
        where TValue : unmanaged
        where TOutput : unmanaged
    {
        ArgumentOutOfRangeException.ThrowIfNegative(key);
        bool isSame = typeof(TValue) == typeof(TOutput) && typeof(TValue) != typeof(sbyte);
        bool widens = typeof(TOutput) == typeof(float) && (typeof(TValue) == typeof(Half) || typeof(TValue) == typeof(BFloat16) || typeof(TValue) == typeof(sbyte));
        if (!isSame && !widens) throw new NotSupportedException($"A value of {typeof(TValue)} cannot be the output of {typeof(TOutput)}.");
        return new(key, sizeof(TValue), sizeof(TOutput), &Copy<TValue, TOutput>);
    }

    /// <summary>Writes an output row of so many elements: the value, 0 without one.</summary>
    /// <param name="value">The value; null for none.</param>
    /// <param name="scale">The scale of a value of integers; null for other types.</param>
    /// <param name="output">The output row.</param>
    /// <param name="dim">The number of elements.</param>
    internal void Write(void* value, float* scale, void* output, int dim) => _copy(value, scale, output, dim);

    private static void Copy<TValue, TOutput>(void* value, float* scale, void* output, int dim)
        where TValue : unmanaged
        where TOutput : unmanaged
    {
        if (value == null) new Span<TOutput>(output, dim).Clear();
        else if (typeof(TValue) == typeof(TOutput)) new ReadOnlySpan<TValue>(value, dim).CopyTo(new Span<TValue>(output, dim));
        else if (typeof(TValue) == typeof(Half)) Narrowing.Widen(new ReadOnlySpan<Half>(value, dim), new Span<float>(output, dim));
        else if (typeof(TValue) == typeof(BFloat16)) Narrowing.Widen(new ReadOnlySpan<BFloat16>(value, dim), new Span<float>(output, dim));
        else
        {
            var row = new Span<float>(output, dim);
            TensorPrimitives.ConvertTruncating(new ReadOnlySpan<sbyte>(value, dim), row);
            TensorPrimitives.Multiply(row, *scale, row);
        }
    }

    /// <summary>Fills an output row with NaN.</summary>
    internal static void WriteNaN(void* output, int dim, int elementBytes)
    {
        // All bits set are NaN in every floating-point type.
        new Span<byte>(output, dim * elementBytes).Fill(0xFF);
    }
}
