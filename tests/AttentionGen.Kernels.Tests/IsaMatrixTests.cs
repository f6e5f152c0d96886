using System.Globalization;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics.X86;
using System.Text.RegularExpressions;
using Xunit;

namespace AttentionGen.Kernels.Tests;

/// <summary>
/// A kernel runs the best instruction set of the process. So the tests run again in processes that are told to do without the better ones.
/// </summary>
[Collection(nameof(Isolated))]
public class IsaMatrixTests(ITestOutputHelper output)
{
    /// <summary>The trait of tests that a process without any vectors is fast enough for, and the name of that process.</summary>
    public const string Scalar = "Scalar";

    private const string ExpectVariable = "ATTENTIONGEN_EXPECT_ISA";

    /// <summary>What a process of the matrix is to run; null outside it.</summary>
    public static string? Expected => Environment.GetEnvironmentVariable(ExpectVariable);

    [Fact]
    public void All_tests_pass_with_AVX2()
    {
        if (AttentionInfo.Isa != AttentionIsas.Avx512)
            Assert.Skip(AttentionInfo.Isa == AttentionIsas.Avx2 ? "AVX2 is the best instruction set here: this process tests it." : "This machine has no AVX2.");
        RunTests(nameof(AttentionIsas.Avx2), "DOTNET_EnableAVX512");
    }

    [Fact]
    public void All_tests_pass_with_portable_vectors()
    {
        if (AttentionInfo.Isa == AttentionIsas.Portable) Assert.Skip("Portable vectors are the best instruction set here: this process tests them.");
        if (AttentionInfo.Isa == AttentionIsas.Neon) Assert.Skip("NEON cannot be switched off without all vectors.");
        RunTests(nameof(AttentionIsas.Portable), "DOTNET_EnableAVX2");
    }

    [Fact]
    public void Chosen_tests_pass_without_vectors()
    {
        if (!X86Base.IsSupported) Assert.Skip($"Vectors cannot be switched off on {RuntimeInformation.ProcessArchitecture}.");
        RunTests(Scalar, "DOTNET_EnableHWIntrinsic", "-trait", $"{Scalar}=yes");
    }

    private void RunTests(string expected, string switchedOff, params string[] filter)
    {
        Assert.Null(Expected); // a process of the matrix starts no other
        var (exitCode, text) = TestProcess.Run(
            ["-class-", typeof(IsaMatrixTests).FullName!, .. filter], (ExpectVariable, expected), (switchedOff, "0"));

        var summary = Regex.Match(text, @"Total: (\d+), Errors: (\d+), Failed: (\d+), Skipped: (\d+), Not Run: (\d+), Time: (\S+)");
        output.WriteLine($"{expected}: {(summary.Success ? summary.Value : text)}");
        Assert.True(exitCode == 0 && summary.Success, $"{expected} ended with exit code {exitCode}:\n{text}");
        int Number(int group) => int.Parse(summary.Groups[group].Value, CultureInfo.InvariantCulture);
        Assert.True(Number(1) > Number(4), $"{expected} has run no test:\n{text}");
        Assert.Equal((0, 0), (Number(2), Number(3)));
    }
}
