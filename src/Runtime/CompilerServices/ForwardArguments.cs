namespace AttentionGen.CompilerServices;

/// <summary>A checked and pinned call: addresses, strides and lengths.</summary>
internal unsafe struct ForwardArguments
{
    public StridedTensor Query, Key, Value, Output;
    public int* QueryStarts, KeyLengths; // null where not given
    public ForwardOperands* Operands;
    public byte* Scratch;                // the caller's, or null
    public nint ScratchBytes;
    public string ScratchName;
    public int Batch, Queries, Keys, Heads, KeyValueHeads;
    public int QueryStart;               // -1 where not given
    public int Left, Right;              // keys that a row sees before and behind its position, -1 for all
    public int MaxThreads;

    public readonly int Group => Heads / KeyValueHeads;

    /// <summary>The number of visible keys of a batch item.</summary>
    public readonly int Length(int batch) => KeyLengths == null ? Keys : KeyLengths[batch];

    /// <summary>The first key that a query row sees, counted past both ends.</summary>
    public readonly nint Begin(int batch, int row) => Left < 0 ? 0 : Position(batch, row) - Left;

    /// <summary>The key behind the last one that a query row sees, counted past both ends.</summary>
    public readonly nint End(int batch, int row) => Right < 0 ? Length(batch) : Position(batch, row) + Right + 1;

    /// <summary>The keys that some of the query rows from <paramref name="first"/> to <paramref name="last"/> see; as bounds never fall, those of the outer two tell.</summary>
    public readonly (int Begin, int End) Range(int batch, int first, int last)
    {
        int end = (int)Math.Clamp(End(batch, last), 0, Length(batch));
        return ((int)Math.Clamp(Begin(batch, first), 0, end), end);
    }

    /// <summary>Where query rows of a head stand against keys.</summary>
    public readonly ForwardPlace Place(int batch, int head, int query, int key) => new(Operands, batch, head, query, Position(batch, query), key);

    private readonly nint Position(int batch, int row)
    {
        nint start = QueryStarts != null ? QueryStarts[batch] : QueryStart >= 0 ? QueryStart : (nint)Length(batch) - Queries;
        return start + row;
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
