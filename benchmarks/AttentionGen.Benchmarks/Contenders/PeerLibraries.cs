using System.Runtime.InteropServices;

namespace AttentionGen.Benchmarks.Contenders;

/// <summary>Where <c>npm ci</c> puts the native libraries of the peers.</summary>
internal static class PeerLibraries
{
    /// <exception cref="PeerException">It is not there.</exception>
    public static string Find(string package, params string[] path)
    {
        string file = Repository.PathOf(["benchmarks", "peers", "node_modules", .. package.Split('/'), .. path]);
        return File.Exists(file) ? file : throw new PeerException($"{package} is not installed for this machine (npm ci --ignore-scripts in benchmarks/peers)");
    }

    /// <exception cref="PeerException">It cannot be loaded.</exception>
    public static nint Load(string file)
    {
        try
        {
            return NativeLibrary.Load(file);
        }
        catch (Exception e) when (e is DllNotFoundException or BadImageFormatException)
        {
            throw new PeerException($"{Path.GetFileName(file)} cannot be loaded here: {e.Message}");
        }
    }
}
