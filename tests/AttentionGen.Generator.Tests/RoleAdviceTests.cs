using AttentionGen.Generator.Model;
using AttentionGen.Generator.Tests.Harness;
using Microsoft.CodeAnalysis;
using Xunit;

namespace AttentionGen.Generator.Tests;

/// <summary>What parameters without a role are told: their own role by name, none by a guess, and the table of all roles at most once.</summary>
public class RoleAdviceTests
{
    [Theory]
    [InlineData("Span<float> dst, ReadOnlySpan<float> v, ReadOnlySpan<float> k, ReadOnlySpan<float> q", "output value key query")]
    [InlineData("ReadOnlySpan<float> values, ReadOnlySpan<float> Keys, ReadOnlySpan<float> queries, Span<float> result", "value key query output")]
    [InlineData("ReadOnlySpan<float> Q, ReadOnlySpan<float> K, ReadOnlySpan<float> V, Span<float> @out", "query key value output")]
    [InlineData("ReadOnlySpan<float> x, ReadOnlySpan<float> v, ReadOnlySpan<float> k, Span<float> o", "query value key output")]
    [InlineData("ReadOnlySpan<float> x_v, ReadOnlySpan<float> xK, ReadOnlySpan<float> qeury, Span<float> outptu", "value key query output")]
    [InlineData("ReadOnlySpan<float> a, ReadOnlySpan<float> b, ReadOnlySpan<float> c, Span<float> output", "? ? ?")]
    [InlineData("ReadOnlySpan<float> v, ReadOnlySpan<float> b, ReadOnlySpan<float> c, Span<float> output", "value ? ?")]
    public async Task Parameters_are_told_their_roles(string parameters, string roles)
    {
        var found = await Build(parameters);
        Assert.All(found, d => Assert.Equal("AG0015", d.Id));
        Assert.Equal(roles.Split(' '), found.Select(d => d.GetMessage(null)).Select(message => message.Contains("rename it to '", StringComparison.Ordinal) ? message.Split("rename it to '")[1].Split('\'')[0] : "?"));
        Assert.All(found, d => Assert.True(d.GetMessage(null).Length < 250, d.GetMessage(null)));
    }

    [Fact]
    public async Task What_cannot_be_told_is_left_open()
    {
        var found = await Build("ReadOnlySpan<float> a, ReadOnlySpan<float> b, ReadOnlySpan<float> key, Span<float> output");
        Assert.Equal(2, found.Count);
        Assert.All(found, d => Assert.EndsWith(": rename it to query or value, which are missing, or mark it with its role, such as [Role(AttentionRole.Query)]", d.GetMessage(null), StringComparison.Ordinal));
    }

    [Fact]
    public async Task The_table_of_roles_is_said_once()
    {
        var found = await Build($"{Sample.Tensors}, string a, double b, float c, decimal d");
        Assert.Equal(4, found.Count);
        Assert.Equal(1, found.Count(d => d.GetMessage(null).Contains(RoleTable.Text(OperandUse.Kernel), StringComparison.Ordinal)));
        Assert.True(found.Sum(d => d.GetMessage(null).Length) < RoleTable.Text(OperandUse.Kernel).Length + 600);
    }

    /// <summary>The table stands on the page of the rule.</summary>
    [Fact]
    public void The_page_has_the_table()
    {
        string page = File.ReadAllText(Repository.PathOf("docs", "diagnostics", "AG0015.md"));
        Assert.All(RoleTable.Rows, row => Assert.Contains($"| `{row.Name}` | `{RoleTable.Short(row.Type)}`", page, StringComparison.Ordinal));
    }

    private static async Task<IReadOnlyList<Diagnostic>> Build(string parameters) =>
        await new Project($"using AttentionGen;\npartial class Llama\n{{\n[Attention(2, 8)] static partial void Attend({parameters});\n}}").Generate().BuildAsync();
}
