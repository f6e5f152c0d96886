using System.Runtime.CompilerServices;

namespace AttentionGen.CompilerServices;

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
