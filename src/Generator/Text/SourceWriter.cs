using System.Text;

namespace AttentionGen.Generator.Text;

/// <summary>Writes indented source text with LF line ends, and breaks lines that are too long. A block closes when its <c>using</c> ends.</summary>
internal sealed class SourceWriter
{
    private const int Indentation = 4;

    private readonly StringBuilder _text = new();
    private int _depth;

    /// <summary>Writes one line or several. An empty line has no indentation.</summary>
    public void Line(string lines = "")
    {
        foreach (string line in lines.Split('\n'))
        {
            string trimmed = line.TrimEnd('\r');
            foreach (string part in LineBreaks.Of(trimmed, _depth * Indentation))
            {
                if (part.Length > 0) _text.Append(' ', _depth * Indentation).Append(part);
                _text.Append('\n');
            }
        }
    }

    /// <summary>Writes a head and opens a block. The block closes with <paramref name="end"/>.</summary>
    public IDisposable Block(string head, string end = "}")
    {
        if (head.Length > 0) Line(head);
        Line("{");
        _depth++;
        return new Closing(this, end);
    }

    public override string ToString() => _text.ToString();

    private sealed class Closing(SourceWriter writer, string end) : IDisposable
    {
        public void Dispose()
        {
            writer._depth--;
            writer.Line(end);
        }
    }
}
