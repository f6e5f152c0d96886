using Xunit;

namespace AttentionGen.Kernels.Tests;

/// <summary>No batch items and no documents are as good as no queries: there is nothing to do. What is there nevertheless does not fit.</summary>
public class EmptyBatchTests
{
    private const Roles Results = Roles.LogSumExp | Roles.Scores | Roles.MaxScore | Roles.Entropy | Roles.ArgMax;

    private static readonly Declaration s_batched = new(4, 16)
    {
        KeyValueHeads = 2, Mask = AttentionMask.Causal, Batched = true, Bias = AttentionAxes.Batch | AttentionAxes.Query | AttentionAxes.Key,
        Roles = Results | Roles.MaxThreads | Roles.QueryStarts | Roles.KeyLengths | Roles.PrefixLengths,
    };

    private static readonly Declaration s_headMajor = new(4, 16) { Batched = true, Layout = AttentionLayout.HeadMajor };

    private static readonly Declaration s_fixed = new(4, 16) { Batched = true, QueryLength = 20, KeyLength = 30 };

    private static readonly Declaration s_tensors = new(4, 16) { Batched = true, TensorSpans = true };

    private static readonly Declaration s_packed = new(4, 16) { Mask = AttentionMask.Causal, Roles = Results | Roles.MaxThreads | Roles.DocumentStarts | Roles.KeyDocumentStarts | Roles.QueryStarts | Roles.KeyLengths };

    internal static readonly Declaration[] Declarations = [s_batched, s_headMajor, s_fixed, s_tensors, s_packed];

    [Fact]
    public void No_batch_items()
    {
        foreach (var declaration in new[] { s_batched, s_headMajor }) Catalogue.Kernels[declaration].Body(new KernelArguments { Batch = 0, MaxThreads = 1 });
        new Inputs(new Problem(s_tensors, 5, 7) { Batch = 0 }).Run(Catalogue.Kernels);
        new AttentionReference(4, 16).Attend(default, default, default, default, batch: 0);
    }

    [Fact]
    public void No_documents() => Catalogue.Kernels[s_packed].Body(new KernelArguments { MaxThreads = 1, DocumentStarts = new int[1], KeyDocumentStarts = new int[1] });

    [Fact]
    public void Elements_of_no_batch_items()
    {
        float[] some = new float[64];
        Throws("query", "query has 64 elements, but its shape [0, tokens, 4, 16] needs 0.", s_batched, new KernelArguments { Query = some, MaxThreads = 1 });
        Throws("key", "key has 64 elements, but its shape [0, tokens, 2, 16] needs 0.", s_batched, new KernelArguments { Key = some, MaxThreads = 1 });
        Throws("value", "value has 64 elements, but its shape [0, 0, 2, 16] needs 0.", s_batched, new KernelArguments { Value = some, MaxThreads = 1 });
        Throws("output", "output has 64 elements, but its shape [0, 0, 4, 16] needs 0.", s_batched, new KernelArguments { Output = some, MaxThreads = 1 });
        Throws("query", "query has 64 elements, but its shape [0, 4, tokens, 16] needs 0.", s_headMajor, new KernelArguments { Query = some, MaxThreads = 1 });
        Throws("keyLengths", "keyLengths has 1 elements, one for each of the 0 batch items is needed.", s_batched, new KernelArguments { KeyLengths = new int[1], MaxThreads = 1 });
        Throws("bias", "bias has 64 elements, [batch, queries, keys] = [0, 0, 0] are needed.", s_batched, new KernelArguments { Bias = some, MaxThreads = 1 });
        Throws("logSumExp", "logSumExp has 64 elements, [batch, heads, queries] = [0, 4, 0] are needed.", s_batched, new KernelArguments { LogSumExp = some, MaxThreads = 1 });
    }

    [Fact]
    public void Tokens_of_no_documents()
    {
        float[] some = new float[64];
        Throws("documentStarts", "documentStarts goes from 0 to 0, from 0 to the 1 tokens of query is needed.", s_packed, new KernelArguments { Query = some, Output = new float[64], DocumentStarts = new int[1], KeyDocumentStarts = new int[1], MaxThreads = 1 });
        Throws("keyDocumentStarts", "keyDocumentStarts goes from 0 to 0, from 0 to the 1 tokens of key is needed.", s_packed, new KernelArguments { Key = some, Value = new float[64], DocumentStarts = new int[1], KeyDocumentStarts = new int[1], MaxThreads = 1 });
        Throws("queryStarts", "queryStarts has 1 elements, one for each of the 0 documents is needed.", s_packed, new KernelArguments { QueryStarts = new int[1], DocumentStarts = new int[1], KeyDocumentStarts = new int[1], MaxThreads = 1 });
    }

    private static void Throws(string parameter, string message, Declaration declaration, in KernelArguments arguments)
    {
        var exception = default(ArgumentException);
        try
        {
            Catalogue.Kernels[declaration].Body(arguments);
        }
        catch (ArgumentException thrown)
        {
            exception = thrown;
        }

        Assert.NotNull(exception);
        Assert.Equal(parameter, exception.ParamName);
        Assert.StartsWith(message, exception.Message, StringComparison.Ordinal);
    }
}
