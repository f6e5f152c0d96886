using System.Text;
using SentenceEncoder.Models;

namespace SentenceEncoder.Commands;

/// <summary>The sentences of a run, one after the other. What cannot be one is reported and left out.</summary>
internal sealed class Sentences : IDisposable
{
    private readonly string[]? _arguments;
    private readonly LineReader? _lines;
    private readonly FileStream? _file;
    private int _number;

    private Sentences(string[]? arguments, LineReader? lines, FileStream? file, TextWriter error)
    {
        _arguments = arguments;
        _lines = lines;
        _file = file;
        Say = error.WriteLine;
    }

    /// <summary>Receives what there is to say about sentences.</summary>
    public Action<string> Say { get; set; }

    /// <summary>How many were left out.</summary>
    public int Skipped { get; private set; }

    /// <summary>Whether somebody types them.</summary>
    public bool Typed { get; private init; }

    /// <summary>The share of the input that was read, where its length is known.</summary>
    public double? Share => _arguments is not null ? (double)_number / _arguments.Length : _file is { Length: > 0 } ? (double)_file.Position / _file.Length : null;

    /// <exception cref="Refusal">The file cannot be read, or there is also a command line of sentences.</exception>
    public static Sentences Open(string[] arguments, string? file, Session session)
    {
        if (file is null && arguments.Length > 0) return new Sentences(arguments, null, null, session.Error);
        if (file is null)
        {
            if (session.InputIsTerminal)
                session.Error.WriteLine($"Type sentences, one a line. {(OperatingSystem.IsWindows() ? "Ctrl+Z and Enter" : "Ctrl+D")} ends the last one.");
            return new Sentences(null, new LineReader(session.Input), null, session.Error) { Typed = session.InputIsTerminal };
        }
        if (arguments.Length > 0) throw new Refusal("Sentences come from the command line or from --file, not from both.");
        if (Directory.Exists(file)) throw new Refusal($"{file} is a folder: give the path of a file in it.");
        try
        {
            var stream = File.OpenRead(file);
            return new Sentences(null, new LineReader(stream), stream.CanSeek ? stream : null, session.Error);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new Refusal(e.Message);
        }
    }

    /// <summary>The next sentence and its number, from 1 on.</summary>
    public bool Next(out Sentence sentence)
    {
        while (NextOfAny(out string? text, out string? wrong))
        {
            _number++;
            wrong ??= string.IsNullOrWhiteSpace(text) ? "is empty" : null;
            if (wrong is null)
            {
                sentence = new Sentence(_number, text!);
                return true;
            }
            Skipped++;
            Report(_number, $"{wrong} and is left out");
        }
        sentence = default;
        return false;
    }

    private void Report(int number, string what) => Say($"{(_arguments is null ? "Line" : "Sentence")} {number} {what}.");

    /// <summary>Says that a model does not read all of a sentence.</summary>
    public void ReportCut(int number, TextEmbedder model) => Report(number, $"has more than {model.MaxTokens} tokens: the model reads no more of it");

    public void Dispose() => _file?.Dispose();

    private bool NextOfAny(out string? text, out string? wrong)
    {
        if (_lines is not null) return _lines.Next(out text, out wrong);
        (text, wrong) = (null, null);
        if (_number == _arguments!.Length) return false;
        text = _arguments[_number];

        // .NET puts U+FFFD where a command line is not UTF-8, and the enumeration of runes does where a surrogate is alone.
        if (text.EnumerateRunes().Any(rune => rune == Rune.ReplacementChar)) wrong = "is not valid Unicode";
        return true;
    }
}

/// <param name="Number">Its number among the lines or arguments, from 1 on.</param>
/// <param name="Text">The text.</param>
internal readonly record struct Sentence(int Number, string Text);
