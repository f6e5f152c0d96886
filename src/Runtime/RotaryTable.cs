using System.Runtime.CompilerServices;
using AttentionGen.CompilerServices;

namespace AttentionGen;

/// <summary>
/// The cosines and sines of rotary positions, computed once for many calls. Pair i at the position p has the angle p * frequency(i), in radians, with the frequency
/// base^(-2 i / rotaryDim) unless a <see cref="RotaryScaling"/> changes it. A table does not change; any thread may use it at any time.
/// </summary>
/// <remarks>
/// <para>Su et al., RoFormer: Enhanced Transformer with Rotary Position Embedding, <see href="https://arxiv.org/abs/2104.09864"/>.</para>
/// <para>
/// Angles are computed in double precision. Cosines and sines, times <see cref="AttentionFactor"/>, are rounded to single precision. The table takes 4 * RotaryDim bytes for each
/// position.
/// </para>
/// </remarks>
/// <example><code>
/// var rotary = new RotaryTable(rotaryDim: 128, positions: 8192, 500000);
/// Llama.Attend(query, key, value, output, rotary);
/// </code></example>
public sealed unsafe class RotaryTable
{
    /// <summary>The most rotated elements: those of the largest head.</summary>
    private const int MaxDim = 512;

    /// <summary>Rows begin at a line of the cache.</summary>
    private const int Alignment = 64;

    private readonly float[] _memory; // of the pinned heap, so that cores can hold addresses
    private readonly float* _rows;    // [positions, cosines then sines]
    private readonly double[] _frequencies;

    /// <summary>Computes a table.</summary>
    /// <param name="rotaryDim">The number of rotated elements of a head: even, from 2 to 512.</param>
    /// <param name="positions">The number of positions, from 0 on: the longest sequence, in tokens.</param>
    /// <param name="base">The base of the frequencies (theta), finite and more than 1.</param>
    /// <param name="scaling">The change of the frequencies; null for none.</param>
    /// <exception cref="ArgumentOutOfRangeException">A number is out of its range, or a table of so many positions would be too large for an array.</exception>
    /// <exception cref="ArgumentException">The scaling is not for so many elements.</exception>
    public RotaryTable(int rotaryDim, int positions, double @base = 10000, RotaryScaling? scaling = null)
        : this(rotaryDim, positions)
    {
        if (!(@base > 1) || !double.IsFinite(@base)) throw new ArgumentOutOfRangeException(nameof(@base), @base, $"base is {@base}, but must be finite and more than 1.");
        _frequencies = new double[rotaryDim / 2];
        if (scaling is null) RotaryScaling.Unscaled(_frequencies, rotaryDim, @base);
        else AttentionFactor = scaling.Compute(_frequencies, rotaryDim, positions, @base);
        for (int position = 0; position < positions; position++)
        {
            float* row = Row(position);
            for (int i = 0; i < _frequencies.Length; i++)
            {
                var (sin, cos) = Math.SinCos(position * _frequencies[i]);
                row[i] = (float)(cos * AttentionFactor);
                row[i + _frequencies.Length] = (float)(sin * AttentionFactor);
            }
        }
    }

    private RotaryTable(int rotaryDim, int positions)
    {
        if (rotaryDim is < 2 or > MaxDim || rotaryDim % 2 != 0)
            throw new ArgumentOutOfRangeException(nameof(rotaryDim), rotaryDim, $"rotaryDim is {rotaryDim}, an even number from 2 to {MaxDim} is needed.");
        if (positions < 1) throw new ArgumentOutOfRangeException(nameof(positions), positions, $"positions is {positions}, at least 1 is needed.");
        const int Padding = Alignment / sizeof(float);
        int most = (Array.MaxLength - Padding) / rotaryDim;
        if (positions > most) throw new ArgumentOutOfRangeException(nameof(positions), positions, $"positions is {positions}, at most {most} are possible with a rotaryDim of {rotaryDim}.");
        (RotaryDim, Positions, _frequencies) = (rotaryDim, positions, []);
        _memory = GC.AllocateUninitializedArray<float>(rotaryDim * positions + Padding, pinned: true);
        _rows = (float*)(((nint)Unsafe.AsPointer(ref _memory[0]) + Alignment - 1) & -Alignment);
    }

