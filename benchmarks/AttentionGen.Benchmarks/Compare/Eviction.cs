using AttentionGen.Benchmarks.Machine;

namespace AttentionGen.Benchmarks.Compare;

/// <summary>Drives everything else out of the caches, those of each core too.</summary>
internal sealed class Eviction(Team team) : IDisposable
{
    private const long Bytes = 384L << 20;

    private readonly HugePages? _huge = HugePages.Allocate(Bytes);
    private readonly Lazy<Shapes.Tensor> _plain = new(() =>
    {
        var tensor = new Shapes.Tensor((int)(Bytes / sizeof(float)));
        tensor.Span.Fill(1);
        return tensor;
    });

    private nint Address => _huge?.Address ?? _plain.Value.Address;

    public void Run()
    {
        team.Wake();
        team.Run(Stream);
        team.Rest();
    }

    public void Dispose() => _huge?.Dispose();

    // Each core reads its share.
    private unsafe void Stream(int part)
    {
        nint share = (nint)Bytes / team.Size;
        int seen = 0;
        for (byte* p = (byte*)Address + part * share, end = p + share; p < end; p += 64) seen |= *p;
        GC.KeepAlive(seen);
    }
}
