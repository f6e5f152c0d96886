using System.Runtime.CompilerServices;

namespace AttentionGen.CompilerServices;

/// <summary>
/// What a call brings beside query, key, value and output, pinned: each a tensor over some of batch, heads, queries and keys, with a stride of 0
/// along the others. The harness of the NEON tests lays it out in the same order.
/// </summary>
internal unsafe struct ForwardOperands
{
    public Operand Bias, Keep, Slopes, Sinks, LogSumExp, Scales;
    public Operand Relative; // the bias of distance 0 of each head, those of other distances around it
    public int Reach;        // as many before it and, with it, behind it
    public fixed long Spans[OwnArguments.MaxSpans]; // addresses of ints or floats
    public OwnArguments Own;

    /// <summary>The log-sum-exp of a row that sees no key.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public readonly void WriteEmpty(int batch, int head, int query)
    {
        if (LogSumExp.Data == null) return;
        *(float*)LogSumExp.At(batch, head, query, 0) = Sinks.Data == null ? float.NegativeInfinity : *(float*)Sinks.At(batch, head, query, 0);
    }
}

/// <summary>What a call brings along for the user's own masks and scores.</summary>
internal unsafe struct OwnArguments
{
    /// <summary>As many numbers as a call takes; more is an error of the generator.</summary>
    public const int MaxNumbers = 8;

    /// <summary>The same for spans that they index.</summary>
    public const int MaxSpans = 4;

    public fixed int Numbers[MaxNumbers]; // ints, or floats with the same bits
    public fixed int Lengths[MaxSpans];
}

/// <summary>A pinned tensor [batch, heads, queries, keys] of some of these axes.</summary>
internal unsafe struct Operand
{
    public byte* Data;
    public nint Batch, Head, Query, Key; // bytes from one to the next, 0 where the axis is missing

    /// <summary>A tensor whose elements lie one after the other.</summary>
    public static Operand Of(void* data, int size, AttentionAxes axes, in ForwardShape shape)
    {
        var operand = new Operand { Data = (byte*)data };
        nint stride = size;
        if ((axes & AttentionAxes.Key) != 0) (operand.Key, stride) = (stride, stride * shape.Keys);
        if ((axes & AttentionAxes.Query) != 0) (operand.Query, stride) = (stride, stride * shape.Queries);
        if ((axes & AttentionAxes.Head) != 0) (operand.Head, stride) = (stride, stride * shape.Heads);
        if ((axes & AttentionAxes.Batch) != 0) operand.Batch = stride;
        return operand;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public readonly byte* At(int batch, int head, nint query, nint key) => Data + batch * Batch + head * Head + query * Query + key * Key;
}
