using Xunit;

namespace AttentionGen.Kernels.Tests;

/// <summary>Queries and keys that are normalised when they are read.</summary>
public class QueryKeyNormTests
{
    private const Roles Weights = Roles.MaxThreads | Roles.QueryNormWeight | Roles.KeyNormWeight;

    private static readonly Declaration s_plain = new(6, 40) { KeyValueHeads = 3, ValueDim = 24 };

    private static readonly Declaration[] s_norms =
    [
        .. from norm in new[] { AttentionNorm.Rms, AttentionNorm.L2 }
           from declaration in new[]
           {
               s_plain with { Norm = norm },
               s_plain with { Norm = norm, Scale = norm == AttentionNorm.L2 ? -8 : -0.4f, Mask = AttentionMask.Causal, Roles = Weights },
           }
           select declaration,
        s_plain with { Norm = AttentionNorm.Rms, NormEpsilon = 0.5f, Window = (20, 5), Roles = Roles.MaxThreads | Roles.QueryNormWeight },
        s_plain with { Norm = AttentionNorm.L2, NormEpsilon = 7, SoftCap = 1.5f, Roles = Roles.MaxThreads | Roles.KeyNormWeight },
    ];

    private static readonly Declaration[] s_dims =
    [
        .. from dim in new[] { 1, 3, 7, 15, 64, 130, 512 } select new Declaration(2, dim) { ValueDim = 16, Norm = AttentionNorm.Rms, Roles = Weights, Mask = AttentionMask.Causal },
    ];

    private static readonly Declaration s_fixed = new(3, 32) { QueryLength = 33, KeyLength = 50, Norm = AttentionNorm.Rms, Roles = Weights };

    private static readonly Declaration s_single = new(6, 64) { QueryLength = 1, Norm = AttentionNorm.L2, Scale = 10 };

    private static readonly Declaration s_headMajor = new(4, 64) { KeyValueHeads = 2, Layout = AttentionLayout.HeadMajor, Mask = AttentionMask.Causal, Norm = AttentionNorm.Rms, Roles = Weights };

    private static readonly KernelGroup s_kernels = new([.. s_norms, .. s_dims, s_fixed, s_single, s_headMajor]);

    public static TheoryData<Problem> Problems =>
    [
        .. from declaration in s_norms
           from lengths in new[] { (1, 1), (1, 70), (3, 300), (17, 17), (30, 9), (97, 401) }
           select new Problem(declaration, lengths.Item1, lengths.Item2),
        .. from declaration in s_dims
           from lengths in new[] { (1, 9), (5, 70), (70, 70) }
           select new Problem(declaration, lengths.Item1, lengths.Item2),
        new Problem(s_fixed, 33, 50),
        .. from keys in new[] { 1, 5, 500, 3000 } select new Problem(s_single, 1, keys),
    ];

    [Theory, MemberData(nameof(Problems), DisableDiscoveryEnumeration = true)]
    [Trait(IsaMatrixTests.Scalar, "yes")]
    public void Outputs_are_within_the_error_bound(Problem problem)
    {
        var inputs = new Inputs(problem);
        Bound.Check(inputs, inputs.Run(s_kernels));
    }

    /// <summary>Without an epsilon to speak of, the size of a query or key does not matter; zeros stay zeros.</summary>
    [Theory, InlineData(1), InlineData(5), InlineData(80)]
    public void Sizes_do_not_matter(int queries)
    {
        foreach (var declaration in s_norms[..4])
        {
            var inputs = new Inputs(new Problem(declaration, queries, 90));
            float[] expected = inputs.Run(s_kernels);
            foreach (ref float x in inputs.Query.AsSpan()) x *= 1024;
            for (int j = 0; j < 90; j += 2)
                foreach (ref float x in inputs.KeyRow(0, j, 1)) x *= 4096;
            float[] actual = inputs.Run(s_kernels);
            for (int i = 0; i < expected.Length; i++) Assert.Equal(expected[i], actual[i], 1e-5f);

            inputs.Query.AsSpan().Clear();
            inputs.KeyRow(0, 0, 0).Clear();
            Bound.Check(inputs, inputs.Run(s_kernels));
        }
    }

