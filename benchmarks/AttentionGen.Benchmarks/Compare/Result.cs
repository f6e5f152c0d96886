namespace AttentionGen.Benchmarks.Compare;

/// <summary>What was measured of a contender over a shape: an object of the JSON file.</summary>
internal sealed record Result
{
    /// <summary>The id of the shape.</summary>
    public required string Shape { get; init; }

    /// <summary>token-major, head-major, or own: each tensor as the contender likes it best.</summary>
    public required string Layout { get; init; }

    /// <summary>The instruction set of this process: of our kernels, TensorPrimitives and the peak. Native peers use what they find.</summary>
    public required string Isa { get; init; }

    public required int Threads { get; init; }

    /// <summary>AttentionGen, TensorPrimitives, OnnxRuntime or Ggml.</summary>
    public required string Contender { get; init; }

    /// <summary>Which kernel, or which of a peer's ways: the best of them.</summary>
    public required string Path { get; init; }

    public required double MedianMs { get; init; }

    public required double Gflops { get; init; }

    /// <summary>Of the multiply-adds that as many threads make, measured in the same rounds.</summary>
    public required double PercentOfPeak { get; init; }

    /// <summary>How a cache stores keys and values; null for tensors of single precision.</summary>
    public string? Storage { get; init; }

    /// <summary>Keys and values as this contender stores them, each counted once.</summary>
    public required double GigabytesPerSecond { get; init; }

    /// <summary>Of a plain read of keys and values by as many threads, measured in the same rounds; null where there are not fewer queries than keys.</summary>
    public required double? PercentOfReadBandwidth { get; init; }

    /// <summary>
    /// Of a call that takes no longer than the reading of its bytes or its multiply-adds, whichever takes longer: both as measured in the same rounds. Null where
    /// there are neither, and in results from before this was kept.
    /// </summary>
    public double? PercentOfRoofline { get; init; }

    /// <summary>By a call, on .NET's heap; null for native code, whose memory cannot be counted.</summary>
    public required long? AllocatedBytes { get; init; }

    /// <summary>The largest error of some rows against double precision.</summary>
    public required double MaxError { get; init; }

    /// <summary>Of the inputs.</summary>
    public required int Seed { get; init; }

    /// <summary>
    /// What is timed beside it: the id of the plain shape of one with masks, scores or outputs of its own; of a cache its <see cref="Shapes.CacheRow.Beside"/>. Null
    /// for a plain shape.
    /// </summary>
    public string? Plain { get; init; }

    /// <summary>Of our kernel: its time in times of what is timed beside it, on the same inputs in the same rounds.</summary>
    public double? TimeToPlain { get; init; }

    /// <summary>How much the rounds differ, whose median <see cref="MedianMs"/> is; null in results from before this was kept.</summary>
    public Spread? Spread { get; init; }

    /// <summary>The same of the peak, in the same rounds.</summary>
    public Spread? PeakSpread { get; init; }
}
