using System.Runtime.Intrinsics.X86;
using Xunit;

namespace AttentionGen.Kernels.Tests;

/// <summary>Values that are the first elements of the keys: multi-head latent attention in its absorbed form.</summary>
public class ValueFromKeyTests
{
    private const AttentionAxes All = AttentionAxes.Head | AttentionAxes.Query | AttentionAxes.Key;

    /// <summary>Only code that this machine can run: most of the time of these tests goes into compiling.</summary>
    private static readonly AttentionIsas s_isas = X86Base.IsSupported ? AttentionIsas.Avx2 | AttentionIsas.Avx512 : AttentionIsas.All;

    private static readonly Declaration s_plain = new(6, 40) { Isas = s_isas, KeyValueHeads = 2, ValueDim = 24, ValueFromKey = true };

    private static readonly Declaration s_causal = s_plain with { Mask = AttentionMask.Causal };

    /// <summary>Latent attention as models have it, with fewer heads.</summary>
    private static readonly Declaration s_latent = new(16, 576) { KeyValueHeads = 1, ValueDim = 512, ValueFromKey = true, Isas = s_isas, Mask = AttentionMask.Causal, Rotary = AttentionRotary.Halves, Rotated = (64, 512) };

    private static readonly Declaration[] s_spans =
    [
        s_plain,
        s_causal with { Layout = AttentionLayout.HeadMajor, Roles = Roles.MaxThreads | Roles.QueryStart | Roles.LogSumExp },
        s_causal with { Strides = (300, 131, 0, 200), Batched = true, Roles = Roles.MaxThreads | Roles.KeyLengths },
        s_plain with { Layout = AttentionLayout.HeadMajor, TensorSpans = true, Batched = true },
        s_causal with { ValueDim = 40, SoftCap = 3, Bias = All, Roles = Roles.MaxThreads | Roles.Sinks | Roles.Scratch },
        s_causal with { ValueDim = 1, Window = (20, -1), Storage = Storage.Half },
        s_plain with { Rotary = AttentionRotary.Interleaved, Rotated = (16, 24), Storage = Storage.BFloat16, Narrow = (true, true), Scale = -0.3f },
        s_plain with { QueryLength = 33, KeyLength = 50 },
        s_causal with { Dilation = 3, Keep = AttentionAxes.Key },
        s_latent,
        new(2, 1024) { Isas = s_isas, ValueFromKey = true },
        new(32, 80) { Isas = s_isas, KeyValueHeads = 1, ValueDim = 64, ValueFromKey = true, Roles = Roles.MaxThreads | Roles.LogSumExp },
        new(128, 20) { Isas = s_isas, KeyValueHeads = 1, ValueDim = 16, ValueFromKey = true, Mask = AttentionMask.Causal },
    ];

    private static readonly Declaration[] s_caches =
    [
        .. from storage in new[] { Storage.Wide, Storage.Half, Storage.BFloat16, Storage.SByte }
           from keysIn in new[] { KeyStore.Cache, KeyStore.Pages }
           select s_causal with { Storage = storage, KeysIn = keysIn },
        s_latent with { Storage = Storage.BFloat16, KeysIn = KeyStore.Cache, Rotary = AttentionRotary.None, Rotated = default },
        new(128, 20) { Isas = s_isas, KeyValueHeads = 1, ValueDim = 16, ValueFromKey = true, Storage = Storage.SByte, KeysIn = KeyStore.Pages },
    ];

    /// <summary>The same with a tensor of values, which is a copy of those parts of the keys.</summary>
    private static readonly Declaration[] s_copies = [.. s_spans.Select(declaration => declaration with { ValueFromKey = false }).Where(declaration => declaration.HeadDim <= 512)];

    private static readonly KernelGroup s_kernels = new([.. s_spans, .. s_copies, .. s_caches]);

    public static TheoryData<Problem> Problems =>
    [
        .. from declaration in s_spans
           from lengths in declaration.QueryLength > 0 ? [(33, 50)] : declaration.HeadDim > 500 ? new[] { (1, 70), (2, 400), (9, 33), (70, 120) } : [(1, 1), (1, 70), (3, 300), (17, 17), (97, 401)]
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
    };

    [Theory, MemberData(nameof(Problems), DisableDiscoveryEnumeration = true)]
    [Trait(IsaMatrixTests.Scalar, "yes")]
    public void Outputs_are_within_the_error_bound(Problem problem)
    {
        var inputs = new Inputs(problem);
        Bound.Check(inputs, inputs.Run(s_kernels), plainLimit: 1e-4);
        if (inputs.LogSumExp.Length > 0) Bound.CheckLogSumExp(inputs);
    }

    [Fact]
    public void The_bits_are_those_of_a_tensor_of_values()
    {
        foreach (var declaration in s_spans)
        {
            if (declaration.HeadDim > 512) continue;
            var inputs = new Inputs(With(declaration, declaration.QueryLength > 0 ? 33 : 21, declaration.QueryLength > 0 ? 50 : 130));
            var copies = new Inputs(inputs, inputs.Problem with { Declaration = declaration with { ValueFromKey = false } });
            ThreadTests.AssertSameBits(copies.Run(s_kernels), inputs.Run(s_kernels));
        }
    }

    [Fact]
    public void The_bits_are_the_same_for_all_numbers_of_threads()
    {
        foreach (var declaration in new[] { s_spans[5], s_spans[^1], s_spans[^2], s_caches[2], s_caches[3], s_caches[^1] })
            foreach (var (queries, keys) in new[] { (1, 3000), (2, 900), (200, 300) })
            {
                var inputs = new Inputs(new Problem(declaration, queries, keys));
                float[] expected = inputs.Run(s_kernels);
                foreach (int threads in new[] { 2, 7 })
                    ThreadTests.AssertSameBits(expected, new Inputs(inputs, inputs.Problem with { MaxThreads = threads }).Run(s_kernels));
            }
    }

    [Fact]
    public void The_reference_takes_no_values()
    {
        var inputs = new Inputs(With(s_plain, 5, 9));
        double[] expected = Bound.Whole(inputs), actual = new double[expected.Length];
        var reference = new AttentionReference(s_plain.Heads, s_plain.HeadDim) { KeyValueHeads = s_plain.KeyValueHeads, ValueDim = s_plain.ValueDim, ValueFromKey = true };
        reference.Attend(inputs.Query, inputs.Key, [], actual);
        Assert.Equal(expected, actual);
        Assert.Contains("value", Assert.Throws<ArgumentException>(() => reference.Attend(inputs.Query, inputs.Key, inputs.Value, new double[expected.Length])).Message, StringComparison.Ordinal);
    }
}
