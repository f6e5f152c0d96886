using Xunit;

namespace AttentionGen.Kernels.Tests;

public class SmokeTests
{
    [Fact]
    public void Runtime_says_what_runs() => Assert.True(AttentionInfo.Isa != 0);
}
