namespace AttentionGen.CompilerServices;

/// <summary>A checked and pinned call: addresses, strides and lengths.</summary>
internal unsafe struct ForwardArguments
{
    public float* Query, Key, Value, Output;
    public int* QueryStarts, KeyLengths; // null where not given
    public byte* Scratch;                // the caller's, or null
    public nint ScratchBytes;
    public string ScratchName;
    public int Batch, Queries, Keys, Heads, KeyValueHeads, HeadDim, ValueDim;
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
