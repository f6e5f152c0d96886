using System.Globalization;
using System.Numerics;
using System.Text;

namespace Generate;

/// <summary>What the command line says.</summary>
internal sealed record Options
{
    /// <summary>The most tokens of a text, the first one included.</summary>
    public const int MaxSteps = 256;

    public const string Usage = """
        Generates text with a small Llama model. Without a model it replays the recorded attention of a sentence.

          --model FILE        the weights, for example stories260K.bin
          --tokenizer FILE    the pieces of its tokenizer, for example tok512.bin
          --prompt TEXT       how the text begins; empty by default
          --steps N           tokens in all, the prompt included: 1 to 256, 256 by default
          --temperature T     0 takes the likeliest token (the default), 1 draws by the model's probabilities
          --top-p P           draws among the likeliest tokens that together have this probability: above 0, at most 1 (the default)
          --seed S            the same seed draws the same text; without one, each run draws another
          --cache TYPE        how keys and values are stored: fp32 (the default), bf16, half or int8
          --help              this text

        """;

    public string? Model { get; private init; }

    public string? Tokenizer { get; private init; }

    public string Prompt { get; private init; } = "";

    /// <summary>Null where the command line leaves it to the model.</summary>
    public int? Steps { get; private init; }

    public float Temperature { get; private init; }

    public float TopP { get; private init; } = 1;

    public ulong? Seed { get; private init; }

    public CacheType Cache { get; private init; }

    public bool Help { get; private init; }

    /// <exception cref="UsageException">There is an option that does not exist, or one with a value that it cannot have.</exception>
    public static Options Parse(ReadOnlySpan<string> arguments)
    {
        var options = new Options();
        var given = new HashSet<string>();
        for (int i = 0; i < arguments.Length; i += 2)
        {
            string name = arguments[i];
            if (name == "--help") return new Options { Help = true };
            string? value = i + 1 < arguments.Length ? arguments[i + 1] : null;
            options = options.With(name, value);
            if (!given.Add(name)) throw new UsageException($"{name} is given twice.");
        }

        if (options.Model is null != options.Tokenizer is null)
            throw new UsageException("--model and --tokenizer belong together: give both, or neither for the run without a model.");
        if (options.Model is null && given.FirstOrDefault(name => name != "--cache") is { } idle)
            throw new UsageException($"{idle} needs a model: give --model and --tokenizer.");
        return options;
    }

    private Options With(string name, string? value) => name switch
    {
        "--model" => this with { Model = Path(name, value) },
        "--tokenizer" => this with { Tokenizer = Path(name, value) },
        "--prompt" => this with { Prompt = Text(name, value) },
        "--steps" => this with
        {
            Steps = Whole<int>(name, value, $"a number from 1 to {MaxSteps}", steps => steps is >= 1 and <= MaxSteps),
        },
        "--temperature" => this with
        {
            Temperature = Real(name, value, "a finite number, 0 or more", temperature => float.IsFinite(temperature) && temperature >= 0),
        },
        "--top-p" => this with { TopP = Real(name, value, "a number more than 0 and at most 1", share => share is > 0 and <= 1) },
        "--seed" => this with { Seed = Whole<ulong>(name, value, $"a number from 0 to {ulong.MaxValue}", _ => true) },
        "--cache" => this with { Cache = CacheTypes.Parse(Value(name, value)) },
        _ => throw new UsageException($"There is no option '{name}'. --help lists those that exist."),
    };

    private static string Value(string name, string? value) => value ?? throw new UsageException($"{name} needs a value.");

    private static string Path(string name, string? value) =>
        Value(name, value) is { Length: > 0 } path ? path : throw new UsageException($"{name} needs the path of a file.");

    /// <summary>.NET puts U+FFFD where a command line is not UTF-8, and the enumeration of runes does where a surrogate is alone.</summary>
    private static string Text(string name, string? value)
    {
        foreach (var character in Value(name, value).EnumerateRunes())
            if (character == Rune.ReplacementChar)
                throw new UsageException($"The text of {name} is not valid Unicode: pass it as UTF-8, without U+FFFD.");
        return value!;
    }

    private static T Whole<T>(string name, string? value, string expected, Predicate<T> allowed)
        where T : struct, IBinaryInteger<T> =>
        T.TryParse(Value(name, value), NumberStyles.None, CultureInfo.InvariantCulture, out var number) && allowed(number)
            ? number
            : throw Wrong(name, value, expected);

    private static float Real(string name, string? value, string expected, Predicate<float> allowed) =>
        float.TryParse(Value(name, value), NumberStyles.Float, CultureInfo.InvariantCulture, out float number) && allowed(number)
            ? number
            : throw Wrong(name, value, expected);

    private static UsageException Wrong(string name, string? value, string expected) =>
        new($"{name} is '{value}', but must be {expected}.");
}

/// <summary>The command line or the prompt asks for something that cannot be done; the message is for the user.</summary>
internal sealed class UsageException(string message) : Exception(message);
