using System.Numerics;
using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics.X86;
using AttentionGen.Benchmarks.Compare;

namespace AttentionGen.Benchmarks.Machine;

/// <summary>
/// A plain read of the keys and values of a shape, or of its weights, what decoding is measured by. Which loop is the fastest depends on the processor and on
/// where the bytes lie, so there are several: one to four streams, with and without prefetch, and the same on huge pages.
/// </summary>
internal sealed class ReadBandwidth : Timed
{
    private const int Line = 64;

    private static volatile int s_sink;

    private readonly Team _team;
    private readonly Action<int> _work;

    private unsafe ReadBandwidth(string path, Team team, delegate*<byte*, nint, int> loop, (nint Address, nint Bytes)[] ranges)
    {
        Path = path;
        _team = team;
        nint read = (nint)loop;
        _work = part =>
        {
            foreach (var (address, bytes) in ranges)
            {
                nint share = bytes / team.Size / Line * Line;
                nint from = address + part * share;
                s_sink = ((delegate*<byte*, nint, int>)read)((byte*)from, part == team.Size - 1 ? address + bytes - from : share);
            }
        };
    }

    /// <summary>Which loop, on which memory.</summary>
    public string Path { get; }

    public override void Enter() => _team.Wake();

    public override void Leave() => _team.Rest();

    public override void Run() => _team.Run(_work);

    /// <summary>All loops, on what is read itself and, where there is a copy, on huge pages.</summary>
    public static unsafe IReadOnlyList<ReadBandwidth> Ways(Team team, IReadOnlyList<(nint Address, nint Bytes)> reads, HugePages? copy)
    {
        (nint, nint)[] own = [.. reads];
        var ways = new List<ReadBandwidth>
        {
            new("1 stream", team, &Read<One>, own),
            new("1 stream, prefetch 1 KiB", team, &Read<OneNear>, own),
            new("1 stream, prefetch 4 KiB", team, &Read<OneFar>, own),
            new("2 streams", team, &Read<Two>, own),
            new("4 streams", team, &Read<Four>, own),
            new("4 streams, prefetch 1 KiB", team, &Read<FourNear>, own),
        };
        if (copy is not null)
        {
            (nint, nint)[] huge = [(copy.Address, reads.Aggregate((nint)0, (sum, read) => sum + read.Bytes))];
            ways.Add(new("1 stream, huge pages", team, &Read<One>, huge));
            ways.Add(new("1 stream, prefetch 4 KiB, huge pages", team, &Read<OneFar>, huge));
            ways.Add(new("4 streams, huge pages", team, &Read<Four>, huge));
            ways.Add(new("4 streams, prefetch 1 KiB, huge pages", team, &Read<FourNear>, huge));
        }

        return ways;
    }

    // Eight vectors. Wider ones than Vector<T> has would read no faster: what is read lies behind the second-level cache.
    private static int Block => 8 * Vector<byte>.Count;

    /// <summary>Reads every line once.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization | MethodImplOptions.NoInlining)]
    private static unsafe int Read<TLoop>(byte* from, nint bytes) where TLoop : struct, ILoop
    {
        nint stream = bytes / TLoop.Streams / Block * Block;
        Vector<int> a = default, b = default;
        for (byte* p = from, end = from + stream; p < end; p += Block)
        {
            Take<TLoop>(p, ref a, ref b);
            if (TLoop.Streams >= 2) Take<TLoop>(p + stream, ref a, ref b);
            if (TLoop.Streams >= 4)
            {
                Take<TLoop>(p + 2 * stream, ref a, ref b);
                Take<TLoop>(p + 3 * stream, ref a, ref b);
            }
        }

        int rest = 0;
        for (nint i = TLoop.Streams * stream; i < bytes; i += Line) rest |= *(int*)(from + i);
        return rest | Vector.Sum(a | b);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static unsafe void Take<TLoop>(byte* p, ref Vector<int> a, ref Vector<int> b) where TLoop : struct, ILoop
    {
        if (TLoop.PrefetchBytes > 0 && Sse.IsSupported)
        {
            Sse.Prefetch0(p + TLoop.PrefetchBytes);
            Sse.Prefetch0(p + TLoop.PrefetchBytes + Line);
            if (Block > 2 * Line)
            {
                Sse.Prefetch0(p + TLoop.PrefetchBytes + 2 * Line);
                Sse.Prefetch0(p + TLoop.PrefetchBytes + 3 * Line);
            }
        }

        int* x = (int*)p;
        a |= Vector.Load(x);
        b |= Vector.Load(x + Vector<int>.Count);
        a |= Vector.Load(x + 2 * Vector<int>.Count);
        b |= Vector.Load(x + 3 * Vector<int>.Count);
        a |= Vector.Load(x + 4 * Vector<int>.Count);
        b |= Vector.Load(x + 5 * Vector<int>.Count);
        a |= Vector.Load(x + 6 * Vector<int>.Count);
        b |= Vector.Load(x + 7 * Vector<int>.Count);
    }

    private interface ILoop
    {
        static abstract int Streams { get; }

        static virtual int PrefetchBytes => 0;
    }

    private readonly struct One : ILoop
    {
        public static int Streams => 1;
    }

    private readonly struct OneNear : ILoop
    {
        public static int Streams => 1;

        public static int PrefetchBytes => 1024;
    }

    private readonly struct OneFar : ILoop
    {
        public static int Streams => 1;

        public static int PrefetchBytes => 4096;
    }

    private readonly struct Two : ILoop
    {
        public static int Streams => 2;
    }

    private readonly struct Four : ILoop
    {
        public static int Streams => 4;
    }

    private readonly struct FourNear : ILoop
    {
        public static int Streams => 4;

        public static int PrefetchBytes => 1024;
    }
}
