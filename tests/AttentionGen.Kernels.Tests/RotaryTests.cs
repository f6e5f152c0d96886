using System.Numerics;
using Xunit;

namespace AttentionGen.Kernels.Tests;

/// <summary>Queries and keys that are rotated by their positions when they are read.</summary>
public class RotaryTests
{
    private const AttentionRotary Halves = AttentionRotary.Halves, Pairs = AttentionRotary.Interleaved;

    private const Roles Weights = Roles.MaxThreads | Roles.QueryNormWeight | Roles.KeyNormWeight;

    private static readonly Declaration s_plain = new(6, 40) { KeyValueHeads = 3, ValueDim = 24, Rotary = Halves };

    private static readonly Declaration s_causal = s_plain with { Mask = AttentionMask.Causal };

    /// <summary>What is rotated, and what happens before and after it.</summary>
    private static readonly Declaration[] s_rotations =
    [
        .. from rotary in new[] { Halves, Pairs }
           from declaration in new[]
           {
               s_plain with { Rotary = rotary },
               s_causal with { Rotary = rotary, Rotated = (10, 0), Roles = Roles.MaxThreads | Roles.QueryStart },
               s_causal with { Rotary = rotary, Rotated = (22, 7), Scale = -0.3f },
               s_causal with { Rotary = rotary, Rotated = (0, 6), Norm = AttentionNorm.Rms, Roles = Weights },
           }
           select declaration,
        s_plain with { Norm = AttentionNorm.L2, Scale = 8, Roles = Roles.MaxThreads | Roles.QueryNormWeight },
        s_plain with { Norm = AttentionNorm.Rms, NormEpsilon = 0.5f, Rotary = Pairs, Rotated = (16, 24), Roles = Roles.MaxThreads | Roles.KeyNormWeight },
        s_causal with { SoftCap = 3, Alibi = true, Roles = Roles.MaxThreads | Roles.Sinks | Roles.LogSumExp },
    ];

    /// <summary>Below, at and above the vectors of each instruction set.</summary>
    private static readonly Declaration[] s_dims =
    [
        .. from dims in new[] { (2, 0, 0), (3, 2, 1), (7, 6, 0), (16, 0, 0), (34, 30, 3), (64, 0, 0), (65, 64, 0), (80, 32, 0), (128, 0, 0), (130, 0, 0), (192, 64, 128), (512, 0, 0) }
           from rotary in new[] { Halves, Pairs }
           select new Declaration(2, dims.Item1) { ValueDim = 16, Rotary = rotary, Rotated = (dims.Item2, dims.Item3), Mask = AttentionMask.Causal },
    ];

    /// <summary>Where queries and keys are.</summary>
    private static readonly Declaration[] s_masks =
    [
        s_causal with { Window = (20, -1), Roles = Roles.MaxThreads | Roles.QueryStart },
        s_plain with { Window = (5, 9), Batched = true, Roles = Roles.MaxThreads | Roles.QueryStarts | Roles.KeyLengths },
        s_causal with { PrefixLength = 12 },
        s_causal with { ChunkLength = 16 },
        s_causal with { ChunkLength = 50, Rotary = Pairs, Roles = Roles.MaxThreads | Roles.QueryStart },
        s_plain with { Dilation = 3, Rotary = Pairs },
        s_causal with { Dilation = 2, ChunkLength = 24, Roles = Roles.MaxThreads | Roles.QueryStart },
        s_plain with { Blocks = (16, 32, AttentionAxes.Query | AttentionAxes.Head) },
        s_causal with { MaskText = "key < 4 || query - key < 30", Roles = Roles.MaxThreads | Roles.QueryStart },
        s_plain with { Batched = true, Roles = Roles.MaxThreads | Roles.QueryStarts },
    ];

    private static readonly Declaration[] s_documents =
    [
        s_causal with { Roles = Roles.MaxThreads | Roles.DocumentStarts },
        s_plain with { Rotary = Pairs, Roles = Roles.MaxThreads | Roles.DocumentStarts | Roles.KeyDocumentStarts | Roles.QueryStarts | Roles.KeyLengths },
    ];

    /// <summary>Where tensors are, and lengths that are fixed.</summary>
    private static readonly Declaration[] s_places =
    [
        s_causal with { Layout = AttentionLayout.HeadMajor, Norm = AttentionNorm.Rms, Roles = Weights },
        s_causal with { Strides = (500, 131, 200, 0), Rotary = Pairs },
        s_plain with { Layout = AttentionLayout.HeadMajor, TensorSpans = true, Batched = true },
        s_causal with { Roles = Roles.MaxThreads | Roles.Scratch },
    ];

