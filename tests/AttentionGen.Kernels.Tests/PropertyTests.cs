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

    /// <summary>Kernels cost seconds, to compile; calls take about a millisecond.</summary>
    private const int Kernels = 24, Calls = 2000;

    private static readonly ulong s_seed = ulong.Parse(Environment.GetEnvironmentVariable(SeedVariable) ?? "1", CultureInfo.InvariantCulture);

    [Fact]
    public void Random_calls_are_within_the_error_bound()
    {
        output.WriteLine($"{SeedVariable}={s_seed}");
        var calls = new RandomCalls(s_seed, Kernels);
        Prop.ForAll(calls.Arbitrary, call => Bound.Check(call.Inputs, call.Inputs.Run(calls.Kernels)))
            .Check(Config.QuickThrowOnFailure.WithQuietOnSuccess(true).WithMaxTest(Calls).WithReplay(new Replay(new Rnd(s_seed), null)));
    }
}
