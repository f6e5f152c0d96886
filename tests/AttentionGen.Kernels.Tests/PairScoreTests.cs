using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;
using AttentionGen.CompilerServices;
using Xunit;

namespace AttentionGen.Kernels.Tests;

/// <summary>Scores that are no dot products: a matrix between query and key, and a sum of hyperbolic tangents.</summary>
public class PairScoreTests
{
    private const AttentionAxes All = AttentionAxes.Head | AttentionAxes.Query | AttentionAxes.Key;

    private const Roles Statistics = Roles.MaxScore | Roles.Entropy | Roles.ArgMax;

    /// <summary>Only code that this machine can run: most of the time of these tests goes into compiling.</summary>
    private static readonly AttentionIsas s_isas = X86Base.IsSupported ? AttentionIsas.Avx2 | AttentionIsas.Avx512 : AttentionIsas.All;

    private static readonly Declaration s_additive = new(6, 40) { Isas = s_isas, KeyValueHeads = 3, ValueDim = 24, PairScore = AttentionScore.Additive };

    private static readonly Declaration s_general = new(6, 40) { Isas = s_isas, KeyValueHeads = 3, ValueDim = 24, PairScore = AttentionScore.General, GivenKeyDim = 28 };

    /// <summary>Masks, steps of scores, results and places, of both kinds of scores.</summary>
    private static readonly Declaration[] s_declarations =
    [
        .. from plain in new[] { s_additive, s_general }
           let causal = plain with { Mask = AttentionMask.Causal }
           from declaration in new[]
           {
               plain with { Roles = Roles.MaxThreads | Roles.LogSumExp },
               causal with { Layout = AttentionLayout.HeadMajor, Roles = Roles.MaxThreads | Roles.QueryStart | Roles.Sinks | Roles.LogSumExp, Scale = -0.7f },
               causal with { Strides = (300, 131, 90, 200), Batched = true, SoftCap = 2, Roles = Roles.MaxThreads | Roles.KeyLengths },
               plain with { Layout = AttentionLayout.HeadMajor, TensorSpans = true, Batched = true, Bias = All, Alibi = true },
               causal with { Window = (20, -1), Storage = Storage.Half, Narrow = (true, true), Roles = Roles.MaxThreads | Roles.Scales },
               plain with { Storage = Storage.BFloat16, Narrow = (true, false), Keep = AttentionAxes.Query | AttentionAxes.Key },
               plain with { QueryLength = 33, KeyLength = 50 },
               causal with { QueryLength = 1, Roles = Roles.MaxThreads | Roles.Scores },
               causal with { Dilation = 3, ScoreText = "score - slope * MathF.Abs(query - key)", Roles = Roles.MaxThreads | Statistics },
               causal with { Roles = Roles.MaxThreads | Roles.DocumentStarts | Roles.Scratch },
           }
           select declaration,
    ];

    /// <summary>Below, at and above the vectors of each instruction set, and pairs of them.</summary>
    private static readonly Declaration[] s_dims =
    [
        .. from dim in new[] { 1, 4, 9, 15, 17, 32, 49, 65, 260, 512 }
           select new Declaration(2, dim) { Isas = s_isas, KeyValueHeads = 1, ValueDim = 8, PairScore = AttentionScore.Additive },
        .. from dims in new[] { (1, 17), (33, 3), (20, 130), (512, 64) }
           select new Declaration(2, dims.Item1) { Isas = s_isas, KeyValueHeads = 1, ValueDim = 8, PairScore = AttentionScore.General, GivenKeyDim = dims.Item2 },
    ];

    private static readonly Declaration[] s_caches =
    [
        .. from plain in new[] { s_additive, s_general }
           from storage in new[] { Storage.Wide, Storage.BFloat16, Storage.SByte }
           from keysIn in new[] { KeyStore.Cache, KeyStore.Pages }
           select plain with { Mask = AttentionMask.Causal, Storage = storage, KeysIn = keysIn },
        s_general with { ValueFromKey = true, Storage = Storage.Half, KeysIn = KeyStore.Cache },
    ];

    private static readonly KernelGroup s_kernels = new([.. s_declarations, .. s_dims, .. s_caches]);

    public static TheoryData<Problem> Problems =>
    [
        .. from declaration in s_declarations
           from lengths in declaration.QueryLength switch { 33 => [(33, 50)], 1 => [(1, 1), (1, 900)], _ => new[] { (1, 1), (1, 70), (2, 130), (5, 300), (17, 17), (97, 401) } }
           select With(declaration, lengths.Item1, lengths.Item2),
        .. from declaration in s_dims
           from lengths in new[] { (3, 70), (70, 70) }
           select With(declaration, lengths.Item1, lengths.Item2),
        .. from declaration in s_caches
           from lengths in new[] { (1, 1), (1, 130), (2, 33), (3, 401), (60, 77) }
           select With(declaration, lengths.Item1, lengths.Item2),
    ];

