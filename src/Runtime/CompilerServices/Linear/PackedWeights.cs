using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace AttentionGen.CompilerServices;

/// <summary>
/// The weights and biases of a product in native memory, packed for this processor: see <see cref="ILinearCore"/>. A gated product has two parts, whose columns belong together in pairs. Several
/// calls may use them at the same time; what is disposed meanwhile is freed when the last of them ends.
/// </summary>
internal sealed unsafe class PackedWeights : IDisposable
{
    private readonly byte* _memory;
    private readonly nuint _bytes;
    private readonly int _partPanels;
    private readonly nint _scaleOffset, _biasOffset;
    private UseGate _gate;

    /// <param name="type">Float, BFloat16 or SByte.</param>
    /// <param name="depth">The elements of an input row.</param>
    /// <param name="columns">The columns of a part.</param>
    /// <param name="parts">1, or 2 for a gated product.</param>
    /// <param name="hasBias">Whether there is a number that is added to each column.</param>
    /// <exception cref="OutOfMemoryException">There is not enough memory.</exception>
    /// <exception cref="OverflowException">There is no address for so many.</exception>
    public PackedWeights(ElementType type, int depth, int columns, int parts, bool hasBias)
    {
        (Type, Depth, Columns, Parts, HasBias) = (type, depth, columns, parts, hasBias);
        int panelColumns = Plan.PanelColumns;
        _partPanels = (int)(((long)columns + panelColumns - 1) / panelColumns);
        nint matrix = checked((nint)parts * _partPanels * PanelElements * Element), numbers = OwnedMemory.Aligned(checked((nint)parts * columns * sizeof(float)));
        _scaleOffset = OwnedMemory.Aligned(matrix);
        _biasOffset = _scaleOffset + (type == ElementType.SByte ? numbers : 0);
        _bytes = (nuint)(_biasOffset + (hasBias ? numbers : 0));
        _memory = OwnedMemory.Allocate(_bytes);
    }

    ~PackedWeights() => Dispose();

    public ElementType Type { get; }

    public int Depth { get; }

    public int Columns { get; }

    public int Parts { get; }

    public bool HasBias { get; }

    /// <summary>The bytes of native memory.</summary>
    public long Bytes => (long)_bytes;

    /// <summary>The type of elements that weights of a type parameter have.</summary>
    public static ElementType TypeOf<T>() =>
        typeof(T) == typeof(float) ? ElementType.Float
        : typeof(T) == typeof(BFloat16) ? ElementType.BFloat16
        : typeof(T) == typeof(sbyte) ? ElementType.SByte
        : throw new NotSupportedException($"Weights of {typeof(T).Name} are not possible, float, BFloat16 and sbyte are.");

    private static LinearPlan Plan => LinearCores.Best.Plan;

    private int Element => ElementTable.Of(Type).Bytes;

    private nint PackedDepth => ((nint)Depth + 3) / 4 * 4;

    private nint PanelElements => PackedDepth * Plan.PanelColumns;

    /// <summary>Takes the weights for a call until <see cref="Exit"/>, and says where they lie.</summary>
    /// <param name="owner">What the caller of the library sees of them.</param>
    /// <exception cref="ObjectDisposedException">They are disposed.</exception>
    public LinearTarget Enter(object owner)
    {
        ObjectDisposedException.ThrowIf(_gate.TryRead() == UseGate.Result.Closed, owner);
        return new()
        {
            Type = Type, Depth = Depth, Columns = Columns, Parts = Parts, PartPanels = _partPanels, PanelBytes = PanelElements * Element, Panels = _memory,
            Scales = Type == ElementType.SByte ? (float*)(_memory + _scaleOffset) : null, Bias = HasBias ? (float*)(_memory + _biasOffset) : null,
        };
    }

    public void Exit()
    {
        if (_gate.EndRead()) Free();
        GC.KeepAlive(this); // the finaliser must not run during a call
    }

    public void Dispose()
    {
        if (_gate.Close()) Free();
        GC.SuppressFinalize(this);
    }

    private void Free()
    {
        if (_memory != null) OwnedMemory.Free(_memory, _bytes); // the finaliser also runs where the constructor got none
    }

