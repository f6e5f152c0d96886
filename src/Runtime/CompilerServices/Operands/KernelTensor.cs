using System.ComponentModel;
using System.Diagnostics.CodeAnalysis;
using System.Globalization;
using System.Numerics.Tensors;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace AttentionGen.CompilerServices;

/// <summary>
/// A tensor of a call: memory with the axes [batch, tokens, heads, dim] in any order. Generated code makes it from a parameter; <see cref="ForwardCall"/>
/// checks it against the other tensors.
/// </summary>
[EditorBrowsable(EditorBrowsableState.Never)]
[SuppressMessage("Design", "CA1068", Justification = "Caller argument expressions stand last.")]
public readonly ref partial struct KernelTensor
{
    /// <summary>The most tokens of a tensor: sums of a few token counts and of a block still fit into an int.</summary>
    internal const int MaxTokens = 1 << 30;

    internal readonly ref byte Data;

    internal string Name { get; }

    /// <summary>Bytes of an element. Strides and lengths count elements.</summary>
    internal int ElementBytes { get; }

    internal AttentionLayout Layout { get; private init; }

    internal int Batch { get; private init; }

    /// <summary>The number of tokens; -1 if the length of the span does not fit the shape.</summary>
    internal int Tokens { get; private init; }

    /// <summary>The number of tokens in the declaration; 0 where it fixes none.</summary>
    internal int FixedTokens { get; private init; }

    internal int Heads { get; private init; }

    internal int Dim { get; private init; }

    internal nint BatchStride { get; private init; }

    internal nint TokenStride { get; private init; }

    internal nint HeadStride { get; private init; }

    /// <summary>The elements of the span. For a tensor span, those from its first to its last element.</summary>
    internal nint Length { get; private init; }

    internal bool IsTensorSpan { get; private init; }

    /// <summary>Whether a tensor span has a batch axis.</summary>
    internal bool Batched { get; private init; }

    /// <summary>The type of its elements.</summary>
    internal ElementType Element { get; }

    private KernelTensor(ref byte data, int elementBytes, ElementType element, string name)
    {
        Data = ref data;
        ElementBytes = elementBytes;
        Element = element;
        Name = name;
    }

    /// <summary>Makes a tensor from a span in the declared order of axes, with a stride between tokens.</summary>
    /// <exception cref="ArgumentOutOfRangeException">The batch is negative.</exception>
    public static KernelTensor Of(
        ReadOnlySpan<float> span, AttentionLayout layout, int heads, int dim, int stride, int tokens = 0, int batch = 1,
        [CallerArgumentExpression(nameof(span))] string name = "", [CallerArgumentExpression(nameof(batch))] string batchName = "") =>
        OfData(
            ref Unsafe.As<float, byte>(ref MemoryMarshal.GetReference(span)), sizeof(float), ElementType.Float, span.Length, layout, heads, dim, stride, tokens, batch, name, batchName);

    /// <inheritdoc cref="Of(ReadOnlySpan{float}, AttentionLayout, int, int, int, int, int, string, string)"/>
    public static KernelTensor Of(
        ReadOnlySpan<Half> span, AttentionLayout layout, int heads, int dim, int stride, int tokens = 0, int batch = 1,
        [CallerArgumentExpression(nameof(span))] string name = "", [CallerArgumentExpression(nameof(batch))] string batchName = "") =>
        OfData(ref Unsafe.As<Half, byte>(ref MemoryMarshal.GetReference(span)), Unsafe.SizeOf<Half>(), ElementType.Half, span.Length, layout, heads, dim, stride, tokens, batch, name, batchName);

    /// <inheritdoc cref="Of(ReadOnlySpan{float}, AttentionLayout, int, int, int, int, int, string, string)"/>
    public static KernelTensor Of(
        ReadOnlySpan<BFloat16> span, AttentionLayout layout, int heads, int dim, int stride, int tokens = 0, int batch = 1,
        [CallerArgumentExpression(nameof(span))] string name = "", [CallerArgumentExpression(nameof(batch))] string batchName = "") =>
        OfData(ref Unsafe.As<BFloat16, byte>(ref MemoryMarshal.GetReference(span)), Unsafe.SizeOf<BFloat16>(), ElementType.BFloat16, span.Length, layout, heads, dim, stride, tokens, batch, name, batchName);

    private static KernelTensor OfData(
        ref byte data, int elementBytes, ElementType element, int length, AttentionLayout layout, int heads, int dim, int stride, int tokens, int batch, string name, string batchName)
    {
        if (batch < 0) ThrowHelper.BadBatch(batchName, batch);
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(heads);
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(dim);
        bool headMajor = layout == AttentionLayout.HeadMajor;
        int width = headMajor ? dim : checked(heads * dim), rows = 0;
        ArgumentOutOfRangeException.ThrowIfLessThan(stride, width);
        if (length > 0)
        {
            // The gap after the last token may be part of the span or not.
            int rest = (length - width) % stride;
            rows = length < width || rest > stride - width ? -1 : (length - width) / stride + 1;
        }

        long perItem = (long)batch * (headMajor ? heads : 1);
        int count = rows <= 0 ? rows : batch > 0 && rows % perItem == 0 ? (int)(rows / perItem) : -1;
        if (count > MaxTokens) ThrowHelper.TooManyTokens(name, count);
        return new KernelTensor(ref data, elementBytes, element, name)
        {
            Layout = layout, Batch = batch, Tokens = count, FixedTokens = tokens, Heads = heads, Dim = dim, Length = length,
            TokenStride = stride,
            HeadStride = headMajor ? (nint)stride * count : dim,
            BatchStride = (nint)stride * count * (headMajor ? heads : 1),
        };
    }

    /// <summary>Makes a tensor from a tensor span with the axes in the declared order and any strides.</summary>
    /// <param name="tensor">The tensor span.</param>
    /// <param name="layout">The order of its axes.</param>
    /// <param name="heads">The declared number of heads.</param>
    /// <param name="dim">The declared number of elements of a head.</param>
    /// <param name="tokens">The number of tokens in the declaration; 0 where it fixes none.</param>
    /// <param name="batched">Whether there is a batch axis.</param>
    /// <param name="batch">The batch that the call gives, null where the tensor alone determines it.</param>
    /// <param name="name">The name of the parameter.</param>
    /// <param name="batchName">The name of the batch parameter.</param>
    /// <exception cref="ArgumentException">The shape is not the declared one, or the elements of a head are not contiguous.</exception>
    public static KernelTensor Of(
        in ReadOnlyTensorSpan<float> tensor, AttentionLayout layout, int heads, int dim, int tokens = 0, bool batched = false, int? batch = null,
        [CallerArgumentExpression(nameof(tensor))] string name = "", [CallerArgumentExpression(nameof(batch))] string batchName = "") =>
        OfTensor(tensor, layout, heads, dim, tokens, batched, batch, name, batchName);

    /// <inheritdoc cref="Of(in ReadOnlyTensorSpan{float}, AttentionLayout, int, int, int, bool, int?, string, string)"/>
    public static KernelTensor Of(
        in ReadOnlyTensorSpan<Half> tensor, AttentionLayout layout, int heads, int dim, int tokens = 0, bool batched = false, int? batch = null,
        [CallerArgumentExpression(nameof(tensor))] string name = "", [CallerArgumentExpression(nameof(batch))] string batchName = "") =>
        OfTensor(tensor, layout, heads, dim, tokens, batched, batch, name, batchName);

    /// <inheritdoc cref="Of(in ReadOnlyTensorSpan{float}, AttentionLayout, int, int, int, bool, int?, string, string)"/>
    public static KernelTensor Of(
        in ReadOnlyTensorSpan<BFloat16> tensor, AttentionLayout layout, int heads, int dim, int tokens = 0, bool batched = false, int? batch = null,
        [CallerArgumentExpression(nameof(tensor))] string name = "", [CallerArgumentExpression(nameof(batch))] string batchName = "") =>
        OfTensor(tensor, layout, heads, dim, tokens, batched, batch, name, batchName);

    private static KernelTensor OfTensor<T>(in ReadOnlyTensorSpan<T> tensor, AttentionLayout layout, int heads, int dim, int tokens, bool batched, int? batch, string name, string batchName)
        where T : unmanaged
    {
        if (batch < 0) ThrowHelper.BadBatch(batchName, batch.Value);
        bool headMajor = layout == AttentionLayout.HeadMajor;
        var lengths = tensor.Lengths;
        var strides = tensor.Strides;
        int tokenAxis = (batched ? 1 : 0) + (headMajor ? 1 : 0), headAxis = (batched ? 1 : 0) + (headMajor ? 0 : 1), dimAxis = batched ? 3 : 2;
        if (tensor.Rank != dimAxis + 1 || lengths[headAxis] != heads || lengths[dimAxis] != dim || (batch is { } items && lengths[0] != items))
        {
            string? batchText = batched ? batch?.ToString(CultureInfo.InvariantCulture) ?? "batch" : null;
            ThrowHelper.TensorShape(name, Text(lengths), Shape(layout, batchText, tokens > 0 ? $"{tokens}" : "tokens", heads, dim));
        }

        if (lengths[tokenAxis] > MaxTokens || (batched && lengths[0] > int.MaxValue)) ThrowHelper.TensorLengths(name, Text(lengths));
        if (dim > 1 && strides[dimAxis] != 1 && !tensor.IsEmpty) ThrowHelper.TensorStrides(name, Text(strides));

        nint last = 0;
        for (int axis = 0; axis < tensor.Rank; axis++) last += (lengths[axis] - 1) * strides[axis];
        return new KernelTensor(ref Unsafe.As<T, byte>(ref Unsafe.AsRef(in tensor.GetPinnableReference())), Unsafe.SizeOf<T>(), TypeOf<T>(), name)
        {
            Layout = layout, Batch = batched ? (int)lengths[0] : 1, Tokens = (int)lengths[tokenAxis], FixedTokens = tokens, Heads = heads, Dim = dim,
            Length = tensor.IsEmpty ? 0 : last + 1, IsTensorSpan = true, Batched = batched,
            TokenStride = strides[tokenAxis], HeadStride = strides[headAxis], BatchStride = batched ? strides[0] : 0,
        };
    }

    private static ElementType TypeOf<T>() => typeof(T) == typeof(Half) ? ElementType.Half : typeof(T) == typeof(BFloat16) ? ElementType.BFloat16 : ElementType.Float;

    /// <summary>The keys or values of a cache, without an address.</summary>
    internal static KernelTensor OfCache(CacheShape shape, int dim) => OfRows(shape.Heads, dim, shape.ElementBytes, shape.Element);

    /// <summary>Rows of the library, without an address.</summary>
    internal static KernelTensor OfRows(int heads, int dim, int elementBytes, ElementType element) => new(ref Unsafe.NullRef<byte>(), elementBytes, element, "") { Batch = 1, Heads = heads, Dim = dim };

    /// <summary>The first elements of each head.</summary>
    /// <exception cref="ArgumentOutOfRangeException">A head has fewer, or none is asked for.</exception>
    internal KernelTensor First(int dim)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(dim);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(dim, Dim);
        return this with { Dim = dim };
    }

    internal bool IsEmpty => Length == 0;

    /// <summary>The contiguous elements of a span between gaps: a token, or a head of a token in head-major order.</summary>
    private int Width => Layout == AttentionLayout.HeadMajor ? Dim : Heads * Dim;

    /// <summary>Checks that the query or the key ends at a token boundary and has the declared number of tokens.</summary>
    internal void CheckTokens(string headsName, string dimName)
    {
        if (Tokens < 0)
        {
            if (Batch == 0) ThrowHelper.SpanShape(Name, Length, Shape(Layout, "0", "tokens", Heads, Dim), rows: 0, Width, (int)TokenStride);
            bool headMajor = Layout == AttentionLayout.HeadMajor;
            string what = headMajor ? $"{dimName} = {Dim}" : $"{headsName} * {dimName} = {Heads} * {Dim} = {Width}";
            ThrowHelper.NotTokens(
                Name, Length, headMajor ? "row" : "token", what, Width, (int)TokenStride, headMajor ? Heads : 1, $"{headsName} = {Heads}", Batch);
        }

        if (FixedTokens != 0 && Tokens != FixedTokens) ThrowHelper.FixedLength(Name, Tokens, FixedTokens);
    }

    /// <summary>Checks that the value or the output has as many tokens as the key or the query.</summary>
    internal void CheckTokens(int batch, int tokens)
    {
        if (Tokens == tokens && Batch == batch) return;
        if (IsTensorSpan)
            ThrowHelper.TensorShape(
                Name, Shape(Layout, Batched ? $"{Batch}" : null, $"{Tokens}", Heads, Dim), Shape(Layout, Batched ? $"{batch}" : null, $"{tokens}", Heads, Dim));
        string shape = Shape(Layout, batch == 1 ? null : $"{batch}", $"{tokens}", Heads, Dim);
        long rows = (long)batch * tokens * (Layout == AttentionLayout.HeadMajor ? Heads : 1);
        ThrowHelper.SpanShape(Name, Length, shape, rows, Width, (int)TokenStride);
    }

    private static string Shape(AttentionLayout layout, string? batch, string tokens, int heads, int dim) =>
        $"[{(batch is null ? "" : $"{batch}, ")}{(layout == AttentionLayout.HeadMajor ? $"{heads}, {tokens}" : $"{tokens}, {heads}")}, {dim}]";

    private static string Text(ReadOnlySpan<nint> lengths) => $"[{string.Join(", ", lengths.ToArray())}]";

    /// <summary>Whether two tensors share an element. Their address ranges may intersect without a shared element, as with the thirds of one buffer.</summary>
    internal bool Overlaps(in KernelTensor other)
    {
        if (IsEmpty || other.IsEmpty) return false;
        long bytes = Unsafe.ByteOffset(ref Data, ref other.Data);
        if (bytes >= Length * ElementBytes || -bytes >= other.Length * other.ElementBytes) return false;
        if (bytes % Math.Min(ElementBytes, other.ElementBytes) != 0) return true; // misaligned elements of different tensors: such a call is a mistake

        Rows rows = new(this, once: true), otherRows = new(other, once: true);
        return rows.Count <= otherRows.Count ? otherRows.AnyIn(rows, -bytes) : rows.AnyIn(otherRows, bytes);
    }

    /// <summary>Whether two indices of the tensor share an element.</summary>
    internal bool OverlapsItself()
    {
        if (!IsTensorSpan || IsEmpty) return false; // the strides of spans are at least the width
        var rows = new Rows(this, once: false);
        return rows.Stride0 < rows.Extent1 || rows.Stride1 < rows.Extent2 || rows.Stride2 < rows.Width;
    }

    /// <summary>
    /// The rows of a tensor in bytes, by three axes of descending stride, without axes of length 1. A row is a head of a token, plus the heads that follow
    /// without a gap: in most cases all heads of a token.
    /// </summary>
    private readonly ref struct Rows
    {
        private const long NeverInTheWay = long.MaxValue >> 8;

        private readonly long _count0, _count1, _count2;

        public readonly long Stride0, Stride1, Stride2, Width;

        /// <param name="tensor">The tensor.</param>
        /// <param name="once">Whether an axis of stride 0 counts as length 1. The caller can make such an axis arbitrarily long without memory.</param>
        public Rows(in KernelTensor tensor, bool once)
        {
            Width = tensor.Dim;
            Span<(long Stride, long Count)> axes = [(tensor.HeadStride, tensor.Heads), (tensor.TokenStride, tensor.Tokens), (tensor.BatchStride, tensor.Batch)];
            foreach (ref var axis in axes)
            {
                if (once && axis.Stride == 0) axis.Count = 1;
                if (axis.Stride == Width)
                {
                    Width *= axis.Count;
                    axis.Count = 1;
                }

                axis.Stride = axis.Count == 1 ? NeverInTheWay : axis.Stride * tensor.ElementBytes;
            }

            Width *= tensor.ElementBytes;
            axes.Sort((x, y) => y.Stride.CompareTo(x.Stride));
            (Stride0, _count0) = axes[0];
            (Stride1, _count1) = axes[1];
            (Stride2, _count2) = axes[2];
        }

        public long Count => _count0 * _count1 * _count2;

        /// <summary>The bytes that an index of the first axis spans.</summary>
        public long Extent1 => (_count1 - 1) * (_count1 == 1 ? 0 : Stride1) + Extent2;

        public long Extent2 => (_count2 - 1) * (_count2 == 1 ? 0 : Stride2) + Width;

        /// <summary>Whether a row of the other tensor, offset by some bytes, shares a byte with a row of this one.</summary>
        public bool AnyIn(in Rows other, long offset)
        {
            for (long i = 0; i < other._count0; i++)
                for (long j = 0; j < other._count1; j++)
                    for (long k = 0; k < other._count2; k++)
                    {
                        long start = offset + Times(i, other.Stride0) + Times(j, other.Stride1) + Times(k, other.Stride2);
                        if (Hits(start, start + other.Width)) return true;
                    }

            return false;
        }

        private static long Times(long index, long stride) => index == 0 ? 0 : index * stride;

        private bool Hits(long from, long to)
        {
            for (var (i, lastI) = Range(from, to, Stride0, _count0, Extent1); i <= lastI; i++)
            {
                long a = Times(i, Stride0);
                for (var (j, lastJ) = Range(from - a, to - a, Stride1, _count1, Extent2); j <= lastJ; j++)
                {
                    long b = a + Times(j, Stride1);
                    var (k, lastK) = Range(from - b, to - b, Stride2, _count2, Width);
                    if (k <= lastK) return true;
                }
            }

            return false;
        }

        /// <summary>The indices of an axis whose bytes [index * stride, index * stride + extent) intersect [from, to).</summary>
        private static (long First, long Last) Range(long from, long to, long stride, long count, long extent)
        {
            if (stride == 0) return from < extent && to > 0 ? (0, 0) : (1, 0); // all indices share one address
            long first = Math.Max(FloorDivide(from - extent, stride) + 1, 0), last = Math.Min(FloorDivide(to - 1, stride), count - 1);
            return (first, last);
        }

        private static long FloorDivide(long x, long y) => x >= 0 ? x / y : -((-x + y - 1) / y);
    }
}
