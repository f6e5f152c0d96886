using System.Runtime.InteropServices;
using System.Runtime.Intrinsics.X86;
using AttentionGen.Package.Tests.Harness;
using Xunit;

namespace AttentionGen.Package.Tests;

/// <summary>Programs that are compiled ahead of time: all the way, or the library alone.</summary>
public class AheadOfTimeTests(Consumers consumers)
{
    private const string Source = """
        using AttentionGen;

        const int Tokens = 33;
        var random = new Random(1);
        float[] Tensor() => [.. Enumerable.Range(0, Tokens * 2 * 16).Select(_ => 2 * random.NextSingle() - 1)];
        float[] query = Tensor(), key = Tensor(), value = Tensor(), output = new float[query.Length];
        Llama.Attend(query, key, value, output);
        double[] expected = new double[output.Length];
        AttentionReference.Of(Llama.Attend).Attend(query, key, value, expected);
        double error = output.Zip(expected, (x, y) => Math.Abs(x - y)).Max();
        Console.WriteLine($"{AttentionInfo.Isa} {AttentionInfo.Describe(Llama.Attend).Isa} {(error < 1e-6 ? "exact" : error)}");

        static partial class Llama
        {
            [Attention(2, 16, Mask = AttentionMask.Causal)]
            public static partial void Attend(ReadOnlySpan<float> query, ReadOnlySpan<float> key, ReadOnlySpan<float> value, Span<float> output);
        }
        """;

    /// <summary>The way out that AG0111 names.</summary>
    [Fact]
    public async Task With_the_instruction_set_that_the_warning_names_kernels_run_AVX2()
    {
        Assert.SkipUnless(OperatingSystem.IsLinux() && RuntimeInformation.ProcessArchitecture == Architecture.X64 && Avx2.IsSupported && Fma.IsSupported, "Not a Linux machine with AVX2.");
        Assert.SkipUnless(new[] { "clang", "gcc" }.Any(tool => File.Exists($"/usr/bin/{tool}")), "No linker for programs that are compiled ahead of time.");
        consumers.Write("Ahead/Code.cs", Source);
        consumers.Write("Ahead/Ahead.csproj", new Consumer("Ahead")
        {
            Properties = $"<OutputType>Exe</OutputType><PublishAot>true</PublishAot><IlcInstructionSet>x86-64-v3</IlcInstructionSet><InvariantGlobalization>true</InvariantGlobalization><TreatWarningsAsErrors>true</TreatWarningsAsErrors>{Consumers.Cached}",
        }.ProjectFile(Consumers.Version));
        var published = await Dotnet.RunAsync(Path.Combine(consumers.Folder, "Ahead"), "publish", "-r", "linux-x64", "-o", "out");
        Assert.True(published.ExitCode == 0 && published.Diagnostics.Count == 0, published.Text);
        var run = await Dotnet.RunProgramAsync(Path.Combine(consumers.Folder, "Ahead", "out", "Ahead"), consumers.Folder);
        Assert.Equal((0, "Avx2 Avx2 exact"), (run.ExitCode, run.Text.Trim()));
    }

    /// <summary>
    /// The library in the package has code for this platform, and what runs a kernel is not generic over it: the JIT compiles the methods of the kernel, the user's own, and few others. Without
    /// that they were 240 to 280.
    /// </summary>
    [Theory, InlineData(64), InlineData(1)]
    public async Task A_first_call_compiles_little_besides_the_kernel(int queries)
    {
        Assert.SkipUnless(Consumers.Configuration == "Release", "The package has code for platforms in a Release build only.");
        string folder = $"First{queries}";
        consumers.Write($"{folder}/Code.cs", $$"""
            using System.Runtime;
            using AttentionGen;

            float[] query = new float[{{queries}} * 12 * 64], key = new float[64 * 12 * 64], output = new float[query.Length];
            long before = JitInfo.GetCompiledMethodCount();
            Llama.Attend(query, key, key, output);
            Console.WriteLine(JitInfo.GetCompiledMethodCount() - before);

            static partial class Llama
            {
                [Attention(12, 64, Mask = AttentionMask.Causal)]
                public static partial void Attend(ReadOnlySpan<float> query, ReadOnlySpan<float> key, ReadOnlySpan<float> value, Span<float> output);
            }
            """);
        consumers.Write($"{folder}/{folder}.csproj", new Consumer(folder)
        {
            Properties = $"<OutputType>Exe</OutputType><Optimize>true</Optimize><InvariantGlobalization>true</InvariantGlobalization>{Consumers.Cached}",
        }.ProjectFile(Consumers.Version));
        var built = await Dotnet.RunAsync(Path.Combine(consumers.Folder, folder), "build", "-c", "Release", "-o", "out");
        Assert.True(built.ExitCode == 0, built.Text);
        var run = await Dotnet.RunProgramAsync(Path.Combine(consumers.Folder, folder, "out", folder), consumers.Folder);
        Assert.True(run.ExitCode == 0, run.Text);
        Assert.InRange(int.Parse(run.Text.Trim(), System.Globalization.CultureInfo.InvariantCulture), 5, 40);
    }
}
