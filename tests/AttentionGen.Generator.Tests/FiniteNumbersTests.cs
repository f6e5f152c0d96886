using System.Globalization;
using System.Text.RegularExpressions;
using AttentionGen.Generator.Tests.Harness;
using Xunit;

namespace AttentionGen.Generator.Tests;

/// <summary>Whatever numbers the attribute has: either they are an error, or all that is written of them is finite and not 0.</summary>
public partial class FiniteNumbersTests
{
    private static readonly float[] s_numbers = [float.Epsilon, 1e-40f, 5e-39f, 1.2e-38f, 1e-30f, 0.125f, 50f, 1e30f, 8e37f, 2e38f, 3e38f, float.MaxValue];

    [Fact]
    public async Task Numbers_in_kernels_are_finite()
    {
        var members = new List<string>();
        foreach (float scale in s_numbers)
            foreach (float cap in s_numbers)
            {
                string arguments = $"2, 8, Isas = AttentionIsas.Portable, QueryLength = 1, Scale = {Text(scale)}f, SoftCap = {Text(cap)}f, QueryKeyNorm = AttentionNorm.Rms, NormEpsilon = {Text(cap)}f";
                members.Add($"[Attention({arguments})] static partial void Attend{members.Count}({Sample.Tensors});");
            }

        var run = new Project($"using AttentionGen;\npartial class Llama\n{{\n{string.Join('\n', members)}\n}}").Generate();
        var errors = await run.AnalyzeAsync();
        int valid = members.Count - errors.Select(error => error.Location.GetLineSpan().StartLinePosition.Line).Distinct().Count();
        var kernels = run.Sources.Where(source => source.Value.Contains("ForwardCall", StringComparison.Ordinal)).ToList();
        Assert.Equal(valid, kernels.Count(source => source.Value.Contains("RunDecode", StringComparison.Ordinal)));
        Assert.InRange(valid, 20, 80);
        Assert.All(run.Sources.Values, text => Assert.DoesNotMatch(NotFinite(), text));
        Assert.All(errors, error => Assert.Contains(error.Id, new[] { "AG0011", "AG0024", "AG0039" }));
        run.AssertCompiles();
    }

    private static string Text(float number) => number.ToString("R", CultureInfo.InvariantCulture);

    /// <summary>An infinite number or none, as a literal, and a factor of 0.</summary>
    [GeneratedRegex(@"(?<!\.Positive|\.Negative|Is)(Infinity|NaN)f|\* All\(0f\)|All\(-?0f\) \*")]
    private static partial Regex NotFinite();
}