    private static readonly Declaration[] s_fixed =
    [
        new(3, 32) { QueryLength = 49, KeyLength = 49, Rotary = Halves },
        new(3, 64) { QueryLength = 33, KeyLength = 50, Rotary = Pairs, Mask = AttentionMask.Causal, Norm = AttentionNorm.Rms, Roles = Weights },
        new(2, 20) { QueryLength = 16, KeyLength = 300, Rotary = Halves, Rotated = (8, 3), Window = (9, -1) },
        new(2, 24) { QueryLength = 17, KeyLength = 40, Rotary = Halves, Batched = true, Roles = Roles.MaxThreads | Roles.KeyLengths | Roles.QueryStarts },
    ];

    private static readonly Declaration[] s_single =
    [
        new(6, 64) { QueryLength = 1, Rotary = Halves, Norm = AttentionNorm.L2, Scale = 10 },
        new(8, 128) { KeyValueHeads = 2, QueryLength = 1, Rotary = Pairs, Mask = AttentionMask.Causal },
        new(8, 128) { KeyValueHeads = 1, QueryLength = 4, Rotary = Halves, Mask = AttentionMask.Causal, Layout = AttentionLayout.HeadMajor },
    ];

    private static readonly KernelGroup s_kernels = new([s_causal, .. s_rotations, .. s_dims, .. s_masks, .. s_documents, .. s_places, .. s_fixed, .. s_single]);

    public static TheoryData<Problem> Problems =>
    [
        .. from declaration in s_rotations.Concat(s_places[..3])
           from lengths in new[] { (1, 1), (1, 70), (3, 300), (17, 17), (29, 31), (97, 401), (1, 1500) }
           select With(declaration, lengths.Item1, lengths.Item2),
        .. from declaration in s_dims
           from lengths in new[] { (1, 9), (5, 70), (70, 70) }
           select With(declaration, lengths.Item1, lengths.Item2),
        .. from declaration in s_masks
           from lengths in new[] { (1, 70), (3, 100), (9, 33), (70, 70), (90, 400) }
           select With(declaration, lengths.Item1, lengths.Item2),
        .. from declaration in s_fixed select With(declaration, declaration.QueryLength, declaration.KeyLength),
        .. from declaration in s_single
           from keys in new[] { 5, 48, 49, 500, 3000 }
           select With(declaration, declaration.QueryLength, keys),
    ];

    private static Problem With(Declaration declaration, int queries, int keys)
    {
        var problem = new Problem(declaration, queries, keys) { Batch = declaration.Batched ? 3 : 1 };
        if (declaration.Has(Roles.QueryStart)) problem = problem with { QueryStarts = [keys / 2] };
        if (declaration.Has(Roles.QueryStarts)) problem = problem with { QueryStarts = [0, keys, 7] };
        if (declaration.Has(Roles.KeyLengths)) problem = problem with { KeyLengths = [keys, 0, (keys + 1) / 2] };
        return declaration.Blocks.Keys == 0 ? problem : RandomCuts.With(problem, seed: 3);
    }

    [Theory, MemberData(nameof(Problems), DisableDiscoveryEnumeration = true)]
    [Trait(IsaMatrixTests.Scalar, "yes")]
    public void Outputs_are_within_the_error_bound(Problem problem)
    {
        var inputs = new Inputs(problem);
        Bound.Check(inputs, inputs.Run(s_kernels));
        if (inputs.LogSumExp.Length > 0) Bound.CheckLogSumExp(inputs);
    }

    /// <summary>Scores near 100 and beyond, whose errors are those of weights.</summary>
    [Theory, InlineData(2, 300), InlineData(70, 130)]
    public void Large_scores_are_within_the_error_bound(int queries, int keys)
    {
        foreach (var declaration in s_rotations[..6].Concat(s_dims))
        {
            if (declaration.Norm != AttentionNorm.None) continue;
            var inputs = new Inputs(With(declaration, queries, keys));
            float factor = 30 / (MathF.Sqrt(declaration.HeadDim) * Math.Abs(declaration.Factor));
            foreach (ref float x in inputs.Query.AsSpan()) x *= factor;
            Bound.Check(inputs, inputs.Run(s_kernels), plainLimit: 1e-3, eachAlone: true);
        }
    }

    [Fact]
    public void Each_document_has_positions_from_0()
    {
        int[] starts = [0, 5, 5, 47, 60, 200], ofKeys = [0, 3, 20, 120, 140, 333];
        foreach (var declaration in s_documents)
        {
            bool hasKeys = declaration.Has(Roles.KeyDocumentStarts);
            var inputs = new Inputs(new Problem(declaration, 200, hasKeys ? 333 : 200)
            {
                DocumentStarts = starts, KeyDocumentStarts = hasKeys ? ofKeys : null,
                QueryStarts = hasKeys ? [0, 7, 100, 3, 0] : null, KeyLengths = hasKeys ? [3, 17, 99, 0, 150] : null,
            });
            Bound.Check(inputs, inputs.Run(s_kernels));
        }
    }

