using AttentionGen.Benchmarks.Shapes;

namespace AttentionGen.Benchmarks.Contenders;

/// <summary>A call that writes a tensor of rows.</summary>
/// <param name="name">Whose way it is.</param>
/// <param name="path">Which way.</param>
/// <param name="storage">How keys and values are stored; null for single precision.</param>
/// <param name="bytes">Bytes of what is stored, where they are not those of the shape.</param>
/// <param name="output">Where the call writes.</param>
/// <param name="dim">Elements of a row.</param>
/// <param name="run">The call.</param>
/// <param name="owned">What is disposed with it; null for nothing.</param>
internal sealed class CallContender(string name, string path, string? storage, double? bytes, Tensor output, int dim, Action run, IDisposable? owned = null) : Contender
{
    public override string Name => name;

    public override string Path => path;

    public override string Layout => TokenMajor;

    public override string? Storage => storage;

    public override double? KeyValueBytes => bytes;

    public override bool IsManaged => true;

    public override void Run() => run();

    public override ReadOnlySpan<float> OutputRow(int batch, int query, int head) => output.Span.Slice(query * dim, dim);

    public override void Dispose()
    {
        base.Dispose();
        owned?.Dispose();
    }
}
