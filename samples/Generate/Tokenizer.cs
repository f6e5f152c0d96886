using System.Buffers.Binary;
using System.Text;

namespace Generate;

/// <summary>
/// A byte-pair tokenizer in the file form of llama2.c: the length of the longest piece, then for each piece a score, its length, its bytes.
/// </summary>
internal sealed class Tokenizer
{
    /// <summary>The token that starts and ends a text.</summary>
    public const int Edge = 1;

    /// <summary>The token of byte 0; those of the other bytes follow.</summary>
    private const int FirstByte = 3;

    private const int Bytes = 256;
    private const int PieceHeader = sizeof(float) + sizeof(int);

    private static readonly byte[] s_bytes = [.. Enumerable.Range(0, Bytes).Select(i => (byte)i)];
    private static readonly Encoding s_oneByteEach = Encoding.Latin1; // pieces as strings, which join and compare more easily than arrays

    private readonly byte[][] _pieces;
    private readonly string[] _names;
    private readonly float[] _scores;
    private readonly Dictionary<string, int> _tokens = [];
    private readonly int _longest;

    private Tokenizer(ReadOnlySpan<byte> file, int vocabulary)
    {
        if (vocabulary < FirstByte + Bytes)
            throw new InvalidDataException(
                $"cannot belong to the model: it has {vocabulary} tokens, the special ones and the bytes alone are {FirstByte + Bytes}");
        long least = sizeof(int) + (long)vocabulary * (PieceHeader + 1);
        if (file.Length < least)
            throw new InvalidDataException(
                $"is damaged: it has {file.Length} bytes, the {vocabulary} tokens of the model take {least} at least");

        _pieces = new byte[vocabulary][];
        _scores = new float[vocabulary];
        int position = sizeof(int);
        for (int token = 0; token < vocabulary; token++)
        {
            if (file.Length - position < PieceHeader)
                throw new InvalidDataException($"is damaged: it ends before token {token} of {vocabulary}");
            float score = BinaryPrimitives.ReadSingleLittleEndian(file[position..]);
            int length = BinaryPrimitives.ReadInt32LittleEndian(file[(position + sizeof(float))..]);
            position += PieceHeader;
            if (!float.IsFinite(score)) throw new InvalidDataException($"is damaged: the score of token {token} is {score}");
            if (length < 1 || length > file.Length - position)
                throw new InvalidDataException($"is damaged: token {token} should have {length} bytes, {file.Length - position} follow");

            _scores[token] = score;
            _pieces[token] = file.Slice(position, length).ToArray();
            position += length;
        }

        if (position != file.Length)
            throw new InvalidDataException(
                $"is damaged or belongs to another model: {file.Length - position} bytes follow the {vocabulary} tokens");
        _longest = _pieces.Max(piece => piece.Length);
        int stated = BinaryPrimitives.ReadInt32LittleEndian(file);
        if (stated != _longest)
            throw new InvalidDataException($"is damaged: its longest piece should have {stated} bytes, it has {_longest}");

        _names = [.. _pieces.Select(s_oneByteEach.GetString)];
        for (int token = 0; token < vocabulary; token++) _tokens.TryAdd(_names[token], token);
    }

    /// <param name="path">The file.</param>
    /// <param name="vocabulary">The number of tokens of the model, which the file does not state.</param>
    /// <exception cref="InvalidDataException">The file is damaged, or belongs to another model.</exception>
    public static Tokenizer Read(string path, int vocabulary)
    {
        using var stream = InputFile.Open(path);
        try
        {
            if (stream.Length > Array.MaxLength) throw new InvalidDataException($"has {stream.Length} bytes: it is not a tokenizer");
            byte[] file = new byte[stream.Length];
            stream.ReadExactly(file);
            return new Tokenizer(file, vocabulary);
        }
        catch (InvalidDataException e)
        {
            throw new InvalidDataException($"{Path.GetFileName(path)} {e.Message}.", e);
        }
    }

    /// <summary>The tokens of a text, and the one before it.</summary>
    /// <param name="text">The text.</param>
    /// <param name="most">The most tokens there may be.</param>
    /// <exception cref="UsageException">There are more.</exception>
    public int[] Encode(string text, int most)
    {
        if (text.Length == 0) return [Edge];
        text = ' ' + text;
        CheckLength("at least ", 1 + Encoding.UTF8.GetByteCount(text) / _longest, most); // the work grows with the square of the length

        var tokens = new List<int>();
        foreach (var character in text.EnumerateRunes()) AddCharacter(character, tokens);
        while (BestPair(tokens) is (int place, int joined))
        {
            tokens[place] = joined;
            tokens.RemoveAt(place + 1);
        }
        tokens.Insert(0, Edge);
        CheckLength("", tokens.Count, most);
        return [.. tokens];
    }

    /// <summary>The bytes of a token; a character may need those of several.</summary>
    /// <param name="before">The token before: a text does not begin with a blank.</param>
    /// <param name="token">The token.</param>
    public ReadOnlySpan<byte> Decode(int before, int token)
    {
        if (token is >= FirstByte and < FirstByte + Bytes) return s_bytes.AsSpan(token - FirstByte, 1);
        ReadOnlySpan<byte> piece = _pieces[token];
        return before == Edge && piece[0] == ' ' ? piece[1..] : piece;
    }

    /// <summary>The token of the character, or those of its bytes.</summary>
    private void AddCharacter(Rune character, List<int> tokens)
    {
        Span<byte> bytes = stackalloc byte[4];
        bytes = bytes[..character.EncodeToUtf8(bytes)];
        if (_tokens.TryGetValue(s_oneByteEach.GetString(bytes), out int token)) tokens.Add(token);
        else
            foreach (byte b in bytes) tokens.Add(FirstByte + b);
    }

    /// <summary>The first of the neighbours that join to the piece with the highest score; null where none are a piece.</summary>
    private (int Place, int Token)? BestPair(List<int> tokens)
    {
        (int Place, int Token)? best = null;
        for (int i = 0; i + 1 < tokens.Count; i++)
        {
            if (_tokens.TryGetValue(_names[tokens[i]] + _names[tokens[i + 1]], out int token)
                && (best is not { } found || _scores[token] > _scores[found.Token]))
                best = (i, token);
        }
        return best;
    }

    private static void CheckLength(string howExact, int tokens, int most)
    {
        if (tokens > most) throw new UsageException($"The prompt has {howExact}{tokens} tokens, there is room for {most}: shorten it.");
    }
}
