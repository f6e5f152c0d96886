using AttentionGen.Benchmarks;

namespace QuickStart;

/// <summary>A prompt through the attention of a small language model: the generated kernel against TensorPrimitives.</summary>
internal sealed class Race
{
    public const int Tokens = 1024;
    private const int Elements = Tokens * Decoder.Heads * Decoder.HeadDim;

    // A multiplication and an addition for each element of a head, for the score and for the output.
    public const double GigaFlops = 4e-9 * Decoder.HeadDim * Decoder.Heads * Tokens * (Tokens + 1) / 2;

    private readonly float[] _query, _key, _value;
    private readonly TensorPrimitivesAttention _byHand = new(Decoder.Heads, Decoder.HeadDim) { Causal = true };
    private readonly float[] _row = new float[Tokens];

    public Race()
    {
        var random = new Random(1);
        _query = Normal(random);
        _key = Normal(random);
        _value = Normal(random);
    }

    public RaceResult Run()
    {
        int[] threads = [.. new[] { 1, Environment.ProcessorCount }.Distinct()];
        float[] output = new float[Elements], byHand = new float[Elements];
        Action[] calls = [.. threads.SelectMany(count => new Action[] { () => Generated(output, count), () => ByHand(byHand, count) })];
        var (milliseconds, rounds) = Timing.Compete(calls);

        Generated(output, 1);
        ByHand(byHand, 1);
        float[] allThreads = new float[Elements];
        Generated(allThreads, Environment.ProcessorCount);
        return new RaceResult(
            Rows: [.. threads.Select((count, i) => new RaceRow(count, milliseconds[2 * i], milliseconds[2 * i + 1]))],
            rounds,
            AllocatedBytes: Timing.AllocatedBytes(() => Generated(output, 1)),
            AllocatedBytesByHand: Timing.AllocatedBytes(() => ByHand(byHand, 1)),
            LargestDifference: Errors.Largest(output, byHand),
            SameBits: output.AsSpan().SequenceEqual(allThreads));
    }

    private void Generated(float[] output, int threads) => Decoder.Attend(_query, _key, _value, output, threads);

    private void ByHand(float[] output, int threads)
    {
        if (threads == 1) _byHand.Attend(_query, _key, _value, output, _row);
        else _byHand.Attend(_query, _key, _value, output, threads);
    }

    private static float[] Normal(Random random)
    {
        float[] numbers = new float[Elements];
        foreach (ref float number in numbers.AsSpan()) // Box and Muller
            number = (float)(Math.Sqrt(-2 * Math.Log(1 - random.NextDouble())) * Math.Cos(2 * Math.PI * random.NextDouble()));
        return numbers;
    }
}

/// <param name="Threads">The most threads that either may use.</param>
/// <param name="Generated">Milliseconds.</param>
/// <param name="ByHand">Milliseconds.</param>
internal sealed record RaceRow(int Threads, double Generated, double ByHand)
{
    public double SpeedUp => ByHand / Generated;
}

/// <param name="Rows">The medians of the rounds, one row for each number of threads.</param>
/// <param name="Rounds">How often each call was timed.</param>
/// <param name="AllocatedBytes">What a call of the kernel on one thread allocates.</param>
/// <param name="AllocatedBytesByHand">The same of TensorPrimitives.</param>
/// <param name="LargestDifference">Between the two results.</param>
/// <param name="SameBits">Whether the kernel gives the same result on one and on all threads.</param>
internal sealed record RaceResult(
    IReadOnlyList<RaceRow> Rows, int Rounds, long AllocatedBytes, long AllocatedBytesByHand, float LargestDifference, bool SameBits)
{
    public bool Pass => Errors.Pass(LargestDifference) && AllocatedBytes == 0 && SameBits;
}