    /// <summary>The reference with rotary positions is the reference without them on rotated rows, which complex numbers rotate here.</summary>
    [Fact]
    public void A_kernel_is_one_without_rotary_positions_on_rotated_rows()
    {
        foreach (var declaration in new[] { s_rotations[1], s_rotations[2], s_rotations[5], s_rotations[6] })
        {
            Assert.Equal(AttentionNorm.None, declaration.Norm);
            var problem = With(declaration, 21, 65);
            var inputs = new Inputs(problem);
            double[] expected = Bound.Whole(inputs);
            for (int i = 0; i < problem.Queries; i++)
                for (int h = 0; h < declaration.Heads; h++) Rotate(inputs.QueryRow(0, i, h), problem.Start(0) + i);
            for (int j = 0; j < problem.Keys; j++)
                for (int h = 0; h < declaration.KeyValueHeads; h++) Rotate(inputs.KeyRow(0, j, h), j);
            var unrotated = new Inputs(inputs, problem with { Declaration = declaration with { Rotary = AttentionRotary.None, Rotated = default } });
            double[] actual = Bound.Whole(unrotated);
            for (int i = 0; i < actual.Length; i++) Assert.Equal(expected[i], actual[i], 2e-6);

            void Rotate(Span<float> row, int position)
            {
                for (int pair = 0; pair < declaration.RotaryDim / 2; pair++)
                {
                    var (x, y) = RotaryTables.PairOf(declaration, pair);
                    var turned = new Complex(row[x], row[y]) * new Complex(inputs.Rotary!.Cos(position)[pair], inputs.Rotary.Sin(position)[pair]);
                    (row[x], row[y]) = ((float)turned.Real, (float)turned.Imaginary);
                }
            }
        }
    }

    [Fact]
    public void The_bits_are_the_same_for_all_numbers_of_threads()
    {
        foreach (var declaration in new[] { s_rotations[0], s_places[0], s_places[1] })
            foreach (var (queries, keys) in new[] { (1, 3000), (4, 2000), (300, 300) })
            {
                var inputs = new Inputs(new Problem(declaration, queries, keys));
                float[] expected = inputs.Run(s_kernels);
                foreach (int threads in new[] { 2, 7 })
                    ThreadTests.AssertSameBits(expected, new Inputs(inputs, inputs.Problem with { MaxThreads = threads }).Run(s_kernels));
            }
    }

    /// <summary>A NaN in a key reaches the rows that see it, and no other; also as what the key is rotated with.</summary>
    [Theory, InlineData(2), InlineData(80)]
    public void A_key_reaches_the_rows_that_see_it(int queries)
    {
        var problem = With(s_rotations[2], queries, 200);
        var inputs = new Inputs(problem);
        float[] before = inputs.Run(s_kernels);
        inputs.KeyRow(0, 120, 1)[12] = float.NaN;
        inputs.KeyRow(0, 199, 0).Fill(float.NaN);
        float[] after = inputs.Run(s_kernels);
        for (int i = 0; i < after.Length; i++)
        {
            int head = i / 24 % 6 / 2, end = problem.Visible(0, i / (6 * 24)).End;
            bool sees = (head == 1 && end > 120) || (head == 0 && end > 199);
            Assert.True(sees ? float.IsNaN(after[i]) : before[i].Equals(after[i]), $"element {i}: {after[i]}");
        }
    }

    [Fact]
    public void Spans_anywhere_give_the_same_bits()
    {
        if (GuardedMemory.Missing is { } reason) Assert.Skip(reason);
        foreach (var declaration in s_dims.Concat(s_fixed).Append(s_places[1]))
            foreach (var (queries, keys) in declaration.QueryLength > 0 ? [(declaration.QueryLength, declaration.KeyLength)] : new[] { (1, 7), (2, 50), (41, 33) })
            {
                var inputs = new Inputs(With(declaration, queries, keys));
                Bound.Check(inputs, inputs.RunEverywhere(s_kernels[declaration]));
            }
    }

    [Fact]
    public void Scratch_memory_of_the_caller_is_enough()
    {
        foreach (var (queries, keys) in new[] { (1, 700), (5, 300), (60, 200) })
        {
            var inputs = new Inputs(new Problem(s_places[3], queries, keys));
            float[] expected = inputs.Run(s_kernels), actual = new float[expected.Length];
            inputs.Run(s_kernels[s_places[3]], actual, new byte[ScratchTests.NeededByAll(inputs, s_kernels[s_places[3]]) + 63]);
            ThreadTests.AssertSameBits(expected, actual);
        }
    }

