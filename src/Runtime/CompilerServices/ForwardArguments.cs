namespace AttentionGen.CompilerServices;

/// <summary>A checked and pinned call: addresses, strides and lengths.</summary>
internal unsafe struct ForwardArguments
{
    public StridedTensor Query, Key, Value, Output;
    public int* QueryStarts, KeyLengths; // null where not given
    public byte* Scratch;                // the caller's, or null
    public nint ScratchBytes;
    public string ScratchName;
    public int Batch, Queries, Keys, Heads, KeyValueHeads;
    public int QueryStart;               // -1 where not given
    public bool Causal;
    public int MaxThreads;

    public readonly int Group => Heads / KeyValueHeads;

    /// <summary>The number of visible keys of a batch item.</summary>
    public readonly int Length(int batch) => KeyLengths == null ? Keys : KeyLengths[batch];

    /// <summary>How many keys a query row sees, counted past both ends.</summary>
    public readonly nint Visible(int batch, int row)
    {
        int length = Length(batch);
        if (!Causal) return length;
        nint start = QueryStarts != null ? QueryStarts[batch] : QueryStart >= 0 ? QueryStart : (nint)length - Queries;
        return start + row + 1;
    }
}

/// <summary>A pinned tensor [batch, tokens, heads, dim].</summary>
internal unsafe struct StridedTensor(float* data, in KernelTensor tensor)
{
    private readonly float* _data = data;
    private readonly nint _batchStride = tensor.BatchStride;

    /// <summary>Elements from token to token.</summary>
    public readonly nint TokenStride = tensor.TokenStride;

    /// <summary>Elements from head to head.</summary>
    public readonly nint HeadStride = tensor.HeadStride;

    public readonly int Dim = tensor.Dim;

    /// <summary>The first element of a head of a token.</summary>
    public readonly float* Row(int batch, nint token, int head) => _data + batch * _batchStride + token * TokenStride + head * HeadStride;
}
