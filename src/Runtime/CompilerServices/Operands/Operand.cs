using System.Runtime.CompilerServices;

namespace AttentionGen.CompilerServices;

/// <summary>A pinned tensor with some of the axes [batch, heads, queries, keys].</summary>
internal unsafe struct Operand
{
    public byte* Data;
    public nint Batch, Head, Query, Key; // strides in bytes, 0 along a missing axis

    /// <summary>Sets the operand to a contiguous tensor.</summary>
    public void Set(void* data, int size, AttentionAxes axes, in ForwardShape shape)
    {
        Data = (byte*)data;
        (Batch, Head, Query, Key) = (0, 0, 0, 0);
        nint stride = size;
        if ((axes & AttentionAxes.Key) != 0) (Key, stride) = (stride, stride * shape.Keys);
        if ((axes & AttentionAxes.Query) != 0) (Query, stride) = (stride, stride * shape.Queries);
        if ((axes & AttentionAxes.Head) != 0) (Head, stride) = (stride, stride * shape.Heads);
        if ((axes & AttentionAxes.Batch) != 0) Batch = stride;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public readonly byte* At(int batch, int head, nint query, nint key) => Data + batch * Batch + head * Head + query * Query + key * Key;
}