    /// <summary>A NaN reaches the rows that see its key, and no other.</summary>
    [Theory, InlineData(2), InlineData(80)]
    public void A_key_reaches_the_rows_that_see_it(int queries)
    {
        var problem = new Problem(s_norms[1], queries, 200);
        var inputs = new Inputs(problem);
        float[] before = inputs.Run(s_kernels);
        inputs.KeyRow(0, 170, 1)[3] = float.NaN;
        float[] after = inputs.Run(s_kernels);
        for (int i = 0; i < after.Length; i++)
        {
            bool sees = i / 24 % 6 / 2 == 1 && problem.Visible(0, i / (6 * 24)).End > 170;
            Assert.True(sees ? float.IsNaN(after[i]) : before[i].Equals(after[i]), $"element {i}: {after[i]}");
        }
    }

    [Fact]
    public void The_bits_are_the_same_for_all_numbers_of_threads_and_both_layouts()
    {
        foreach (var (queries, keys) in new[] { (1, 3000), (4, 2000), (300, 300) })
        {
            var inputs = new Inputs(new Problem(s_headMajor, queries, keys));
            float[] expected = inputs.Run(s_kernels);
            foreach (int threads in new[] { 2, 7 })
                ThreadTests.AssertSameBits(expected, new Inputs(inputs, inputs.Problem with { MaxThreads = threads }).Run(s_kernels));
        }
    }

    [Theory, InlineData(1), InlineData(3), InlineData(40)]
    public void Keys_and_weights_between_protected_pages(int queries)
    {
        if (GuardedMemory.Missing is { } reason) Assert.Skip(reason);
        using GuardedMemory query = new(1 << 18), key = new(1 << 18), queryWeight = new(1 << 12), keyWeight = new(1 << 12);
        foreach (var declaration in s_dims[..4].Append(s_norms[1]))
            for (int keys = 1; keys < 20; keys++)
            {
                var inputs = new Inputs(new Problem(declaration, queries, keys));
                float[] expected = inputs.Run(s_kernels), actual = new float[expected.Length];
                foreach (bool atEnd in new[] { true, false })
                {
                    s_kernels[declaration].Body(inputs.Arguments(query.Copy<float>(inputs.Query, atEnd), key.Copy<float>(inputs.Key, atEnd), inputs.Value, actual) with
                    {
                        QueryNormWeight = queryWeight.Copy<float>(inputs.QueryNormWeight, atEnd), KeyNormWeight = keyWeight.Copy<float>(inputs.KeyNormWeight, atEnd),
                    });
                    ThreadTests.AssertSameBits(expected, actual);
                }
            }
    }

    [Fact]
    public void Wrong_calls_name_parameter_and_shapes()
    {
        var inputs = new Inputs(new Problem(s_norms[1], 5, 9));
        float[] output = new float[inputs.Problem.OutputLength];
        Throws("queryNormWeight has 39 elements, [headDim] = [40] are needed. (Parameter 'queryNormWeight')", a => a with { QueryNormWeight = new float[39] });
        Throws("keyNormWeight has 0 elements, [headDim] = [40] are needed. (Parameter 'keyNormWeight')", a => a with { KeyNormWeight = default });
        Throws("output overlaps keyNormWeight. The output is written while the inputs are read: give it memory of its own. (Parameter 'output')", a => a with { KeyNormWeight = output.AsSpan(3, 40) });

        void Throws(string message, Change change)
        {
            output.AsSpan().Fill(7);
            string actual = "";
            try
            {
                s_kernels[s_norms[1]].Body(change(inputs.Arguments(inputs.Query, inputs.Key, inputs.Value, output)));
            }
            catch (ArgumentException exception)
            {
                actual = exception.Message;
            }

            Assert.Equal(message, actual);
            Assert.DoesNotContain(output, x => x != 7);
        }
    }

    private delegate KernelArguments Change(KernelArguments arguments);
}
