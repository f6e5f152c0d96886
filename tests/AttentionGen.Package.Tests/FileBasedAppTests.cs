using AttentionGen.Package.Tests.Harness;
using Xunit;

namespace AttentionGen.Package.Tests;

/// <summary>A program of one file without a project.</summary>
public class FileBasedAppTests(Consumers consumers)
{
    [Fact]
    public async Task It_runs_and_says_that_its_build_is_slow()
    {
        consumers.Write("app/Directory.Build.props", "<Project />"); // it brings its own target framework
        consumers.Write("app/app.cs", $$"""
            #:package AttentionGen@{{Consumers.Version}}
            #:property TreatWarningsAsErrors=true
            using AttentionGen;
            float[] x = new float[16], y = new float[16];
            x[3] = 1;
            Llama.Attend(x, x, x, y);
            Console.WriteLine($"{y[3]:0.00}");

            public static partial class Llama
            {
                [Attention(2, 8, Isas = AttentionIsas.Portable)]
                public static partial void Attend(ReadOnlySpan<float> query, ReadOnlySpan<float> key, ReadOnlySpan<float> value, Span<float> output);
            }
            """);
        var run = await Dotnet.RunAsync(Path.Combine(consumers.Folder, "app"), "run", "app.cs");
        Assert.True(run.ExitCode == 0, run.Text);
        Assert.Contains("1.00", run.Text, StringComparison.Ordinal);
        Assert.StartsWith("warning AG0102: This build is not optimised, which makes 'Attend' 10 to 24 times slower: ", Assert.Single(run.Diagnostics).ToString(), StringComparison.Ordinal);
    }
}
