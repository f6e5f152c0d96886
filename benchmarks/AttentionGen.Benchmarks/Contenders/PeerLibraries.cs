using System.Runtime.InteropServices;

namespace AttentionGen.Benchmarks.Contenders;

/// <summary>The native libraries of the peers: of a NuGet package they lie beside the program, of an npm package where <c>npm ci</c> puts them.</summary>
internal static class PeerLibraries
{
    /// <param name="name">Without what the system puts around it.</param>
    /// <exception cref="PeerException">The package has none for this machine.</exception>
    public static string FindBesideProgram(string name)
    {
        var (system, file) = OperatingSystem.IsWindows() ? ("win", $"{name}.dll") : OperatingSystem.IsMacOS() ? ("osx", $"lib{name}.dylib") : ("linux", $"lib{name}.so");
        string machine = $"{system}-{RuntimeInformation.ProcessArchitecture.ToString().ToLowerInvariant()}";
        string path = Path.Combine(AppContext.BaseDirectory, "runtimes", machine, "native", file);
        return File.Exists(path) ? path : throw new PeerException($"its package has no library for {machine}");
    }

    /// <exception cref="PeerException">It is not installed.</exception>
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
