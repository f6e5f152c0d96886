namespace AttentionGen.CompilerServices;

/// <summary>A pinned tensor [batch, tokens, heads, dim].</summary>
internal unsafe struct StridedTensor
{
    private readonly byte* _data;
    private readonly nint _batchStride;

    /// <summary>Elements from token to token.</summary>
    public readonly nint TokenStride;

    /// <summary>Elements from head to head.</summary>
    public readonly nint HeadStride;

    public readonly int Dim, ElementBytes;

    public StridedTensor(byte* data, in KernelTensor tensor)
    {
        _data = data;
        (_batchStride, TokenStride, HeadStride) = (tensor.BatchStride, tensor.TokenStride, tensor.HeadStride);
        (Dim, ElementBytes) = (tensor.Dim, tensor.ElementBytes);
    }

    /// <summary>Rows of floats in memory of the library, side by side: [batch, tokens, heads, dim].</summary>
    public StridedTensor(float* data, int tokens, int heads, int dim)
    {
        _data = (byte*)data;
        (_batchStride, TokenStride, HeadStride) = ((nint)tokens * heads * dim, (nint)heads * dim, dim);
        (Dim, ElementBytes) = (dim, sizeof(float));
    }

    /// <summary>The strides inside a page of a cache; the memory of the cache has the addresses.</summary>
    public StridedTensor(int pageTokens, int dim, int rowDim, int elementBytes)
    {
        (TokenStride, HeadStride) = (rowDim, (nint)rowDim * pageTokens);
        (Dim, ElementBytes) = (dim, elementBytes);
    }

    /// <summary>Bytes from one token of a head to the next.</summary>
    public readonly int RowBytes => (int)TokenStride * ElementBytes;

    /// <summary>The address of a head of a token.</summary>
    public readonly byte* Row(int batch, nint token, int head) => _data + (batch * _batchStride + token * TokenStride + head * HeadStride) * ElementBytes;

    /// <summary>Rows from an address on, each <paramref name="step"/> tokens after the one before; where they are integers, with their scales.</summary>
    public readonly TokenRows Rows(byte* first, int step, float* scales = null) => new(first, TokenStride * step, HeadStride, scales, step);
}
