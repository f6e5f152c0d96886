namespace AttentionGen.CompilerServices;

/// <summary>A checked and pinned call of linear attention.</summary>
internal unsafe struct RecurrenceArguments
{
    public bool Causal, Decays, Corrects, Normalizes;

    public LinearAttentionFeatureMap Map;

    /// <summary>The factor of queries after the feature map.</summary>
    public float Scale;

    public int Heads, KeyValueHeads, HeadDim, ValueDim;

    /// <summary>Batch items or documents.</summary>
    public int Items;

    /// <summary>The tokens of a batch item.</summary>
    public int Queries, Keys;

    /// <summary>The first token of each document and the end of the last; null where items are batch items.</summary>
    public int* Starts;

    public StridedTensor Query, Key, Value, Output;

    public ElementType QueryType, KeyType, OutputType;

    /// <summary>Logarithms of the factors of the state, and the rates of its corrections.</summary>
    public RecurrenceOperand Decay, Beta;

    /// <summary>[items, keyValueHeads, headDim, valueDim] and [items, keyValueHeads, headDim]; null where the call starts from zeros and keeps nothing.</summary>
    public float* State, Normalizer;

    public int MaxThreads;

    /// <summary>Whether each element of a key head has a decay of its own.</summary>
    public readonly bool DecaysElements => Decays && Decay.Element != 0;

    public readonly int Group => Heads / KeyValueHeads;

    /// <summary>Where the tokens of an item lie: its batch index, its first token, and how many there are.</summary>
    public readonly (int Batch, int First, int Tokens) Of(int item, int tokens) => Starts == null ? (item, 0, tokens) : (0, Starts[item], Starts[item + 1] - Starts[item]);
}

/// <summary>A pinned operand over some of batch, tokens, heads and elements of a head: strides in floats, 0 along a missing axis.</summary>
internal unsafe struct RecurrenceOperand
{
    public float* Data;

    public nint Batch, Token, Head, Element;

    public readonly float* At(int batch, nint token, int head) => Data + batch * Batch + token * Token + head * Head;
}
