using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using Xunit;

namespace AttentionGen.Kernels.Tests;

/// <summary>
/// How the harness calls a kernel: every span of the call lies between protected pages, at one of their edges, and its surroundings and all that is only read are the same
/// after the call. A kernel that touches a protected page ends the process; <see cref="CallsInProgress"/> says in which call.
/// </summary>
internal static class GuardedCall
{
    /// <summary>Larger calls lie where they are.</summary>
    private const long MostBytes = 256 << 20;

    /// <summary>Scratch memory that is filled, so that what is read before it is written shows.</summary>
    private const int MostFilled = 1 << 20;

    private const int MostSpans = 36;

    /// <summary>Runs a call with every span at an edge that a coin decides.</summary>
    /// <param name="coins">Numbers of the same value give the same places.</param>
    public static void Run(Kernel kernel, Problem problem, in KernelArguments a, ulong coins)
    {
        coins = Mixed(coins);
        Run(kernel, problem, a, coins, inMiddle: false);
    }

    /// <summary>
    /// Runs a call with pages that may be written around each span, then with spans at edges that coins decide, then at the other edges. The results have the same bits.
    /// </summary>
    public static void RunEverywhere(Kernel kernel, Problem problem, in KernelArguments a, ulong coins)
    {
        coins = Mixed(coins);
        byte[] before = Results(a);
        Run(kernel, problem, a, coins, inMiddle: true);
        byte[] expected = Results(a);
        foreach (ulong edges in new[] { coins, ~coins })
        {
            if (GuardedMemory.Missing is not null) return;
            Restore(a, before);
            Run(kernel, problem, a, edges, inMiddle: false);
            byte[] actual = Results(a);
            int first = expected.AsSpan().CommonPrefixLength(actual);
            if (first < expected.Length) Assert.Fail($"{problem}: byte {first} of all results differs where the spans lie at other addresses");
        }
    }

