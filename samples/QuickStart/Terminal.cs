namespace QuickStart;

/// <summary>What the output can show. Colours go to a terminal only, and not where NO_COLOR (no-color.org) asks for none.</summary>
internal sealed record Terminal(bool Colour, int Width)
{
    /// <summary>For files and logs.</summary>
    private const int DefaultWidth = 100;

    public static Terminal Detect() => Console.IsOutputRedirected
        ? new Terminal(Colour: false, DefaultWidth)
        : new Terminal(
            Colour: string.IsNullOrEmpty(Environment.GetEnvironmentVariable("NO_COLOR")) && Environment.GetEnvironmentVariable("TERM") != "dumb",
            Console.WindowWidth is > 0 and int width ? width : DefaultWidth);
}
