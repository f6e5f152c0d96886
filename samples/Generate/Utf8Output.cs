using System.Buffers;
using System.Text;

namespace Generate;

/// <summary>Writes UTF-8 as it comes, each character whole: the first bytes of one wait for the rest.</summary>
internal sealed class Utf8Output(Stream stream)
{
    private const int LongestCharacter = 4;

    private readonly ArrayBufferWriter<byte> _pending = new();

    public void Write(ReadOnlySpan<byte> bytes)
    {
        _pending.Write(bytes);
        var all = _pending.WrittenSpan;
        int begun = Begun(all);
        if (begun == all.Length) return;

        Span<byte> rest = stackalloc byte[LongestCharacter];
        all[^begun..].CopyTo(rest);
        stream.Write(all[..^begun]);
        stream.Flush();
        _pending.ResetWrittenCount();
        _pending.Write(rest[..begun]);
    }

    /// <summary>Writes what waits, although the rest of the character never came.</summary>
    public void End()
    {
        stream.Write(_pending.WrittenSpan);
        stream.Flush();
        _pending.ResetWrittenCount();
    }

    /// <summary>The number of bytes at the end with which a character begins that does not end there.</summary>
    private static int Begun(ReadOnlySpan<byte> bytes)
    {
        for (int count = 1; count < LongestCharacter && count <= bytes.Length; count++)
            if (Rune.DecodeFromUtf8(bytes[^count..], out _, out _) == OperationStatus.NeedMoreData) return count;
        return 0;
    }
}