    /// <summary>The number of rotated elements of a head.</summary>
    public int RotaryDim { get; }

    /// <summary>The number of positions: the table has those from 0 to one less.</summary>
    public int Positions { get; }

    /// <summary>
    /// The factor that the cosines and sines contain: that of the scaling, or 1. Queries and keys both have it, so that it applies to scores twice.
    /// </summary>
    public double AttentionFactor { get; } = 1;

    /// <summary>The frequency of each pair, in radians per position, [RotaryDim / 2]; empty for a table that was made from cosines and sines.</summary>
    public ReadOnlySpan<double> Frequencies => _frequencies;

    /// <summary>Makes a table from finished cosines and sines, such as those of a model file.</summary>
    /// <param name="cos">[positions, rotaryDim / 2], the cosines, with the attention factor if there is one.</param>
    /// <param name="sin">[positions, rotaryDim / 2], the sines.</param>
    /// <param name="rotaryDim">The number of rotated elements of a head: even, from 2 to 512.</param>
    /// <exception cref="ArgumentException">The lengths are not whole positions or differ, or an element is not finite.</exception>
    /// <exception cref="ArgumentOutOfRangeException"><paramref name="rotaryDim"/> is out of its range.</exception>
    public static RotaryTable FromCosSin(ReadOnlySpan<float> cos, ReadOnlySpan<float> sin, int rotaryDim)
    {
        int pairs = Math.Max(rotaryDim / 2, 1);
        if (cos.Length == 0 || cos.Length % pairs != 0) throw new ArgumentException($"cos has {cos.Length} elements, a multiple of rotaryDim / 2 = {pairs} is needed, for at least one position.", nameof(cos));
        if (sin.Length != cos.Length) throw new ArgumentException($"sin has {sin.Length} elements, cos has {cos.Length}: both are [positions, rotaryDim / 2].", nameof(sin));
        var table = new RotaryTable(rotaryDim, cos.Length / pairs);
        Finite(cos, nameof(cos));
        Finite(sin, nameof(sin));
        for (int position = 0; position < table.Positions; position++)
        {
            cos.Slice(position * pairs, pairs).CopyTo(new Span<float>(table.Row(position), pairs));
            sin.Slice(position * pairs, pairs).CopyTo(new Span<float>(table.Row(position) + pairs, pairs));
        }

        return table;
    }

    /// <summary>The cosines of the pairs at a position, [RotaryDim / 2].</summary>
    /// <exception cref="ArgumentOutOfRangeException">The table does not have the position.</exception>
    public ReadOnlySpan<float> Cos(int position) => Angles(position)[..(RotaryDim / 2)];

    /// <summary>The sines of the pairs at a position, [RotaryDim / 2].</summary>
    /// <exception cref="ArgumentOutOfRangeException">The table does not have the position.</exception>
    public ReadOnlySpan<float> Sin(int position) => Angles(position)[(RotaryDim / 2)..];

