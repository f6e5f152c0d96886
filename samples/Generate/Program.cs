using System.Text;
using QuickStart;

namespace Generate;

internal static class Program
{
    private const int Done = 0, Different = 1, Refused = 2;

    private static int Main(string[] arguments)
    {
        bool terminal = !Console.IsOutputRedirected;
        if (terminal) Console.OutputEncoding = new UTF8Encoding(encoderShouldEmitUTF8Identifier: false);
        using var output = Console.OpenStandardOutput();
        return Run(arguments, output, Console.Error, endLine: terminal);
    }

    /// <param name="arguments">The command line.</param>
    /// <param name="output">Receives the text, in UTF-8.</param>
    /// <param name="error">Receives all else.</param>
    /// <param name="endLine">Whether a line end follows the text: a terminal needs one, a file has the text alone.</param>
    /// <returns>The exit code.</returns>
    internal static int Run(string[] arguments, Stream output, TextWriter error, bool endLine = false)
    {
        try
        {
            var options = Options.Parse(arguments);
            using var lines = new StreamWriter(output, leaveOpen: true);
            if (options.Help)
            {
                lines.Write(Options.Usage);
                return Done;
            }
            if (options.Model is null) return Replay.Run(lines, options.Cache) ? Done : Different;

            Generate(options, output, error, endLine);
            return Done;
        }
        catch (Exception e) when (e is UsageException or InvalidDataException or IOException or UnauthorizedAccessException)
        {
            error.WriteLine(e.Message.ReplaceLineEndings(" "));
            return Refused;
        }
    }

    private static void Generate(Options options, Stream stream, TextWriter error, bool endLine)
    {
        var weights = LlamaWeights.Read(options.Model!);
        var shape = weights.Shape;
        var tokenizer = Tokenizer.Read(options.Tokenizer!, shape.Vocabulary);
        int steps = options.Steps ?? Math.Min(Options.MaxSteps, shape.Sequence);
        if (steps > shape.Sequence)
            throw new UsageException($"--steps is {steps}, but the model has sequences of {shape.Sequence} tokens at most.");
        int[] prompt = tokenizer.Encode(options.Prompt, steps);
        ulong seed = options.Seed ?? (ulong)Random.Shared.NextInt64();

        using var cache = options.Cache.Create(shape.Layers, steps);
        var model = new LlamaModel(weights, cache, prompt.Length);
        var sampler = new Sampler(shape.Vocabulary, options.Temperature, options.TopP, seed);
        var output = new Utf8Output(stream);
        Generation generation;
        try
        {
            generation = new DecodeLoop(model, tokenizer, sampler, output).Run(prompt, steps);
        }
        finally
        {
            output.End();
            if (endLine) stream.Write("\n"u8);
        }
        Report(generation, error);
        if (options.Temperature > 0 && options.Seed is null) error.WriteLine($"To draw this text again: --seed {seed}");
    }

    private static void Report(Generation generation, TextWriter error)
    {
        string first = $"{generation.First.TotalMilliseconds:0.0} ms";
        if (Build.IsDebug)
            error.WriteLine("Not timed: this is a Debug build, in which a kernel is about ten times slower. Run it with -c Release.");
        else if (generation.Generated > 1)
            error.WriteLine($"{generation.Generated} tokens: the first after {first}, then {generation.TokensPerSecond:0} tokens/s");
        else if (generation.Generated == 1)
            error.WriteLine($"1 token, after {first}");
    }
}
