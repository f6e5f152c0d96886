using Xunit;

namespace AttentionGen.Kernels.Tests;

/// <summary>
/// No read or write outside the tensors: they end at a protected page, or begin behind one. A kernel that touches it ends the process.
/// </summary>
public class MemoryBoundsTests
{
    private static readonly Declaration s_padded = new(4, 80)
    {
        KeyValueHeads = 2, ValueDim = 24, Mask = AttentionMask.Causal, Batched = true, Roles = Roles.QueryStarts | Roles.KeyLengths | Roles.MaxThreads,
    };

    internal static readonly Declaration[] Padded = [s_padded];

    public static TheoryData<Declaration> Declarations => [.. HeadDimTests.Declarations.Where(d => d.HeadDim <= 72 && d.ValueDim <= 80)];

    [Theory, MemberData(nameof(Declarations), DisableDiscoveryEnumeration = true)]
    public void Tensors_between_protected_pages(Declaration declaration)
    {
        if (GuardedMemory.Missing is { } reason) Assert.Skip(reason);
        const int Bytes = 1 << 17;
        using GuardedMemory query = new(Bytes), key = new(Bytes), value = new(Bytes), output = new(Bytes);
        var kernel = HeadDimTests.Kernels[declaration];
        for (int i = 0; i < 34; i++)
        {
            // All remainders of 16, in queries and keys.
            Verify(new Inputs(new Problem(declaration, i + 1, i * 7 % 37 + 1)), kernel, query, key, value, output);
        }
    }

    public static TheoryData<Declaration> SmallHeads =>
        [.. HeadDimTests.SingleHeads.Where(d => d.HeadDim == d.ValueDim && d.HeadDim <= 33 && d.Mask == AttentionMask.Causal)];

    /// <summary>Keys and values are read where they lie, four and more elements at a time.</summary>
    [Theory, MemberData(nameof(SmallHeads), DisableDiscoveryEnumeration = true)]
    public void Few_rows_between_protected_pages(Declaration declaration)
    {
        if (GuardedMemory.Missing is { } reason) Assert.Skip(reason);
        const int Bytes = 1 << 16;
        using GuardedMemory query = new(Bytes), key = new(Bytes), value = new(Bytes), output = new(Bytes);
        var kernel = HeadDimTests.Kernels[declaration];
        for (int rows = 1; rows <= 5; rows++)
            foreach (int keys in new[] { 1, 2, 3, 4, 5, 6, 7, 8, 9, 257, 385 })
                Verify(new Inputs(new Problem(declaration, rows, keys)), kernel, query, key, value, output);
    }

    private static void Verify(Inputs inputs, Kernel kernel, GuardedMemory query, GuardedMemory key, GuardedMemory value, GuardedMemory output)
    {
        float[] expected = inputs.Run(kernel);
        foreach (bool atEnd in new[] { true, false })
        {
            var actual = output.Take<float>(expected.Length, atEnd);
            kernel.Body(new KernelArguments
            {
                Query = query.Copy<float>(inputs.Query, atEnd), Key = key.Copy<float>(inputs.Key, atEnd), Value = value.Copy<float>(inputs.Value, atEnd),
                Output = actual, MaxThreads = 1,
            });
            ThreadTests.AssertSameBits(expected, actual);
        }
    }

    [Fact]
    public void Starts_and_lengths_between_protected_pages()
    {
        if (GuardedMemory.Missing is { } reason) Assert.Skip(reason);
        const int Bytes = 1 << 18;
        using GuardedMemory query = new(Bytes), key = new(Bytes), value = new(Bytes), output = new(Bytes), starts = new(64), lengths = new(64);
        var problem = new Problem(s_padded, 9, 33) { Batch = 5, QueryStarts = [0, 5, 100, 30, 31], KeyLengths = [33, 0, 1, 32, 17] };
        var inputs = new Inputs(problem);
        var kernel = Catalogue.Kernels[s_padded];
        float[] expected = inputs.Run(kernel);
        foreach (bool atEnd in new[] { true, false })
        {
            var actual = output.Take<float>(expected.Length, atEnd);
            kernel.Body(new KernelArguments
            {
                Query = query.Copy<float>(inputs.Query, atEnd), Key = key.Copy<float>(inputs.Key, atEnd), Value = value.Copy<float>(inputs.Value, atEnd), Output = actual,
                Batch = problem.Batch, QueryStarts = starts.Copy<int>(problem.QueryStarts, atEnd), KeyLengths = lengths.Copy<int>(problem.KeyLengths, atEnd), MaxThreads = 1,
            });
            ThreadTests.AssertSameBits(expected, actual);
        }
    }

    /// <summary>The scratch memory is all that a kernel works in, so this bounds what it packs.</summary>
    [Theory, MemberData(nameof(ScratchTests.Problems), MemberType = typeof(ScratchTests), DisableDiscoveryEnumeration = true)]
    public void Scratch_between_protected_pages(Problem problem)
    {
        if (GuardedMemory.Missing is { } reason) Assert.Skip(reason);
        foreach (var (queries, keys) in new[] { (problem.Queries, problem.Keys), (95, 65), (97, 383), (13, 385) })
        {
            var inputs = new Inputs(problem with { Queries = queries, Keys = keys });
            var kernel = Catalogue.Kernels[problem.Declaration];
            float[] expected = inputs.Run(kernel), actual = new float[expected.Length];
            int needed = ScratchTests.Needed(inputs, kernel);
            using var scratch = new GuardedMemory(needed);
            foreach (bool atEnd in new[] { true, false })
            {
                inputs.Run(kernel, actual, scratch.Take<byte>(needed, atEnd));
                ThreadTests.AssertSameBits(expected, actual);
            }
        }
    }

    /// <summary>With few rows, threads that share the keys of a head put their results into what the working memory of all of them leaves.</summary>
    [Theory, InlineData(1), InlineData(3)]
    public void Scratch_of_several_threads_between_protected_pages(int queries)
    {
        if (GuardedMemory.Missing is { } reason) Assert.Skip(reason);
        var declaration = ScratchTests.Declarations.First(d => d.HeadDim == 64 && d.Has(Roles.Scratch));
        var inputs = new Inputs(new Problem(declaration, queries, 5000) { MaxThreads = 3 });
        var kernel = Catalogue.Kernels[declaration];
        float[] expected = inputs.Run(kernel), actual = new float[expected.Length];
        int needed = ScratchTests.Needed(inputs, kernel), most = 4 * needed + (1 << 17);
        using var scratch = new GuardedMemory(most);
        for (int bytes = needed + 64; bytes <= most; bytes += 5003)
        {
            foreach (bool atEnd in new[] { true, false })
            {
                actual.AsSpan().Fill(float.NaN);
                inputs.Run(kernel, actual, scratch.Take<byte>(bytes, atEnd));
                ThreadTests.AssertSameBits(expected, actual);
            }
        }
    }
}
