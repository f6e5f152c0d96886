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
        var inputs = call.Inputs;
        Bound.Check(inputs, inputs.Run(kernel));
        if (call.Poison is { IsSeen: true }) return;
        if (inputs.Scores.Length > 0) Bound.CheckScores(inputs);
        if (inputs.ArgMax.Length > 0) Bound.CheckStatistics(inputs);
    }
}