    private static Problem With(Declaration declaration, int queries, int keys) => new(declaration, queries, keys)
    {
        Batch = declaration.Batched ? 2 : 1,
        QueryStarts = declaration.Has(Roles.QueryStart) ? [keys / 2] : null,
        KeyLengths = declaration.Has(Roles.KeyLengths) ? [keys, (keys + 1) / 2] : null,
        DocumentStarts = declaration.Has(Roles.DocumentStarts) ? [0, queries / 3, queries] : null,
        KeyDocumentStarts = null,
    };

    [Theory, MemberData(nameof(Problems), DisableDiscoveryEnumeration = true)]
    [Trait(IsaMatrixTests.Scalar, "yes")]
    public void Outputs_are_within_the_error_bound(Problem problem)
    {
        if (problem.DocumentStarts is not null && problem.Queries != problem.Keys) problem = problem with { Keys = problem.Queries };
        var inputs = new Inputs(problem);
        Bound.Check(inputs, inputs.Run(s_kernels), eachAlone: true);
        if (inputs.LogSumExp.Length > 0) Bound.CheckLogSumExp(inputs);
        if (inputs.Scores.Length > 0) Bound.CheckScores(inputs);
        if (inputs.ArgMax.Length > 0) Bound.CheckStatistics(inputs);
    }

    [Fact]
    public void The_bits_are_the_same_for_all_numbers_of_threads()
    {
        foreach (var declaration in new[] { s_declarations[0], s_declarations[10], s_declarations[3], s_declarations[13], s_caches[4], s_caches[5] })
            foreach (var (queries, keys) in new[] { (1, 3000), (4, 900), (200, 250) })
            {
                var inputs = new Inputs(With(declaration, queries, keys));
                float[] expected = inputs.Run(s_kernels);
                foreach (int threads in new[] { 2, 7 })
                    ThreadTests.AssertSameBits(expected, new Inputs(inputs, inputs.Problem with { MaxThreads = threads }).Run(s_kernels));
            }
    }

    /// <summary>A batch has the bits of single calls, and heads first those of tokens first.</summary>
    [Fact]
    public void The_bits_are_the_same_for_all_layouts()
    {
        foreach (var (one, other) in new[] { (s_declarations[0], s_declarations[1]), (s_declarations[10], s_declarations[11]) })
        {
            var inputs = new Inputs(new Problem(one, 7, 90));
            var plain = one with { Roles = Roles.MaxThreads };
            var kernels = new KernelGroup([plain, plain with { Layout = AttentionLayout.HeadMajor }]);
            var first = new Inputs(inputs, inputs.Problem with { Declaration = plain });
            var second = new Inputs(inputs, inputs.Problem with { Declaration = plain with { Layout = AttentionLayout.HeadMajor } });
            ThreadTests.AssertSameBits(first.Run(kernels), second.Run(kernels));
            Assert.Equal(AttentionLayout.HeadMajor, other.Layout);
        }
    }

    /// <summary>With a matrix of ones on the diagonal, a general score is a dot product.</summary>
    [Fact]
    public void The_unit_matrix_gives_dot_products()
    {
        var declaration = new Declaration(2, 20) { Isas = s_isas, PairScore = AttentionScore.General, Scale = 0.2f };
        var dot = declaration with { PairScore = AttentionScore.Dot };
        var kernels = new KernelGroup([declaration, dot]);
        var inputs = new Inputs(new Problem(declaration, 9, 50));
        for (int i = 0; i < inputs.QueryKeyWeight.Length; i++) inputs.QueryKeyWeight[i] = i / 20 % 20 == i % 20 ? 1 : 0;
        ThreadTests.AssertSameBits(new Inputs(inputs, inputs.Problem with { Declaration = dot }).Run(kernels), inputs.Run(kernels));
    }

    /// <summary>A NaN in a key reaches the rows that see it, and no other.</summary>
    [Theory, InlineData(2), InlineData(80)]
    public void A_key_reaches_the_rows_that_see_it(int queries)
    {
        foreach (var declaration in new[] { s_declarations[7] with { QueryLength = 0, Roles = Roles.MaxThreads }, s_declarations[17] with { QueryLength = 0, Roles = Roles.MaxThreads } })
        {
            var kernels = new KernelGroup([declaration]);
            var inputs = new Inputs(new Problem(declaration, queries, queries));
            inputs.KeyRow(0, queries - 1, 1).Fill(float.NaN);
            Bound.Check(inputs, inputs.Run(kernels), eachAlone: true);
        }
    }

