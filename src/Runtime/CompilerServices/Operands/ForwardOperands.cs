using System.Runtime.CompilerServices;

namespace AttentionGen.CompilerServices;

/// <summary>
/// What a call brings beside query, key, value and output, pinned: each a tensor over some of batch, heads, queries and keys, with a stride of 0
/// along the others. The harness of the NEON tests lays it out in the same order.
/// </summary>
internal unsafe struct ForwardOperands
{
    public Operand Bias, Keep, Slopes, Sinks, Scales;
    public Operand Relative; // the bias of distance 0 of each head, those of other distances around it
    public int Reach;        // as many before it and, with it, behind it
    public float* QueryNormWeight, KeyNormWeight;
    public Operand LogSumExp, Scores, MaxScore, Entropy, ArgMax;
    public int Keys;
    public float Hidden; // what the score matrix has for a key that a row does not see
    public fixed long Spans[OwnArguments.MaxSpans]; // addresses of ints or floats
    public OwnArguments Own;

    /// <summary>What a row that sees no key has beside its output.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public readonly void WriteEmpty(int batch, int head, int query)
    {
        for (int key = 0; Scores.Data != null && key < Keys; key++) *(float*)Scores.At(batch, head, query, key) = Hidden;
        if (MaxScore.Data != null) *(float*)MaxScore.At(batch, head, query, 0) = float.NegativeInfinity;
        if (Entropy.Data != null) *(float*)Entropy.At(batch, head, query, 0) = 0;
        if (ArgMax.Data != null) *(int*)ArgMax.At(batch, head, query, 0) = -1;
        if (LogSumExp.Data != null)
            *(float*)LogSumExp.At(batch, head, query, 0) = Sinks.Data == null ? float.NegativeInfinity : *(float*)Sinks.At(batch, head, query, 0);
    }

    /// <summary>Before some rows get scores: none has any. Cores write those of the keys that a row sees, and leave out what no row of a tile does.</summary>
    public readonly void ClearScores(in ForwardSequence sequence, int head, int row, int rows)
    {
        if (Scores.Data == null) return;
        for (int i = row; i < row + rows; i++) new Span<float>(Scores.At(sequence.Batch, head, sequence.Query + (nint)i * sequence.Step, 0), Keys).Fill(float.NegativeInfinity);
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
