namespace Generate;

internal static class InputFile
{
    /// <summary>A file whose length is known, and can be compared with what it says of itself.</summary>
    /// <exception cref="InvalidDataException">The path leads to something else.</exception>
    public static FileStream Open(string path)
    {
        if (Directory.Exists(path)) throw new InvalidDataException($"{path} is a folder: give the path of a file in it.");
        var stream = File.OpenRead(path);
        if (stream.CanSeek) return stream;
        stream.Dispose();
        throw new InvalidDataException($"{path} is a stream: only a file has a length to check.");
    }
}