    [Fact]
    public void Calls_allocate_nothing()
    {
        foreach (int queries in new[] { 1, 80 })
        {
            var inputs = new Inputs(new Problem(s_rotations[0], queries, 100));
            float[] output = new float[inputs.Problem.OutputLength];
            for (int i = 0; i < 20; i++) inputs.RunInPlace(s_kernels[s_rotations[0]], output);
            long before = GC.GetAllocatedBytesForCurrentThread();
            inputs.RunInPlace(s_kernels[s_rotations[0]], output);
            Assert.Equal(0, GC.GetAllocatedBytesForCurrentThread() - before);
        }
    }

    /// <summary>Rows before the position 0 see nothing under a causal mask: their output is 0, and the table needs no such positions.</summary>
    [Theory, InlineData(20, 7), InlineData(200, 90), InlineData(3, 1)]
    public void Rows_before_the_first_position_may_see_nothing(int queries, int keys)
    {
        var problem = new Problem(s_rotations[2], queries, keys);
        var inputs = new Inputs(problem);
        float[] output = new float[problem.OutputLength];
        s_kernels[s_causal with { Rotated = (22, 7), Scale = -0.3f }].Body(inputs.Arguments(inputs.Query, inputs.Key, inputs.Value, output) with { Rotary = RotaryTables.Of(22, keys) });
        Bound.Check(inputs, output);
        Assert.DoesNotContain(output[..((queries - keys) * 6 * 24)], x => x != 0);
    }

    [Fact]
    public void Wrong_calls_name_parameter_and_numbers()
    {
        ThrowsAs<ArgumentNullException>("Value cannot be null. (Parameter 'rotary')", s_causal, 5, 9, a => a with { Rotary = null! });
        Throws("rotary has a RotaryDim of 38, the kernel rotates 40 elements. (Parameter 'rotary')", s_causal, 5, 9, a => a with { Rotary = new(38, 9) });
        Throws("rotary has 8 positions, but query has tokens at the positions 4 to 8: build a table of 9 positions or more. (Parameter 'rotary')", s_causal, 5, 9, a => a with { Rotary = new(40, 8) });
        Throws("rotary has 9 positions, but query of batch item 1 has tokens at the positions 9 to 9: build a table of 10 positions or more. (Parameter 'rotary')", s_masks[^1], 1, 9, a => a with { Rotary = new(40, 9) });
        Throws("rotary has 9 positions, but key has tokens at the positions 0 to 11: build a table of 12 positions or more. (Parameter 'rotary')", s_masks[0], 2, 12, a => a with { QueryStarts = (int[])[3], Rotary = new(40, 9) });
        Throws("query has 9 tokens for 5 keys and no start, so that its first token is at the position -4, which has no rotation: give the start. (Parameter 'query')", s_plain, 9, 5, a => a);
        Throws("query has 9 tokens for 5 keys and no start, so that its first token is at the position -4, which has no rotation: give the start. (Parameter 'query')", s_masks[2], 9, 5, a => a);
        Throws("queryStart is -1, a position of 0 or more is needed. (Parameter 'queryStart')\nActual value was -1.", s_masks[0], 2, 12, a => a with { QueryStarts = (int[])[-1] });
        Throws("rotary has 9 positions, but query has tokens at the positions 2147483647 to 2147483648: build a table of 2147483649 positions or more. (Parameter 'rotary')", s_masks[0], 2, 9,
            a => a with { QueryStarts = (int[])[int.MaxValue], Rotary = new(40, 9) });

        static void ThrowsAs<T>(string message, Declaration declaration, int queries, int keys, Change change)
            where T : Exception
        {
            var inputs = new Inputs(With(declaration, queries, keys));
            float[] output = new float[inputs.Problem.OutputLength];
            output.AsSpan().Fill(7);
            Exception? thrown = null;
            try
            {
                s_kernels[declaration].Body(change(inputs.Arguments(inputs.Query, inputs.Key, inputs.Value, output)));
            }
            catch (T exception)
            {
                thrown = exception;
            }

            Assert.Equal(message, thrown?.Message.ReplaceLineEndings("\n"));
            Assert.DoesNotContain(output, x => x != 7);
        }

        static void Throws(string message, Declaration declaration, int queries, int keys, Change change) => ThrowsAs<ArgumentException>(message, declaration, queries, keys, change);
    }

    private delegate KernelArguments Change(KernelArguments arguments);
}
