using Xunit;

namespace AttentionGen.Generator.Tests;

public class SmokeTests
{
    [Fact]
    public void Runtime_says_what_runs() => Assert.True(AttentionInfo.Isa != 0);
}
