namespace AttentionGen.Generator.Model;

// These mirror the public enums of the runtime library by name and value (a test compares them); the generator cannot reference it.

/// <summary>AttentionGen.AttentionMask.</summary>
internal enum Mask
{
    None = 0,
    Causal = 1,
}

/// <summary>AttentionGen.AttentionLayout.</summary>
internal enum Layout
{
    TokenMajor = 0,
    HeadMajor = 1,
}

/// <summary>AttentionGen.AttentionIsas.</summary>
[Flags]
internal enum Isas
{
    Portable = 1,
    Avx2 = 2,
    Avx512 = 4,
    Neon = 8,
    All = Portable | Avx2 | Avx512 | Neon,
}

/// <summary>AttentionGen.AttentionRole.</summary>
internal enum Role
{
    Query,
    Key,
    Value,
    Output,
    Batch,
    QueryStart,
    QueryStarts,
    KeyLengths,
    MaxThreads,
    Scratch,
    Bias,
    Keep,
    Slopes,
    Sinks,
    LogSumExp,
    PrefixLength,
    PrefixLengths,
    DocumentStarts,
    KeyDocumentStarts,
    KeyBlockStarts,
    KeyBlocks,
    RelativeBias,
    Scales,
    Scores,
    MaxScore,
    Entropy,
    ArgMax,
    QueryNormWeight,
    KeyNormWeight,
}

/// <summary>AttentionGen.AttentionStage.</summary>
internal enum Stage
{
    Scaled = 0,
    Capped = 1,
    Masked = 2,
    Weights = 3,
}

/// <summary>AttentionGen.AttentionNorm.</summary>
internal enum Norm
{
    None = 0,
    Rms = 1,
    L2 = 2,
}

/// <summary>AttentionGen.AttentionAxes.</summary>
[Flags]
internal enum Axes
{
    None = 0,
    Batch = 1,
    Head = 2,
    Query = 4,
    Key = 8,
}
