using System.Text;
using Spectre.Console;

namespace SentenceEncoder.Commands;

/// <summary>Where a run reads and writes: results go to the output, all else to the errors.</summary>
/// <param name="Input">Sentences, one a line, where the command line has none.</param>
/// <param name="Output">Results, in UTF-8.</param>
/// <param name="Error">Messages.</param>
/// <param name="InputIsTerminal">Whether somebody types.</param>
/// <param name="OutputIsTerminal">Whether results go to a terminal.</param>
/// <param name="ErrorIsTerminal">Whether messages go to a terminal: only there is a bar of progress.</param>
internal sealed record Session(Stream Input, Stream Output, TextWriter Error, bool InputIsTerminal = false, bool OutputIsTerminal = false, bool ErrorIsTerminal = false)
{
    /// <summary>A table in a file is not broken into the lines of a terminal.</summary>
    private const int WideEnough = 1000;

    private static readonly UTF8Encoding s_utf8 = new(encoderShouldEmitUTF8Identifier: false);

    /// <summary>Shorter runs have no bar of progress: they are done before anybody reads it.</summary>
    public TimeSpan Patience { get; init; } = TimeSpan.FromSeconds(1);

    public static Session OfProcess()
    {
        if (!Console.IsOutputRedirected) Console.OutputEncoding = s_utf8;
        return new Session(
            Console.OpenStandardInput(), Console.OpenStandardOutput(), Console.Error, !Console.IsInputRedirected, !Console.IsOutputRedirected, !Console.IsErrorRedirected);
    }

    /// <summary>The output as text.</summary>
    public StreamWriter Lines() => new(Output, s_utf8, leaveOpen: true) { NewLine = "\n" };

    /// <summary>The output for tables: coloured on a terminal.</summary>
    public IAnsiConsole Tables(TextWriter lines)
    {
        if (OutputIsTerminal) return AnsiConsole.Console;
        var console = AnsiConsole.Create(new AnsiConsoleSettings { Ansi = AnsiSupport.No, ColorSystem = ColorSystemSupport.NoColors, Out = new AnsiConsoleOutput(lines) });
        console.Profile.Width = WideEnough;
        console.Profile.Capabilities.Unicode = true;
        return console;
    }

    /// <summary>The errors for a bar of progress, where they are a terminal.</summary>
    public IAnsiConsole Progress() => AnsiConsole.Create(new AnsiConsoleSettings { Interactive = InteractionSupport.Yes, Out = new AnsiConsoleOutput(Error) });
}
