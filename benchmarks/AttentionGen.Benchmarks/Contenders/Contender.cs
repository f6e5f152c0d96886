using AttentionGen.Benchmarks.Compare;

namespace AttentionGen.Benchmarks.Contenders;

/// <summary>One way to compute a shape, with its tensors.</summary>
internal abstract class Contender : Timed
{
    public const string TokenMajor = "token-major", HeadMajor = "head-major";

    /// <summary>The layout of those who take each tensor in the order that suits them.</summary>
    public const string OwnLayout = "own";

    /// <summary>Whose way it is: AttentionGen, TensorPrimitives, OnnxRuntime, Ggml.</summary>
    public abstract string Name { get; }

    /// <summary>Which way: a kernel, an operator.</summary>
    public abstract string Path { get; }

    public abstract string Layout { get; }

    /// <summary>How a cache stores keys and values; null for tensors of single precision.</summary>
    public virtual string? Storage => null;

    /// <summary>The bytes of keys and values as this contender stores them; null where they are those of the shape.</summary>
    public virtual double? KeyValueBytes => null;

    /// <summary>The largest error of one that computes the right thing; a larger one is of another problem: a mask or a layout that a peer understands differently.</summary>
    public virtual double Tolerance => 1e-3;

    /// <summary>Whether all memory that a call allocates is .NET's, and so can be counted.</summary>
    public virtual bool IsManaged => false;

    /// <summary>A row of the last result.</summary>
    public abstract ReadOnlySpan<float> OutputRow(int batch, int query, int head);

    /// <summary>What the last result says beside its row; null where it says nothing.</summary>
    public virtual float? LogSumExp(int query, int head) => null;
}

/// <summary>A native library that is missing or cannot do what it is asked for; the message says which.</summary>
internal sealed class PeerException(string message) : Exception(message);
