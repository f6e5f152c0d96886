using System.Globalization;
using System.Runtime.CompilerServices;
using Xunit;

namespace AttentionGen.Kernels.Tests;

/// <summary>The example by hand in docs/attention.md: a generated kernel has its numbers.</summary>
public class WorkedExampleTests
{
    private static readonly Declaration s_soft = new(1, 2) { Mask = AttentionMask.Causal, Scale = 1, Roles = Roles.MaxThreads | Roles.Scores };

    private static readonly Declaration s_hard = new Declaration(1, 2) { Mask = AttentionMask.Causal, Scale = 1 }.Hard;

    private static readonly KernelGroup s_kernels = new([s_soft, s_hard]);

    [Fact]
    public void A_kernel_has_the_numbers_of_the_page()
    {
        var inputs = Example(s_soft);
        float[] output = inputs.Run(s_kernels);
        var rows = Rows();
        Assert.Equal(3, rows.Length);
        for (int token = 0; token < 3; token++)
        {
            Assert.Equal([.. inputs.Scores.AsSpan(3 * token, 3)], Numbers(rows[token][2]), Close);
            Assert.Equal([.. output.AsSpan(2 * token, 2)], Numbers(rows[token][3]), Close);
        }
    }

    [Fact]
    public void Hard_attention_has_the_value_of_each_token()
    {
        var inputs = Example(s_hard);
        Assert.Equal([1, 0, 0, 1, 2, 2], inputs.Run(s_kernels));
        Assert.Equal([0, 1, 2], inputs.ArgMax);
    }

    private static Inputs Example(Declaration declaration)
    {
        var inputs = new Inputs(new Problem(declaration, 3, 3));
        float[] rows = [1, 0, 0, 1, 1, 1], values = [1, 0, 0, 1, 2, 2];
        rows.CopyTo(inputs.Query, 0);
        rows.CopyTo(inputs.Key, 0);
        values.CopyTo(inputs.Value, 0);
        return inputs;
    }

    /// <summary>Half a unit of the last digit of the page.</summary>
    private static bool Close(float one, float other) => Math.Abs(one - other) <= 0.5001e-4f;

    private static float[] Numbers(string cell) => [.. cell.Split(',').Select(number => float.Parse(number, CultureInfo.InvariantCulture))];

    private static string[][] Rows([CallerFilePath] string path = "")
    {
        string page = File.ReadAllText(Path.Combine(Path.GetDirectoryName(path)!, "..", "..", "docs", "attention.md"));
        int from = page.IndexOf("<!-- worked example", StringComparison.Ordinal), to = page.IndexOf("<!-- end of worked example -->", StringComparison.Ordinal);
        return [.. page[from..to].Split('\n').Where(line => line.StartsWith("| ", StringComparison.Ordinal)).Skip(1).Select(line => line.Split('|', StringSplitOptions.TrimEntries))];
    }
}
