using System.Globalization;
using FsCheck;
using FsCheck.Fluent;
using Xunit;

namespace AttentionGen.Kernels.Tests;

/// <summary>
/// Random masks and scores that the user writes as methods, of random declarations in random calls: the kernel against the methods themselves. What
/// fails is made smaller, and shown as a declaration to paste.
/// </summary>
public class OwnMethodPropertyTests(ITestOutputHelper output)
{
    /// <summary>A kernel costs some tenths of a second, to compile; a call some milliseconds.</summary>
    private const int Kernels = 40, Calls = 1500;

    /// <summary>What single precision may cost: functions of scores can have slopes of more than 1.</summary>
    private const double PlainLimit = 1e-4;

    private static readonly ulong s_seed = ulong.Parse(Environment.GetEnvironmentVariable(PropertyTests.SeedVariable) ?? "1", CultureInfo.InvariantCulture);

    [Fact]
    public void Random_methods_are_within_the_error_bound()
    {
        output.WriteLine($"{PropertyTests.SeedVariable}={s_seed}");
        var calls = new OwnCalls(s_seed, Kernels);
        Prop.ForAll(calls.Arbitrary, call =>
            {
                var kernel = calls.KernelOf(call); // first: what the inputs ask for is compiled with it
                CallsInProgress.Text = call.ToString();
                var inputs = call.Inputs;
                Bound.Check(inputs, inputs.RunEverywhere(kernel, PropertyTests.Scratch(inputs, kernel, call.Seed)), plainLimit: PlainLimit);
                CallsInProgress.Text = null;
                if (call.Problem.Declaration.Has(Roles.LogSumExp)) Bound.CheckLogSumExp(inputs);
                if (inputs.Scores.Length > 0) Bound.CheckScores(inputs);
                if (inputs.ArgMax.Length > 0) Bound.CheckStatistics(inputs);
            })
            .Check(Config.QuickThrowOnFailure.WithQuietOnSuccess(true).WithMaxTest(Calls).WithReplay(new Replay(new Rnd(s_seed), null)));
    }
}
