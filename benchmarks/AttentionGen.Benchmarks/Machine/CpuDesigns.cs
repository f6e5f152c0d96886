namespace AttentionGen.Benchmarks.Machine;

/// <summary>Microarchitectures, by the numbers with which processors tell them.</summary>
internal static class CpuDesigns
{
    public const string Zen4 = "Zen 4";

    private const string AmdVendor = "AuthenticAMD", IntelVendor = "GenuineIntel";
    private const int Arm = 0x41, Fujitsu = 0x46, HiSilicon = 0x48, Nvidia = 0x4E, Qualcomm = 0x51, Microsoft = 0x6D, Ampere = 0xC0;

    // The numbers are those of Linux (arch/x86/kernel/cpu/amd.c, asm/intel-family.h) and of LLVM (TargetParser/Host.cpp), which alone tells Zen+
    // from Zen. An Intel core that is in several products is named with the product: their vectors and caches differ.
    private static readonly X86Design[] s_x86 =
    [
        Amd(23, "Zen", (0x00, 0x07), (0x10, 0x17), (0x20, 0x2F), (0x50, 0x5F)),
        Amd(23, "Zen+", (0x08, 0x0F), (0x18, 0x1F)),
        Amd(23, "Zen 2", (0x30, 0x4F), (0x60, 0x7F), (0x84, 0x87), (0x90, 0xAF)),
        Amd(25, "Zen 3", (0x00, 0x0F), (0x20, 0x5F)),
        Amd(25, Zen4, (0x10, 0x1F), (0x60, 0x7F), (0xA0, 0xAF)),
        Amd(26, "Zen 5", (0x00, 0x2F), (0x40, 0x4F), (0x60, 0x7F)),
        Amd(26, "Zen 6", (0x50, 0x5F), (0x80, 0xAF), (0xC0, 0xCF)),

        Intel("Haswell", 0x3C, 0x3F, 0x45, 0x46),
        Intel("Broadwell", 0x3D, 0x47, 0x4F, 0x56),
        Intel("Skylake", 0x4E, 0x5E, 0x8E, 0x9E, 0xA5, 0xA6), // Kaby, Coffee and Comet Lake too
        Intel("Skylake server", 0x55) with { Steppings = (0, 4) },
        Intel("Skylake, Cascade Lake", 0x55) with { Steppings = (5, 9) },
        Intel("Skylake, Cooper Lake", 0x55) with { Steppings = (10, 15) },
        Intel("Palm Cove", 0x66),
        Intel("Sunny Cove, Ice Lake", 0x7D, 0x7E),
        Intel("Sunny Cove, Ice Lake server", 0x6A, 0x6C),
        Intel("Cypress Cove", 0xA7), // Rocket Lake
        Intel("Willow Cove", 0x8C, 0x8D), // Tiger Lake
        Intel("Golden Cove, Alder Lake", 0x97, 0x9A),
        Intel("Golden Cove, Sapphire Rapids", 0x8F),
        Intel("Raptor Cove, Raptor Lake", 0xB7, 0xBA, 0xBF),
        Intel("Raptor Cove, Bartlett Lake", 0xD7),
        Intel("Raptor Cove, Emerald Rapids", 0xCF),
        Intel("Redwood Cove, Meteor Lake", 0xAA, 0xAC, 0xB5), // Arrow Lake U has its cores
        Intel("Redwood Cove, Granite Rapids", 0xAD, 0xAE),
        Intel("Lion Cove, Arrow Lake", 0xC5, 0xC6),
        Intel("Lion Cove, Lunar Lake", 0xBD),
        Intel("Cougar Cove", 0xCC), // Panther Lake
        Intel("Gracemont", 0xBE), // Alder Lake N: small cores alone
        Intel("Crestmont", 0xAF, 0xB6), // Sierra Forest, Grand Ridge: the same
    ];

