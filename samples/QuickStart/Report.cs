using AttentionGen;

namespace QuickStart;

/// <summary>Everything the program prints but the maps.</summary>
internal static class Report
{
    private const string RunInRelease = "dotnet run -c Release --project samples/QuickStart";

    public static void Start(Sentence sentence)
    {
        Console.WriteLine($"\"{sentence.Text}\"");
        Console.WriteLine($"{sentence.Tokens.Length} tokens through the attention of Universal Sentence Encoder Lite, on {AttentionInfo.Isa}.");
        Console.WriteLine("The maps are weights in percent: a row for each query, a column for each key.");
        Console.WriteLine();
    }

    public static void Layer(EncoderLayer layer, EncoderResult result)
    {
        Console.WriteLine($"{layer.Name}: {Encoder.Heads} heads of {layer.HeadDim} elements");
        Kernel("output", AttentionInfo.Describe(layer.Attend));
        Kernel("weights", AttentionInfo.Describe(layer.Weigh));
        Console.WriteLine($"  largest error against the recording: output {Error(result.OutputError)}, weights {Error(result.WeightsError)}");
        Console.WriteLine();
    }

    public static void Race(RaceResult result)
    {
        Console.WriteLine($"{Decoder.Heads} heads of {Decoder.HeadDim} elements, {QuickStart.Race.Tokens} tokens, causal: "
            + $"{QuickStart.Race.GigaFlops:0.00} GFLOP a call, medians of {result.Rounds} rounds");
        Kernel("output", AttentionInfo.Describe(Decoder.Attend));
        Console.WriteLine();
        Console.WriteLine($"  {"",-12}{"generated kernel",28}{"TensorPrimitives",28}{"speed-up",12}");
        foreach (var row in result.Rows)
            Console.WriteLine($"  {Threads(row.Threads),-12}{Time(row.Generated)}{Time(row.ByHand)}{row.SpeedUp,11:0.0}x");
        Console.WriteLine($"  {"allocated",-12}{result.AllocatedBytes,26} B{result.AllocatedBytesByHand,26} B");
        Console.WriteLine();
        Console.WriteLine($"  largest difference between the two: {Error(result.LargestDifference)}");
        Console.WriteLine($"  the kernel gives the same bits on one and on all threads: {(result.SameBits ? "yes" : "NO")}");
        Console.WriteLine();
    }

    public static void NotTimed()
    {
        Console.WriteLine("Not timed: this is a Debug build. The JIT does not optimise it, so a kernel is about ten times slower,");
        Console.WriteLine("while TensorPrimitives is optimised: the numbers would mean nothing. To time the kernels:");
        Console.WriteLine($"  {RunInRelease}");
        Console.WriteLine();
    }

    public static void GeneratedFiles()
    {
        Delegate[] kernels = [.. EncoderLayer.All.SelectMany(layer => new[] { layer.Attend, layer.Weigh }), Decoder.Attend];
        string[] files = [.. kernels.Select(kernel => $"{AttentionInfo.Describe(kernel).Core}.g.cs")];
        string directory = Build.GeneratedDirectory(files[0]) ?? "the obj directory of the build that made this program";
        Console.WriteLine("The generated source of these kernels is in");
        Console.WriteLine($"  {directory}");
        foreach (string file in files) Console.WriteLine($"    {file}");
    }

    private static void Kernel(string what, AttentionKernelInfo kernel)
    {
        Console.WriteLine($"  {what,-8}{kernel.Core}");
        Console.WriteLine($"  {"",-8}{kernel.Plan}");
    }

    private static string Error(float error) => $"{error:0.0e+0}{(Errors.Pass(error) ? "" : $", OVER {Errors.Tolerance:0e+0}")}";

    private static string Threads(int count) => count == 1 ? "1 thread" : $"{count} threads";

    private static string Time(double milliseconds) =>
        $"{milliseconds,12:0.0} ms{QuickStart.Race.GigaFlops / (milliseconds / 1000),6:0} GFLOP/s";
}
