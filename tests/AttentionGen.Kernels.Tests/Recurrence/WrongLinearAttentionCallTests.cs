using Xunit;

namespace AttentionGen.Kernels.Tests;

/// <summary>Wrong calls of linear attention: an exception names the parameter and the shapes, and nothing is written.</summary>
public class WrongLinearAttentionCallTests
{
    private static readonly LinearAttentionDeclaration s_gated = new(2, 4) { KeyValueHeads = 1, ValueDim = 3, Rule = LinearAttentionRule.GatedDelta, Batched = true };

    private static readonly LinearAttentionDeclaration s_documents = new(2, 4) { Rule = LinearAttentionRule.Linear, FeatureMap = LinearAttentionFeatureMap.Relu, Normalize = true, Documents = true };

    private static readonly LinearAttentionKernels s_kernels = new([s_gated, s_documents]);

    [Theory]
    [InlineData("decay", "decay has 9 elements, [batch, keys, keyValueHeads] = [2, 5, 1] needs 10. (Parameter 'decay')")]
    [InlineData("beta", "beta has 9 elements, [batch, keys, keyValueHeads] = [2, 5, 1] needs 10. (Parameter 'beta')")]
    [InlineData("state", "state has 23 elements, [batch, keyValueHeads, headDim, valueDim] = [2, 1, 4, 3] needs 24. (Parameter 'state')")]
    [InlineData("key", "key has 4 tokens and query has 5, but each token has a query and a key. (Parameter 'key')")]
    [InlineData("threads", "maxThreads is 0, at least 1 is needed. (Parameter 'maxThreads')\nActual value was 0.")]
    public void A_wrong_length_is_named(string wrong, string message)
    {
        float[] query = new float[80], key = new float[wrong == "key" ? 32 : 40], value = new float[wrong == "key" ? 24 : 30], decay = new float[wrong == "decay" ? 9 : 10], beta = new float[wrong == "beta" ? 9 : 10];
        float[] state = new float[wrong == "state" ? 23 : 24], output = new float[60];
        state.AsSpan().Fill(7);
        output.AsSpan().Fill(7);
        var thrown = Assert.ThrowsAny<ArgumentException>(() => s_kernels[s_gated](query, key, value, decay, beta, state, [], output, 2, [], wrong == "threads" ? 0 : 1));
        Assert.Equal(message, thrown.Message.ReplaceLineEndings("\n"));
        Assert.All(state, x => Assert.Equal(7, x));
        Assert.All(output, x => Assert.Equal(7, x));
    }

    [Theory]
    [InlineData(0, 40, 80, 104, "output overlaps query. The output is written while the inputs are read: give it memory of its own. (Parameter 'output')")]
    [InlineData(200, 0, 80, 104, "state overlaps query. The output is written while the inputs are read: give it memory of its own. (Parameter 'state')")]
    [InlineData(200, 210, 80, 104, "state overlaps output. The output is written while the inputs are read: give it memory of its own. (Parameter 'state')")]
    [InlineData(200, 340, 345, 104, "normalizer overlaps state. The output is written while the inputs are read: give it memory of its own. (Parameter 'normalizer')")]
    public void An_overlap_is_named(int output, int state, int normalizer, int key, string message)
    {
        var memory = new float[1000];
        memory.AsSpan().Fill(7);
        var thrown = Assert.Throws<ArgumentException>(
            () => s_kernels[s_documents](memory.AsSpan(0, 80), memory.AsSpan(key + 500, 80), memory.AsSpan(key + 700, 80), [], [], memory.AsSpan(state, 64), memory.AsSpan(normalizer, 16), memory.AsSpan(output, 80), 1, [0, 4, 10], 1));
        Assert.Equal(message, thrown.Message);
        Assert.All(memory, x => Assert.Equal(7, x));
    }

    [Fact]
    public void States_belong_to_documents()
    {
        float[] rows = new float[80], state = new float[32], normalizer = new float[16], output = new float[80];
        var thrown = Assert.Throws<ArgumentException>(() => s_kernels[s_documents](rows, new float[80], new float[80], [], [], state, normalizer, output, 1, [0, 4, 10], 1));
        Assert.Equal("state has 32 elements, [documents, keyValueHeads, headDim, valueDim] = [2, 2, 4, 4] needs 64. (Parameter 'state')", thrown.Message);
        thrown = Assert.Throws<ArgumentException>(() => s_kernels[s_documents](rows, new float[80], new float[80], [], [], new float[64], normalizer, output, 1, [0, 4, 9], 1));
        Assert.Equal("documentStarts goes from 0 to 9, from 0 to the 10 tokens of query is needed. (Parameter 'documentStarts')", thrown.Message);
    }
}