    /// <summary>Rotates rows in place, as a kernel rotates queries and keys: token i by the angles of <paramref name="position"/> + i.</summary>
    /// <param name="rows">[tokens, heads, headDim].</param>
    /// <param name="heads">The number of heads of a token.</param>
    /// <param name="headDim">The number of elements of a head.</param>
    /// <param name="position">The position of the first token.</param>
    /// <param name="pairing">Which elements form pairs.</param>
    /// <param name="start">The first rotated element of a head. The elements before it, and those from start + RotaryDim on, stay as they are.</param>
    /// <exception cref="ArgumentException">The rows are not whole tokens, or a head has no room for the rotated elements.</exception>
    /// <exception cref="ArgumentOutOfRangeException">A number is out of its range, or a token is at a position that the table does not have.</exception>
    public void Rotate(Span<float> rows, int heads, int headDim, int position, AttentionRotary pairing, int start = 0)
    {
        if (heads < 1) throw new ArgumentOutOfRangeException(nameof(heads), heads, $"heads is {heads}, at least 1 is needed.");
        if (headDim < 1) throw new ArgumentOutOfRangeException(nameof(headDim), headDim, $"headDim is {headDim}, at least 1 is needed.");
        if (pairing is not (AttentionRotary.Halves or AttentionRotary.Interleaved))
            throw new ArgumentOutOfRangeException(nameof(pairing), pairing, $"pairing is {pairing}, Halves or Interleaved is needed.");
        if (start < 0) throw new ArgumentOutOfRangeException(nameof(start), start, $"start is {start}, at least 0 is needed.");
        if (start > headDim - RotaryDim) throw new ArgumentException($"start is {start} and RotaryDim {RotaryDim}, but a head has only {headDim} elements.", nameof(start));
        long width = (long)heads * headDim, tokens = rows.Length / width;
        if (rows.Length % width != 0) throw new ArgumentException($"rows has {rows.Length} elements, which is not a multiple of heads * headDim = {heads} * {headDim}.", nameof(rows));
        if (position < 0) throw new ArgumentOutOfRangeException(nameof(position), position, $"position is {position}, at least 0 is needed.");
        if (position > Positions - tokens)
            throw new ArgumentOutOfRangeException(nameof(position), position, $"position is {position}, and rows has {tokens} tokens, but the table has {Positions} positions.");

        fixed (float* first = rows)
        {
            float* row = first + start;
            for (int token = 0; token < (int)tokens; token++)
                for (int head = 0; head < heads; head++, row += headDim) Rotate(row, position + token, pairing);
        }

        GC.KeepAlive(this);
    }

    /// <summary>Rotates <see cref="RotaryDim"/> elements of one row by the angles of a position that the table has; with the bits of kernels.</summary>
    internal void Rotate(float* elements, int position, AttentionRotary pairing)
    {
        if (pairing == AttentionRotary.Halves)
        {
            int half = RotaryDim / 2;
            if (KernelIsa.Avx512) Vectors512.RotateHalves(ref *elements, ref *Row(position), half);
            else if (KernelIsa.Avx2) Vectors256.RotateHalves(ref *elements, ref *Row(position), half);
            else Vectors128.RotateHalves(ref *elements, ref *Row(position), half);
        }
        else
        {
            if (KernelIsa.Avx512) Vectors512.RotatePairs(ref *elements, ref *Row(position), RotaryDim);
            else if (KernelIsa.Avx2) Vectors256.RotatePairs(ref *elements, ref *Row(position), RotaryDim);
            else Vectors128.RotatePairs(ref *elements, ref *Row(position), RotaryDim);
        }
    }

    /// <summary>The cosines and then the sines of a position, valid while the table is alive.</summary>
    internal float* Row(int position) => _rows + (nint)position * RotaryDim;

    private Span<float> Angles(int position)
    {
        if ((uint)position >= (uint)Positions) throw new ArgumentOutOfRangeException(nameof(position), position, $"position is {position}, the table has those from 0 to {Positions - 1}.");

        // A span of the array, which keeps it alive.
        int first = (int)(Row(position) - (float*)Unsafe.AsPointer(ref _memory[0]));
        return _memory.AsSpan(first, RotaryDim);
    }

    private static void Finite(ReadOnlySpan<float> values, string name)
    {
        for (int i = 0; i < values.Length; i++)
            if (!float.IsFinite(values[i])) throw new ArgumentException($"{name}[{i}] is {values[i]}, a finite number is needed.", name);
    }
}
