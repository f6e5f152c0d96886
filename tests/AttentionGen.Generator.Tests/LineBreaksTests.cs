using AttentionGen.Generator.Text;
using Xunit;

namespace AttentionGen.Generator.Tests;

/// <summary>Lines of generated code are short enough to read, and say the same as before.</summary>
public class LineBreaksTests
{
    private static readonly string s_long = new('x', 60);

    [Theory]
    [InlineData("A(X, X, X);", "A(X, X,|    X);")] // after a comma
    [InlineData("A(B(X, 1), B(X, 2), B(X, 3));", "A(B(X, 1), B(X, 2),|    B(X, 3));")] // as far out as there is one
    [InlineData("X = 1; X = 2; X = 3;", "X = 1; X = 2;|X = 3;")] // statements begin where the line does
    [InlineData("if (X && X && X)", "if (X && X|    && X)")] // before an operator
    [InlineData("int X = X, y = X; // why", "// why|int X = X,|    y = X;")] // a comment goes before its statement
    [InlineData("// X X X", "// X X|// X")]
    [InlineData("/// X X X", "/// X X|/// X")]
    [InlineData("A(\"X, X, X\");", "A(\"X, X, X\");")] // nothing breaks inside a literal
    [InlineData("#error X, X, X", "#error X, X, X")] // nor a directive
    [InlineData("XXX", "XXX")]
    public void A_long_line_breaks(string line, string expected)
    {
        string[] lines = [.. LineBreaks.Of(Long(line), indentation: 8)];
        Assert.Equal(expected.Split('|').Select(Long), lines);
    }

    [Fact]
    public void A_line_that_fits_stays() => Assert.Equal([new string('y', 152)], LineBreaks.Of(new string('y', 152), indentation: 8));

    private static string Long(string line) => line.Replace("X", s_long, StringComparison.Ordinal);
}
