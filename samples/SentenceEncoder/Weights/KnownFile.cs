using System.Globalization;
using System.Security.Cryptography;

namespace SentenceEncoder.Weights;

/// <summary>A file of a published model, of which there is one version. Whatever else has its name is refused.</summary>
/// <param name="Name">Its name.</param>
/// <param name="Length">Its length in bytes.</param>
/// <param name="Sha256">The hash of its bytes.</param>
internal sealed record KnownFile(string Name, long Length, string Sha256)
{
    /// <summary>The stream stands at the beginning of a file whose bytes were checked.</summary>
    /// <param name="path">Where it is.</param>
    /// <param name="remedy">What to do if the file is another one.</param>
    /// <exception cref="WeightsException">The file is missing, or has other bytes.</exception>
    public FileStream Open(string path, string remedy)
    {
        var stream = OpenUnchecked(path);
        try
        {
            if (!stream.CanSeek) throw new WeightsException($"{path} is a stream: give the path of a file.");
            if (stream.Length != Length) throw Altered($"it has {Text(stream.Length)} bytes instead of {Text(Length)}");
            string hash = Convert.ToHexStringLower(SHA256.HashData(stream));
            if (hash != Sha256) throw Altered($"its SHA-256 begins with {hash[..8]} instead of {Sha256[..8]}");
            stream.Position = 0;
            return stream;
        }
        catch
        {
            stream.Dispose();
            throw;
        }

        WeightsException Altered(string how) => new($"{path} is not the published file: {how}. {remedy}");
    }

    private FileStream OpenUnchecked(string path)
    {
        if (Directory.Exists(path)) throw new WeightsException($"{path} is a folder: give the path of the file {Name}.");
        try
        {
            return new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.Read);
        }
        catch (Exception e) when (e is FileNotFoundException or DirectoryNotFoundException)
        {
            throw new WeightsException($"{path} does not exist.", e);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new WeightsException($"{path} cannot be read: {e.Message}", e);
        }
    }

    private static string Text(long number) => number.ToString("N0", CultureInfo.InvariantCulture);
}
