namespace AttentionGen.CompilerServices;

/// <summary>A pinned tensor [batch, tokens, heads, dim].</summary>
internal unsafe struct StridedTensor(byte* data, in KernelTensor tensor)
{
    private readonly byte* _data = data;
    private readonly nint _batchStride = tensor.BatchStride;

    /// <summary>Elements from token to token.</summary>
    public readonly nint TokenStride = tensor.TokenStride;

    /// <summary>Elements from head to head.</summary>
    public readonly nint HeadStride = tensor.HeadStride;

    public readonly int Dim = tensor.Dim, ElementBytes = tensor.ElementBytes;

    /// <summary>The address of a head of a token.</summary>
    public readonly byte* Row(int batch, nint token, int head) => _data + (batch * _batchStride + token * TokenStride + head * HeadStride) * ElementBytes;

    /// <summary>Rows from an address on, each <paramref name="step"/> tokens after the one before.</summary>
    public readonly TokenRows Rows(byte* first, int step) => new(first, TokenStride * step, HeadStride);
}
