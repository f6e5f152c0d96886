using System.Runtime.InteropServices;
using System.Runtime.Intrinsics.X86;
using System.Text;

namespace AttentionGen.Benchmarks.Machine;

/// <summary>The processor. Clouds hide the model behind a family name, so what the processor itself says of its design is told too.</summary>
/// <param name="Name">What it calls itself.</param>
/// <param name="Design">The microarchitecture, where it is known here; otherwise the numbers that name it, or nothing.</param>
internal sealed partial record CpuModel(string Name, string Design)
{
    public static CpuModel Here { get; } =
        X86Base.IsSupported ? FromCpuId()
        : OperatingSystem.IsMacOS() ? new CpuModel(FromSystem() ?? Architecture, "")
        : FromCpuInfo();

    private static string Architecture => RuntimeInformation.ProcessArchitecture.ToString();

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
        return new CpuModel(name, CpuDesigns.OfX86(vendor, family, model, stepping: signature & 15));
    }

    /// <summary>eax, ebx, ecx, edx.</summary>
    private static int[] CpuId(int function)
    {
        var (a, b, c, d) = X86Base.CpuId(function, 0);
        return [a, b, c, d];
    }

    // ARM processors have no name of their own there, only numbers.
    private static CpuModel FromCpuInfo()
    {
        const string Path = "/proc/cpuinfo";
        if (!File.Exists(Path)) return new CpuModel(Architecture, "");
        string[] lines = File.ReadAllLines(Path);
        string? name = lines.FirstOrDefault(line => line.StartsWith("model name", StringComparison.Ordinal));
        return new CpuModel(name?[(name.IndexOf(':') + 1)..].Trim() ?? Architecture, CpuDesigns.OfArm(lines));
    }

    // Apple's names say the design: Apple M2 Pro.
    private static unsafe string? FromSystem()
    {
        byte* name = stackalloc byte[128];
        nuint length = 128;
        return SystemControl("machdep.cpu.brand_string", name, ref length, 0, 0) == 0 ? Marshal.PtrToStringUTF8((nint)name) : null;
    }

    [LibraryImport("libc", EntryPoint = "sysctlbyname", StringMarshalling = StringMarshalling.Utf8)]
    private static unsafe partial int SystemControl(string name, byte* value, ref nuint length, nint newValue, nuint newLength);
}