    /// <summary>Packs the weights and biases of all parts, those of the first before those of the second.</summary>
    /// <param name="weights">[parts * columns, depth], or [depth, parts * columns].</param>
    /// <param name="order">Which of the two.</param>
    /// <param name="bias">[parts * columns], or nothing.</param>
    public void Pack(ReadOnlySpan<float> weights, AttentionWeightOrder order, ReadOnlySpan<float> bias)
    {
        NativeMemory.Clear(_memory, _bytes);
        var column = new float[Depth];
        var integers = Type == ElementType.SByte ? new sbyte[Depth] : [];
        for (int i = 0; i < Parts * Columns; i++)
        {
            Gather(weights, order, i, column);
            ref byte origin = ref PlaceOf(i, out int vector, out int lane);
            switch (Type)
            {
                case ElementType.Float:
                    ref float single = ref Unsafe.As<byte, float>(ref origin);
                    for (int d = 0; d < column.Length; d++) Unsafe.Add(ref single, Offset(d, vector, lane)) = column[d];
                    break;
                case ElementType.BFloat16:
                    ref BFloat16 narrow = ref Unsafe.As<byte, BFloat16>(ref origin);
                    for (int d = 0; d < column.Length; d++) Unsafe.Add(ref narrow, Offset(d, vector, lane)) = (BFloat16)column[d];
                    break;
                default:
                    ((float*)(_memory + _scaleOffset))[i] = Narrowing.Quantize(column, integers);
                    ref sbyte integer = ref Unsafe.As<byte, sbyte>(ref origin);
                    for (int d = 0; d < column.Length; d++) Unsafe.Add(ref integer, Offset(d, vector, lane)) = integers[d];
                    break;
            }
        }

        if (HasBias) bias.CopyTo(new Span<float>(_memory + _biasOffset, bias.Length));
    }

    /// <summary>The weights as they are stored, in the form in which they were given.</summary>
    public void Unpack(Span<float> weights, AttentionWeightOrder order)
    {
        for (int i = 0; i < Parts * Columns; i++)
        {
            ref byte origin = ref PlaceOf(i, out int vector, out int lane);
            float scale = Type == ElementType.SByte ? ((float*)(_memory + _scaleOffset))[i] : 1;
            for (int d = 0; d < Depth; d++)
            {
                nint offset = Offset(d, vector, lane);
                weights[IndexOf(order, i, d)] = Type switch
                {
                    ElementType.Float => Unsafe.Add(ref Unsafe.As<byte, float>(ref origin), offset),
                    ElementType.BFloat16 => (float)Unsafe.Add(ref Unsafe.As<byte, BFloat16>(ref origin), offset),
                    _ => Unsafe.Add(ref Unsafe.As<byte, sbyte>(ref origin), offset) * scale,
                };
            }
        }
    }

    public void CopyBias(Span<float> bias) => new ReadOnlySpan<float>(_memory + _biasOffset, Parts * Columns).CopyTo(bias);

    private void Gather(ReadOnlySpan<float> weights, AttentionWeightOrder order, int column, float[] target)
    {
        for (int d = 0; d < target.Length; d++) target[d] = weights[IndexOf(order, column, d)];
    }

    private int IndexOf(AttentionWeightOrder order, int column, int d) => order == AttentionWeightOrder.OutputInput ? column * Depth + d : d * Parts * Columns + column;

    /// <summary>The panel of a column, and where the column stands in it.</summary>
    private ref byte PlaceOf(int column, out int vector, out int lane)
    {
        var (part, own) = Math.DivRem(column, Columns);
        var (panel, inPanel) = Math.DivRem(own, Plan.PanelColumns);
        (vector, lane) = Math.DivRem(inPanel, Plan.PanelColumns / 2);
        return ref *(_memory + ((nint)part * _partPanels + panel) * PanelElements * Element);
    }

    private nint Offset(int d, int vector, int lane) => (nint)d * Plan.PanelColumns + (Type == ElementType.BFloat16 ? 2 * lane + vector : vector * (Plan.PanelColumns / 2) + lane);
}