    // The numbers are those of Linux (asm/cputype.h) and of lscpu.
    private static readonly ArmDesign[] s_arm =
    [
        new(Arm, 0xD03, "Cortex-A53"), new(Arm, 0xD05, "Cortex-A55"), new(Arm, 0xD07, "Cortex-A57"), new(Arm, 0xD08, "Cortex-A72"),
        new(Arm, 0xD09, "Cortex-A73"), new(Arm, 0xD0A, "Cortex-A75"), new(Arm, 0xD0B, "Cortex-A76"), new(Arm, 0xD0D, "Cortex-A77"),
        new(Arm, 0xD41, "Cortex-A78"), new(Arm, 0xD42, "Cortex-A78AE"), new(Arm, 0xD4B, "Cortex-A78C"), new(Arm, 0xD46, "Cortex-A510"),
        new(Arm, 0xD47, "Cortex-A710"), new(Arm, 0xD4D, "Cortex-A715"), new(Arm, 0xD80, "Cortex-A520"), new(Arm, 0xD81, "Cortex-A720"),
        new(Arm, 0xD87, "Cortex-A725"), new(Arm, 0xD44, "Cortex-X1"), new(Arm, 0xD4C, "Cortex-X1C"), new(Arm, 0xD48, "Cortex-X2"),
        new(Arm, 0xD4E, "Cortex-X3"), new(Arm, 0xD82, "Cortex-X4"), new(Arm, 0xD85, "Cortex-X925"),
        new(Arm, 0xD0C, "Neoverse N1"), new(Arm, 0xD49, "Neoverse N2"), new(Arm, 0xD8E, "Neoverse N3"), new(Arm, 0xD40, "Neoverse V1"),
        new(Arm, 0xD4F, "Neoverse V2"), new(Arm, 0xD84, "Neoverse V3"), new(Arm, 0xD83, "Neoverse V3AE"),
        new(Ampere, 0xAC3, "Ampere-1"), new(Ampere, 0xAC4, "Ampere-1A"),
        new(Fujitsu, 0x001, "A64FX"),
        new(HiSilicon, 0xD01, "TaiShan v110"), // Kunpeng 920
        new(Microsoft, 0xD49, "Neoverse N2"), // Azure Cobalt 100
        new(Nvidia, 0x004, "Carmel"), new(Nvidia, 0x010, "Olympus"),
        new(Qualcomm, 0x001, "Oryon"),
    ];

    /// <summary>The design of an x86 processor; where it is not known, the numbers that name it.</summary>
    public static string OfX86(string vendor, int family, int model, int stepping) =>
        s_x86.FirstOrDefault(design => design.Is(vendor, family, model, stepping))?.Name ?? $"{vendor} family {family} model {model}";

    /// <summary>The designs of the cores in Linux's list of ARM processors, each once: some have large cores and small ones.</summary>
    public static string OfArm(IReadOnlyList<string> cpuInfo) => string.Join(" + ", Numbers(cpuInfo, "CPU implementer")
        .Zip(Numbers(cpuInfo, "CPU part"), (implementer, part) =>
            s_arm.FirstOrDefault(design => (design.Implementer, design.Part) == (implementer, part))?.Name ?? $"implementer 0x{implementer:x2} part 0x{part:x3}")
        .Distinct());

    private static IEnumerable<int> Numbers(IReadOnlyList<string> cpuInfo, string name) =>
        cpuInfo.Where(line => line.StartsWith(name, StringComparison.Ordinal)).Select(line => Convert.ToInt32(line[(line.IndexOf(':') + 1)..].Trim(), 16));

    private static X86Design Amd(int family, string name, params (int First, int Last)[] models) => new(name, AmdVendor, family, models);

    private static X86Design Intel(string name, params int[] models) => new(name, IntelVendor, 6, [.. models.Select(model => (model, model))]);

    private sealed record X86Design(string Name, string Vendor, int Family, (int First, int Last)[] Models)
    {
        public (int First, int Last) Steppings { get; init; } = (0, 15);

        public bool Is(string vendor, int family, int model, int stepping) =>
            (Vendor, Family) == (vendor, family)
            && Models.Any(models => model >= models.First && model <= models.Last)
            && stepping >= Steppings.First && stepping <= Steppings.Last;
    }

    private sealed record ArmDesign(int Implementer, int Part, string Name);
}
