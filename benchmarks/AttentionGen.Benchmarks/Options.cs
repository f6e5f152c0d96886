using System.CommandLine;
using System.CommandLine.Parsing;
using System.Globalization;
using AttentionGen.Benchmarks.Shapes;

namespace AttentionGen.Benchmarks;

/// <summary>The command line of <c>compare</c>.</summary>
/// <param name="Shapes">The shapes to time.</param>
/// <param name="Threads">The numbers of threads to time each with.</param>
/// <param name="Json">Where the results go, beside the table.</param>
/// <param name="Save">Whether they are kept under benchmarks/results.</param>
/// <param name="Seed">Of the inputs.</param>
internal sealed record Options(IReadOnlyList<Shape> Shapes, IReadOnlyList<int> Threads, FileInfo? Json, bool Save, int Seed)
{
    /// <summary>All commands of the program.</summary>
    public static RootCommand Commands(Func<Options, int> compare, Func<int, int> firstCall, Func<string, int, int> measure, Func<int> readme, Func<string[], int> bench) =>
        new("Times generated attention kernels: side by side with peers, or alone with BenchmarkDotNet.")
        {
            CompareCommand(compare),
            FirstCallCommand(firstCall, measure),
            ReadmeCommand(readme),
            BenchCommand(bench),
        };

    private static Command CompareCommand(Func<Options, int> run)
    {
        var shapes = new Option<IReadOnlyList<Shape>?>("--shapes")
        {
            Description = $"groups, ids, and beginnings of ids with a star, separated by commas; the default is all of them. {ShapeTable.Names}",
            HelpName = "masks,P1",
            CustomParser = result => Parse(result, ShapeTable.Select).SelectMany(group => group).Distinct().ToList(),
        };
        var threads = new Option<IReadOnlyList<int>?>("--threads")
        {
            Description = "numbers of threads, separated by commas; the default is 1",
            HelpName = "1,2",
            CustomParser = result => Parse(result, ThreadCount),
        };
        var json = new Option<FileInfo?>("--json") { HelpName = "FILE", Description = "a file for the results" };
        var save = new Option<bool>("--save") { Description = "keep results and table under benchmarks/results, in files named after the processor" };
        var seed = new Option<int>("--seed") { Description = "the seed of the inputs", HelpName = "NUMBER", DefaultValueFactory = _ => 1 };
        var command = new Command("compare", "Times our kernels, TensorPrimitives, ONNX Runtime and ggml over the same inputs, in turn, in one process")
        {
            shapes, threads, json, save, seed,
        };
        command.SetAction(parsed => run(new Options(
            parsed.GetValue(shapes) ?? ShapeTable.All, parsed.GetValue(threads) ?? [1], parsed.GetValue(json), parsed.GetValue(save), parsed.GetValue(seed))));
        return command;
    }

    private static Command FirstCallCommand(Func<int, int> run, Func<string, int, int> measure)
    {
        var processes = new Option<int>("--processes") { Description = "how many processes measure each row", HelpName = "NUMBER", DefaultValueFactory = _ => 15 };
        var shape = new Option<string?>("--measure") { Description = "measures a shape in this process", Hidden = true };
        var threads = new Option<int>("--threads") { Hidden = true };
        var command = new Command("first-call", "Times the first call of a kernel, with the share of the JIT, each in a process of its own") { processes, shape, threads };
        command.SetAction(parsed => parsed.GetValue(shape) is { } id ? measure(id, parsed.GetValue(threads)) : run(parsed.GetValue(processes)));
        return command;
    }

    private static Command ReadmeCommand(Func<int> run)
    {
        var command = new Command("readme", "Writes the tables of README.md and docs/benchmarks.md from benchmarks/results");
        command.SetAction(_ => run());
        return command;
    }

    private static Command BenchCommand(Func<string[], int> run)
    {
        var command = new Command("bench", "BenchmarkDotNet; its options follow, for example --filter '*Decode*' or --list flat")
        {
            TreatUnmatchedTokensAsErrors = false,
        };
        command.SetAction(parsed => run([.. parsed.UnmatchedTokens]));
        return command;
    }

    private static int ThreadCount(string text) =>
        int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out int count) && count >= 1 && count <= Environment.ProcessorCount
            ? count
            : throw new FormatException($"{text} is no number of threads from 1 to {Environment.ProcessorCount}.");

    private static List<T> Parse<T>(ArgumentResult result, Func<string, T> parse)
    {
        const StringSplitOptions Clean = StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries;
        var items = new List<T>();
        foreach (string text in result.Tokens.SelectMany(token => token.Value.Split(',', Clean)))
        {
            try
            {
                items.Add(parse(text));
            }
            catch (FormatException e)
            {
                result.AddError(e.Message);
            }
        }

        return items;
    }
}
