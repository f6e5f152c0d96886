using System.Runtime.InteropServices;
using System.Runtime.Intrinsics.X86;
using System.Text;

namespace AttentionGen.Benchmarks.Machine;

/// <summary>The processor. Clouds hide the model behind a family name, so what the processor itself says of its design is told too.</summary>
/// <param name="Name">What it calls itself.</param>
/// <param name="Design">The microarchitecture, where it is known here; otherwise the numbers that name it, or nothing.</param>
internal sealed record CpuModel(string Name, string Design)
{
    public const string Zen4 = "Zen 4", Zen5 = "Zen 5";

    public static CpuModel Here { get; } = X86Base.IsSupported ? FromCpuId() : new CpuModel(FromCpuInfo() ?? RuntimeInformation.ProcessArchitecture.ToString(), "");

    public override string ToString() => Design.Length == 0 ? Name : $"{Name} ({Design})";

    /// <summary>For names of files.</summary>
    public string Slug
    {
        get
        {
            var slug = new StringBuilder();
            foreach (char c in ToString().ToLowerInvariant())
            {
                if (char.IsAsciiLetterOrDigit(c)) slug.Append(c);
                else if (slug.Length > 0 && slug[^1] != '-') slug.Append('-');
            }

            return slug.ToString().TrimEnd('-');
        }
    }

    private static CpuModel FromCpuId()
    {
        int[] brand = [.. Enumerable.Range(0, 3).SelectMany(part => CpuId(unchecked((int)0x80000002) + part))];
        string name = Encoding.ASCII.GetString(MemoryMarshal.AsBytes(brand.AsSpan())).TrimEnd('\0').Trim();
        int[] ids = CpuId(0);
        string vendor = Encoding.ASCII.GetString(MemoryMarshal.AsBytes<int>(new[] { ids[1], ids[3], ids[2] }));
        int signature = CpuId(1)[0];
        int baseFamily = signature >> 8 & 15;
        int family = baseFamily == 15 ? baseFamily + (signature >> 20 & 255) : baseFamily;
        int model = (signature >> 4 & 15) | (baseFamily is 6 or 15 ? signature >> 12 & 0xF0 : 0);
        return new CpuModel(name, Known(vendor, family, model) ?? $"{vendor} family {family} model {model}");
    }

    private static string? Known(string vendor, int family, int model) => (vendor, family) switch
    {
        ("AuthenticAMD", 25) when model is >= 0x10 and <= 0x1F or >= 0x60 and <= 0x7F or >= 0xA0 => Zen4,
        ("AuthenticAMD", 26) => Zen5,
        _ => null,
    };

    /// <summary>eax, ebx, ecx, edx.</summary>
    private static int[] CpuId(int function)
    {
        var (a, b, c, d) = X86Base.CpuId(function, 0);
        return [a, b, c, d];
    }

    private static string? FromCpuInfo()
    {
        const string Path = "/proc/cpuinfo";
        if (!File.Exists(Path)) return null;
        string? line = File.ReadLines(Path).FirstOrDefault(line => line.StartsWith("model name", StringComparison.Ordinal));
        return line?[(line.IndexOf(':') + 1)..].Trim();
    }
}
