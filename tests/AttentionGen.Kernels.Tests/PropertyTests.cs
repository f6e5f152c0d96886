using System.Globalization;
using FsCheck;
using FsCheck.Fluent;
using Xunit;

namespace AttentionGen.Kernels.Tests;

/// <summary>Random calls of random declarations; one that fails is made smaller before it is shown.</summary>
public class PropertyTests(ITestOutputHelper output)
{
    /// <summary>The environment variable with a seed, for other declarations and other calls than those of every run.</summary>
    public const string SeedVariable = "ATTENTIONGEN_PROPERTY_SEED";

    /// <summary>Cores cost seconds, to compile; calls take about three milliseconds.</summary>
    private const int Cores = 18, KernelsOfCore = 2, Calls = 2000;

    private static readonly ulong s_seed = ulong.Parse(Environment.GetEnvironmentVariable(SeedVariable) ?? "1", CultureInfo.InvariantCulture);

    [Fact]
    public void Random_calls_are_within_the_error_bound()
    {
        output.WriteLine($"{SeedVariable}={s_seed}");
        var calls = new RandomCalls(s_seed, Cores, KernelsOfCore);
        Prop.ForAll(calls.Arbitrary, call => Check(call, calls.KernelOf(call)))
            .Check(Config.QuickThrowOnFailure.WithQuietOnSuccess(true).WithMaxTest(Calls).WithReplay(new Replay(new Rnd(s_seed), null)));
    }

    private static void Check(RandomCall call, Kernel kernel)
    {
        CallsInProgress.Text = call.ToString();
        var inputs = call.Inputs;
        Bound.Check(inputs, inputs.RunEverywhere(kernel, Scratch(inputs, kernel, call.Seed)));
        CallsInProgress.Text = null;
        if (call.Poison is { IsSeen: true }) return;
        if (inputs.LogSumExp.Length > 0) Bound.CheckLogSumExp(inputs);
        if (inputs.Scores.Length > 0) Bound.CheckScores(inputs);
        if (inputs.ArgMax.Length > 0) Bound.CheckStatistics(inputs);
    }

    /// <summary>What a kernel needs, up to a byte, or somewhat more; empty where it takes none, or in half of the calls.</summary>
    internal static byte[] Scratch(Inputs inputs, Kernel kernel, int seed)
    {
        if (!kernel.Declaration.Has(Roles.Scratch) || seed % 2 == 0 || inputs.Problem.OutputLength == 0) return [];
        return new byte[ScratchTests.NeededByAll(inputs, kernel) + 63 + (seed % 3 == 0 ? seed % 5003 : 0)]; // 63 may be lost to the alignment
    }
}
