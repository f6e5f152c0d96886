using System.Text;

namespace AttentionGen.Generator.Text;

/// <summary>Text with indentation, LF at every end of line. Blocks close by <c>using</c>. Lines that are too long for a reader are broken.</summary>
internal sealed class SourceWriter
{
    private const int Indentation = 4;

    private readonly StringBuilder _text = new();
    private int _depth;

    /// <summary>Writes lines; an empty one carries no blanks.</summary>
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

    /// <summary>Opens a block under a head; it closes with <paramref name="end"/>.</summary>
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
