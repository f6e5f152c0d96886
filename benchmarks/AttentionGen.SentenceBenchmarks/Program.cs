using System.CommandLine;
using System.Globalization;
using AttentionGen.SentenceBenchmarks;
using QuickStart;
using SentenceEncoder.Models;
using SentenceEncoder.Tokens;
using SentenceEncoder.Weights;

var rounds = new Option<int>("--rounds") { Description = "how many times each way is timed, in turn", HelpName = "NUMBER", DefaultValueFactory = _ => 15 };
var texts = new Option<int>("--texts") { Description = "how many texts each file has", HelpName = "NUMBER", DefaultValueFactory = _ => 512 };
var command = new RootCommand("Times all-MiniLM-L6-v2 on our kernels and on ONNX Runtime, from texts to vectors, on texts of mixed lengths and of equal ones") { rounds, texts };
command.SetAction(parsed => Run(parsed.GetValue(rounds), parsed.GetValue(texts)));
return command.Parse(args).Invoke();

static int Run(int rounds, int count)
{
    if (Build.IsDebug)
    {
        Console.Error.WriteLine("Not timed: this is a Debug build, in which a kernel is about ten times slower. Run it with -c Release.");
        return 2;
    }

    byte[] model, vocabulary;
    try
    {
        (model, vocabulary) = MiniLmPackage.Read();
    }
    catch (WeightsException e)
    {
        Console.Error.WriteLine(e.Message);
        return 2;
    }

    using var ours = MiniLmEncoder.Load(model, vocabulary);
    var tokenizer = new WordPieces(vocabulary, ours.MaxTokens);
    Console.WriteLine("| texts | tokens | threads | AttentionGen, texts/s | ONNX Runtime, as they come | sorted by length | ours / best |");
    Console.WriteLine("|---|---|---|---|---|---|---|");
    foreach (var (name, file) in new[] { ("mixed", Corpus.Mixed(count)), ("equal", Corpus.Equal(count, tokenizer)) })
    {
        int[] lengths = [.. file.Select(text => tokenizer.Encode(text, out _).Length)];
        for (int threads = 1; threads <= Math.Min(2, Environment.ProcessorCount); threads++)
        {
            using var onnx = new OnnxEncoder(model, tokenizer, threads);
            var race = new Race(ours, onnx, file, threads);
            race.Run(rounds);
            string tokens = $"{lengths.Min()} to {lengths.Max()}, {Text(lengths.Average(), "0.0")} on average";
            Console.WriteLine($"| {file.Count} {name} | {tokens} | {threads} | {Text(race.Ours, "0")} | {Text(race.AsTheyCome, "0")} | {Text(race.Sorted, "0")} | {Text(race.Ratio, "0.00")} |");
        }
    }

    return 0;
}

static string Text(double value, string format) => value.ToString(format, CultureInfo.InvariantCulture);