    private static void Run(Kernel kernel, Problem problem, in KernelArguments a, ulong coins, bool inMiddle)
    {
        long bytes = Bytes(a);
        if (GuardedMemory.Missing is not null || bytes > MostBytes)
        {
            kernel.Body(a);
            return;
        }

        using var pages = new GuardedPages((nint)bytes, MostSpans);
        var place = new Places(pages, coins, inMiddle);
        var placed = a with
        {
            Query = place.Copy(a.Query), Key = place.Copy(a.Key), Value = place.Copy(a.Value), Output = place.Copy(a.Output),
            NarrowQuery = place.Copy(a.NarrowQuery), NarrowKey = place.Copy(a.NarrowKey), NarrowValue = place.Copy(a.NarrowValue), NarrowOutput = place.Copy(a.NarrowOutput),
            QueryStarts = place.Copy(a.QueryStarts), KeyLengths = place.Copy(a.KeyLengths), PrefixLengths = place.Copy(a.PrefixLengths),
            DocumentStarts = place.Copy(a.DocumentStarts), KeyDocumentStarts = place.Copy(a.KeyDocumentStarts), KeyBlockStarts = place.Copy(a.KeyBlockStarts), KeyBlocks = place.Copy(a.KeyBlocks),
            Bias = place.Copy(a.Bias), Keep = place.Copy(a.Keep), Slopes = place.Copy(a.Slopes), Sinks = place.Copy(a.Sinks), RelativeBias = place.Copy(a.RelativeBias), Scales = place.Copy(a.Scales),
            Table = place.Copy(a.Table), Segment = place.Copy(a.Segment), QueryNormWeight = place.Copy(a.QueryNormWeight), KeyNormWeight = place.Copy(a.KeyNormWeight),
            ScoreVector = place.Copy(a.ScoreVector), QueryKeyWeight = place.Copy(a.QueryKeyWeight),
            LogSumExp = place.Copy(a.LogSumExp), Scores = place.Copy(a.Scores), MaxScore = place.Copy(a.MaxScore), Entropy = place.Copy(a.Entropy), ArgMax = place.Copy(a.ArgMax),
            Scratch = place.Scratch(a.Scratch),
            Input = place.Copy(a.Input), Context = place.Copy(a.Context), Residual = place.Copy(a.Residual),
        };
        if (problem.Declaration.TensorSpans)
        {
            placed = placed with
            {
                QueryTensor = problem.QueryPlace.Tensor(placed.Query), KeyTensor = problem.KeyPlace.Tensor(placed.Key), ValueTensor = problem.ValuePlace.Tensor(placed.Value),
                OutputTensor = problem.OutputPlace.Tensor(placed.Output),
            };
        }

        try
        {
            using (CallsInProgress.Add(problem)) kernel.Body(placed);
        }
        finally
        {
            placed.Output.CopyTo(a.Output);
            placed.NarrowOutput.CopyTo(a.NarrowOutput);
            placed.LogSumExp.CopyTo(a.LogSumExp);
            placed.Scores.CopyTo(a.Scores);
            placed.MaxScore.CopyTo(a.MaxScore);
            placed.Entropy.CopyTo(a.Entropy);
            placed.ArgMax.CopyTo(a.ArgMax);
        }

        pages.Check($"{problem}");
        var unchanged = new Unchanged($"{problem}");
        unchanged.Check(a.Query, placed.Query);
        unchanged.Check(a.Key, placed.Key);
        unchanged.Check(a.Value, placed.Value);
        unchanged.Check(a.NarrowQuery, placed.NarrowQuery);
        unchanged.Check(a.NarrowKey, placed.NarrowKey);
        unchanged.Check(a.NarrowValue, placed.NarrowValue);
        unchanged.Check(a.QueryStarts, placed.QueryStarts);
        unchanged.Check(a.KeyLengths, placed.KeyLengths);
        unchanged.Check(a.PrefixLengths, placed.PrefixLengths);
        unchanged.Check(a.DocumentStarts, placed.DocumentStarts);
        unchanged.Check(a.KeyDocumentStarts, placed.KeyDocumentStarts);
        unchanged.Check(a.KeyBlockStarts, placed.KeyBlockStarts);
        unchanged.Check(a.KeyBlocks, placed.KeyBlocks);
        unchanged.Check(a.Bias, placed.Bias);
        unchanged.Check(a.Keep, placed.Keep);
        unchanged.Check(a.Slopes, placed.Slopes);
        unchanged.Check(a.Sinks, placed.Sinks);
        unchanged.Check(a.RelativeBias, placed.RelativeBias);
        unchanged.Check(a.Scales, placed.Scales);
        unchanged.Check(a.Table, placed.Table);
        unchanged.Check(a.Segment, placed.Segment);
        unchanged.Check(a.QueryNormWeight, placed.QueryNormWeight);
        unchanged.Check(a.KeyNormWeight, placed.KeyNormWeight);
        unchanged.Check(a.ScoreVector, placed.ScoreVector);
        unchanged.Check(a.QueryKeyWeight, placed.QueryKeyWeight);
        unchanged.Check(a.Input, placed.Input);
        unchanged.Check(a.Context, placed.Context);
        unchanged.Check(a.Residual, placed.Residual);
    }

    private static long Bytes(in KernelArguments a) =>
        4L * a.Query.Length + 4L * a.Key.Length + 4L * a.Value.Length + 4L * a.Output.Length + 4L * a.QueryStarts.Length + 4L * a.KeyLengths.Length + 4L * a.PrefixLengths.Length
        + 4L * a.DocumentStarts.Length + 4L * a.KeyDocumentStarts.Length + 4L * a.KeyBlockStarts.Length + 4L * a.KeyBlocks.Length + 4L * a.Bias.Length + a.Keep.Length + 4L * a.Slopes.Length
        + 4L * a.Sinks.Length + 4L * a.RelativeBias.Length + 4L * a.Scales.Length + 4L * a.Table.Length + 4L * a.Segment.Length + 4L * a.QueryNormWeight.Length + 4L * a.KeyNormWeight.Length
        + 4L * a.LogSumExp.Length + 4L * a.Scores.Length + 4L * a.MaxScore.Length + 4L * a.Entropy.Length + 4L * a.ArgMax.Length + a.Scratch.Length
        + 4L * a.ScoreVector.Length + 4L * a.QueryKeyWeight.Length + 4L * a.Input.Length + 4L * a.Context.Length + 4L * a.Residual.Length
        + a.NarrowQuery.Length + a.NarrowKey.Length + a.NarrowValue.Length + a.NarrowOutput.Length;

