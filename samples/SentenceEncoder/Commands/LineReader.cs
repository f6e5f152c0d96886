using System.Buffers;
using System.Globalization;
using System.Text;

namespace SentenceEncoder.Commands;

/// <summary>Lines of UTF-8, each as text or with what is wrong with it: one bad line does not end the others. A line takes bounded memory.</summary>
internal sealed class LineReader(Stream stream)
{
    /// <summary>No line of text is as long. What is longer is another kind of file.</summary>
    public const int LongestLine = 1 << 20;

    private static readonly UTF8Encoding s_strict = new(encoderShouldEmitUTF8Identifier: false, throwOnInvalidBytes: true);

    private readonly byte[] _buffer = new byte[1 << 16];
    private readonly ArrayBufferWriter<byte> _line = new();
    private int _next, _end;
    private bool _tooLong;

    /// <summary>The bytes that were read.</summary>
    public long Read { get; private set; }

    /// <param name="text">The next line, without its end; null if it is not text.</param>
    /// <param name="wrong">What is wrong with it, or null.</param>
    /// <returns>Whether there is one.</returns>
    public bool Next(out string? text, out string? wrong)
    {
        (text, wrong) = (null, null);
        _line.ResetWrittenCount();
        _tooLong = false;
        bool any = false;
        while (true)
        {
            if (_next == _end && !Fill())
            {
                if (!any) return false;
                break;
            }
            any = true;
            var rest = _buffer.AsSpan(_next.._end);
            int length = rest.IndexOf((byte)'\n');
            Keep(length < 0 ? rest : rest[..length]);
            _next += length < 0 ? rest.Length : length + 1;
            if (length >= 0) break;
        }

        if (_tooLong)
        {
            wrong = $"has more than {LongestLine.ToString("N0", CultureInfo.InvariantCulture)} bytes";
            return true;
        }
        try
        {
            text = s_strict.GetString(Bytes());
        }
        catch (DecoderFallbackException e)
        {
            wrong = $"is not UTF-8 (byte {e.Index + 1})";
        }
        return true;
    }

    private ReadOnlySpan<byte> Bytes()
    {
        var bytes = _line.WrittenSpan;
        return bytes is [.., (byte)'\r'] ? bytes[..^1] : bytes;
    }

    private void Keep(ReadOnlySpan<byte> bytes)
    {
        if (_tooLong || _line.WrittenCount + bytes.Length > LongestLine) _tooLong = true;
        else _line.Write(bytes);
    }

    private bool Fill()
    {
        bool begin = Read == 0;
        (_next, _end) = (0, stream.Read(_buffer));
        Read += _end;
        if (begin && _buffer.AsSpan(0, _end).StartsWith(Encoding.UTF8.Preamble)) _next = Encoding.UTF8.Preamble.Length; // the mark with which some editors begin a file
        return _next < _end || _end > 0 && Fill();
    }
}