    [Fact]
    public void Weights_that_do_not_fit_are_refused_before_anything_is_written()
    {
        foreach (var declaration in new[] { s_declarations[0] with { Roles = Roles.MaxThreads }, s_declarations[10] with { Roles = Roles.MaxThreads } })
        {
            var kernels = new KernelGroup([declaration]);
            var inputs = new Inputs(new Problem(declaration, 3, 5));
            float[] output = new float[inputs.Problem.OutputLength];
            var arguments = inputs.Arguments(inputs.Query, inputs.Key, inputs.Value, output);
            bool isAdditive = declaration.PairScore == AttentionScore.Additive;
            Assert.Contains(isAdditive ? "scoreVector has 239 elements, but its shape [6, 40] needs 240." : "queryKeyWeight has 6719 elements, but its shape [6, 40, 28] needs 6720.", Message(kernels[declaration], Cut(arguments)), StringComparison.Ordinal);
            if (isAdditive)
            {
                foreach (float wrong in new[] { float.NaN, float.PositiveInfinity, -1.1e20f })
                {
                    inputs.ScoreVector[7] = wrong;
                    Assert.Contains("scoreVector[7] is ", Message(kernels[declaration], arguments), StringComparison.Ordinal);
                }
            }

            Assert.DoesNotContain(output, x => x != 0);
        }

        static KernelArguments Cut(in KernelArguments arguments) => arguments with
        {
            ScoreVector = arguments.ScoreVector.IsEmpty ? default : arguments.ScoreVector[1..], QueryKeyWeight = arguments.QueryKeyWeight.IsEmpty ? default : arguments.QueryKeyWeight[1..],
        };
    }

    private static string Message(Kernel kernel, in KernelArguments arguments)
    {
        try
        {
            kernel.Body(arguments);
            return "";
        }
        catch (ArgumentException e)
        {
            return e.Message;
        }
    }

    /// <summary>The hyperbolic tangents of each width, alone and two at a time, against double precision: from the smallest normal numbers to where they are 1.</summary>
    [Fact]
    [Trait(IsaMatrixTests.Scalar, "yes")]
    public void Hyperbolic_tangents_are_within_1e_6()
    {
        var random = new Random(3);
        float[] x = new float[16], y = new float[16], v = new float[16], u = new float[16];
        for (int turn = 0; turn < 20_000; turn++)
        {
            for (int i = 0; i < 16; i++)
            {
                float sign = random.Next(2) * 2 - 1;
                (x[i], y[i]) = (sign * MathF.Pow(10, -37 + 39 * random.NextSingle()), turn % 2 == 0 ? x[i] : sign * 12 * random.NextSingle());
                (v[i], u[i]) = (turn % 3 == 0 ? 1e20f : 1, turn % 3 == 0 ? -1e20f : 3); // those at the limit, too
                if (turn % 4 == 1) x[i] = sign * random.NextSingle() * 10;
            }

            if (Avx512F.IsSupported && Vector512.IsHardwareAccelerated)
            {
                Check(Vectors512.AddTanh(Vector512<float>.Zero, Vector512.Create(x), Vector512.Create(v)).ToArray(), isPair: false);
                Check(Vectors512.AddTanh(Vector512<float>.Zero, Vector512.Create(x), Vector512.Create(v), Vector512.Create(y), Vector512.Create(u)).ToArray(), isPair: true);
            }

            if (Avx2.IsSupported && Fma.IsSupported)
            {
                Check(Vectors256.AddTanh(Vector256<float>.Zero, Vector256.Create(x), Vector256.Create(v)).ToArray(), isPair: false);
                Check(Vectors256.AddTanh(Vector256<float>.Zero, Vector256.Create(x), Vector256.Create(v), Vector256.Create(y), Vector256.Create(u)).ToArray(), isPair: true);
            }

            Check(Vectors128.AddTanh(Vector128<float>.Zero, Vector128.Create(x), Vector128.Create(v)).ToArray(), isPair: false);
            Check(Vectors128.AddTanh(Vector128<float>.Zero, Vector128.Create(x), Vector128.Create(v), Vector128.Create(y), Vector128.Create(u)).ToArray(), isPair: true);
        }

        void Check(float[] actual, bool isPair)
        {
            for (int i = 0; i < actual.Length; i++)
            {
                double first = v[i] * Math.Tanh(x[i]), second = isPair ? u[i] * Math.Tanh(y[i]) : 0, off = Math.Abs(actual[i] - (first + second));
                Assert.True(off <= 1e-6 * (Math.Abs(first) + Math.Abs(second)) + 1e-44, $"{v[i]} tanh({x[i]}) + {(isPair ? u[i] : 0)} tanh({y[i]}) = {first + second}, not {actual[i]}");
            }
        }
    }
}

internal static class VectorArrays
{
    public static float[] ToArray(this Vector512<float> vector) => [.. Enumerable.Range(0, 16).Select(i => vector[i])];

    public static float[] ToArray(this Vector256<float> vector) => [.. Enumerable.Range(0, 8).Select(i => vector[i])];

    public static float[] ToArray(this Vector128<float> vector) => [.. Enumerable.Range(0, 4).Select(i => vector[i])];
}
