using AttentionGen.Generator.Text;

namespace AttentionGen.Generator.Planning;

/// <summary>
/// Names of generated files that are valid for any compiler and file system, whatever the names in the user's code are: ASCII letters, digits, '.', '_' and '-', at most
/// <see cref="MaxLength"/> characters. Where that changes a name, a hash of the full name makes it unique, so that it depends on no other file.
/// </summary>
internal static class FileNames
{
    /// <summary>With their directories, names stay below the limit of paths on Windows.</summary>
    public const int MaxLength = 100;

    /// <summary>The file with errors that no analyzer reports.</summary>
    public const string Errors = "AttentionGen.Errors.g.cs";

    private const string End = ".g.cs", StandInEnd = ".InError.g.cs";

    /// <summary>Names of devices on Windows, with any extension.</summary>
    private static bool IsDevice(string name) => name.ToLowerInvariant() switch
    {
        "con" or "prn" or "aux" or "nul" => true,
        { Length: 4 } text when char.IsDigit(text[3]) => text.StartsWith("com", StringComparison.Ordinal) || text.StartsWith("lpt", StringComparison.Ordinal),
        _ => false,
    };

    /// <param name="name">The wanted name.</param>
    /// <param name="identity">A text that no other file has.</param>
    public static string Of(string name, string identity)
    {
        string plain = name + End;
        return Plain(name, int.MaxValue) == name && plain.Length <= MaxLength && !plain.EndsWith(StandInEnd, StringComparison.OrdinalIgnoreCase) ? plain : Hashed(name, identity);
    }

    /// <summary>The name that does not depend on how the plain one is written.</summary>
    public static string Hashed(string name, string identity)
    {
        string end = $"-{Invariant.Hash(identity)}{End}";
        return Plain(name, MaxLength - end.Length) + end;
    }

    /// <summary>The name of the stand-in for a declaration in error.</summary>
    public static string OfStandIn(string name, string identity)
    {
        string end = $".{Invariant.ShortHash(identity)}{StandInEnd}";
        return Plain(name, MaxLength - end.Length) + end;
    }

    private static string Plain(string name, int length)
    {
        string text = IsDevice(name.Split('.')[0]) ? $"_{name}" : name;
        return new string([.. text.Take(length).Select(c => c is (>= 'a' and <= 'z') or (>= 'A' and <= 'Z') or (>= '0' and <= '9') or '.' or '_' or '-' ? c : '_')]);
    }
}