    /// <summary>All that a call writes.</summary>
    private static byte[] Results(in KernelArguments a) =>
    [
        .. MemoryMarshal.AsBytes(a.Output), .. a.NarrowOutput, .. MemoryMarshal.AsBytes(a.LogSumExp), .. MemoryMarshal.AsBytes(a.Scores), .. MemoryMarshal.AsBytes(a.MaxScore), .. MemoryMarshal.AsBytes(a.Entropy),
        .. MemoryMarshal.AsBytes(a.ArgMax),
    ];

    private static void Restore(in KernelArguments a, ReadOnlySpan<byte> results)
    {
        foreach (int i in Enumerable.Range(0, 7))
        {
            var span = i switch
            {
                0 => MemoryMarshal.AsBytes(a.Output), 1 => a.NarrowOutput, 2 => MemoryMarshal.AsBytes(a.LogSumExp), 3 => MemoryMarshal.AsBytes(a.Scores), 4 => MemoryMarshal.AsBytes(a.MaxScore),
                5 => MemoryMarshal.AsBytes(a.Entropy), _ => MemoryMarshal.AsBytes(a.ArgMax),
            };
            results[..span.Length].CopyTo(span);
            results = results[span.Length..];
        }
    }

    /// <summary>Bits that look like chance, the same for the same number (SplitMix64).</summary>
    private static ulong Mixed(ulong number)
    {
        number += 0x9E3779B97F4A7C15;
        number = (number ^ (number >> 30)) * 0xBF58476D1CE4E5B9;
        number = (number ^ (number >> 27)) * 0x94D049BB133111EB;
        return number ^ (number >> 31);
    }

    /// <summary>Takes a coin for each span.</summary>
    private ref struct Places(GuardedPages pages, ulong coins, bool inMiddle)
    {
        private ulong _coins = coins;

        public Span<T> Copy<T>(ReadOnlySpan<T> from, [CallerArgumentExpression(nameof(from))] string name = "")
            where T : unmanaged => pages.Copy(name[2..], from, Next());

        public Span<T> Copy<T>(Span<T> from, [CallerArgumentExpression(nameof(from))] string name = "")
            where T : unmanaged => Copy((ReadOnlySpan<T>)from, name);

        /// <summary>Not a copy: nothing that was there before may matter. It is aligned as it was, as its size may just do for that.</summary>
        public unsafe Span<byte> Scratch(Span<byte> from)
        {
            var edge = Next();
            if (from.IsEmpty) return from; // none is given
            fixed (byte* first = from)
            {
                var span = pages.Take<byte>("Scratch", from.Length, edge, offset: (int)((nint)first & 63), alignment: 64);
                if (span.Length <= MostFilled) span.Fill(0xFF);
                return span;
            }
        }

        private Edge Next()
        {
            bool atEnd = (_coins & 1) != 0;
            _coins >>= 1;
            return inMiddle ? Edge.Middle : atEnd ? Edge.End : Edge.Beginning;
        }
    }

    private readonly struct Unchanged(string call)
    {
        public void Check<T>(ReadOnlySpan<T> before, ReadOnlySpan<T> after, [CallerArgumentExpression(nameof(before))] string name = "")
            where T : unmanaged
        {
            if (!MemoryMarshal.AsBytes(before).SequenceEqual(MemoryMarshal.AsBytes(after))) Assert.Fail($"{call}: {name[2..]} is only read, and has changed");
        }
    }
}
