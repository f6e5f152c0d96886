using Xunit;
using static AttentionGen.Kernels.Tests.PagedCalls;

namespace AttentionGen.Kernels.Tests;

/// <summary>Kernels over several sequences of a paged cache, against the exact result over the stored values.</summary>
[Collection(nameof(Isolated))]
public class PagedKernelTests
{
    /// <summary>Tokens that each call appends to the sequences: decoding, prefill, both, and neither.</summary>
    private static readonly int[][] s_calls = [[5, 0, 70], [1, 1, 1], [1, 40, 1], [0, 17, 0], [130, 1, 3], [1, 1, 1]];

    public static TheoryData<string, int> Calls => [.. from declaration in Declarations from pageTokens in new[] { 16, 32, 64 } select ($"{declaration}", pageTokens)];

    [Theory, MemberData(nameof(Calls))]
    public void A_call_appends_to_its_sequences_and_attends(string name, int pageTokens)
    {
        var declaration = Declarations.Single(declaration => declaration.ToString() == name);
        Run<float>(declaration, pageTokens);
        Run<Half>(declaration, pageTokens);
        Run<BFloat16>(declaration, pageTokens);
        Run<sbyte>(declaration, pageTokens);
    }

    private static void Run<T>(Declaration declaration, int pageTokens)
        where T : unmanaged
    {
        var kernel = Compiled.Of<T>(declaration);
        using var memory = new GuardedCacheMemory(); // NaN where no token is
        using var cache = Create<T>(declaration, pageTokens, pages: 64, layers: 2);
        SequenceId[] ids = [cache.CreateSequence(), cache.CreateSequence(), cache.CreateSequence()];
        int seed = 1;
        foreach (int[] tokens in s_calls)
        {
            for (int layer = 0; layer < 2; layer++)
            {
                int[] before = [.. ids.Select(id => cache.LengthOf(id, layer))];
                var inputs = Step(kernel, cache, ids, tokens, layer, seed++, out float[] output);
                for (int i = 0; i < ids.Length; i++) Assert.Equal(before[i] + tokens[i], cache.LengthOf(ids[i], layer));
                Bound.Check(inputs, output);
                CheckAlone(kernel, cache, ids, tokens, layer, inputs.Query, output);
            }

            // Two of them go on without what they share with forks of theirs, in other places.
            if (tokens is [1, 40, 1]) ids = [ids[2], cache.Fork(ids[0]), ids[1]];
        }
    }

    /// <summary>The bits of a sequence are those of a call of its own, on any number of threads.</summary>
    private static void CheckAlone<T>(PagedKernel<T> kernel, PagedKeyValueCache<T> cache, SequenceId[] ids, int[] tokens, int layer, float[] query, float[] output)
        where T : unmanaged
    {
        float[] again = new float[output.Length], threads = new float[output.Length], alone = new float[output.Length];
        int[] starts = Starts(tokens);
        int queryWidth = kernel.Declaration.Heads * kernel.Declaration.HeadDim, width = kernel.Declaration.Heads * kernel.Declaration.ValueDim;
        kernel.Read(query, starts, cache, ids, layer, 1, again);
        kernel.Read(query, starts, cache, ids, layer, 2, threads);
        for (int i = 0; i < ids.Length; i++)
            kernel.Read(query.AsSpan(starts[i] * queryWidth, tokens[i] * queryWidth), [0, tokens[i]], cache, [ids[i]], layer, 2, alone.AsSpan(starts[i] * width, tokens[i] * width));
        Assert.Equal(output, again);
        Assert.Equal(output, threads);
        Assert.Equal(output, alone);
    }

    /// <summary>More pages than one call of a core lists, from a page's start and from inside of one.</summary>
    [Fact]
    public void Long_sequences()
    {
        foreach (var declaration in Declarations.Where(declaration => declaration.HeadDim == 64))
            foreach (int pageTokens in new[] { 16, 64 })
            {
                Run<float>(declaration, pageTokens);
                Run<sbyte>(declaration, pageTokens);
            }

        static void Run<T>(Declaration declaration, int pageTokens)
            where T : unmanaged
        {
            const int Tokens = 3301;
            var kernel = Compiled.Of<T>(declaration);
            using var memory = new GuardedCacheMemory();
            using var cache = Create<T>(declaration, pageTokens, pages: 2 * Tokens / pageTokens);
            SequenceId[] ids = [cache.CreateSequence(), cache.CreateSequence()];
            Step(kernel, cache, ids, [1700, 0], 0, 1, out _, maxThreads: 2);
            Step(kernel, cache, ids, [Tokens - 1703, 17], 0, 2, out _, maxThreads: 2);
            foreach (int[] tokens in new int[][] { [1, 1], [2, 0] })
            {
                var inputs = Step(kernel, cache, ids, tokens, 0, 3, out float[] output);
                Bound.Check(inputs, output);
                CheckAlone(kernel, cache, ids, tokens, 0, inputs.Query, output);
            }
        }
    }

    [Fact]
    public void One_sequence_needs_no_documents()
    {
        var kernel = Compiled.Of<float>(Plain);
        using PagedKeyValueCache<float> cache = Create<float>(Plain), other = Create<float>(Plain);
        SequenceId[] id = [cache.CreateSequence()], otherId = [other.CreateSequence()];
        for (int i = 0; i < 5; i++)
        {
            var inputs = new Inputs(new Problem(Plain, 7 * i + 1, 7 * i + 1), seed: i);
            float[] output = new float[inputs.Problem.OutputLength], expected = new float[output.Length];
            kernel.One(inputs.Query, inputs.Key, inputs.Value, cache, id, 0, 1, output);
            kernel.Step(inputs.Query, inputs.Key, inputs.Value, [0, inputs.Problem.Queries], other, otherId, 0, 1, expected);
            Assert.Equal(expected, output);
        }
    }

    [Fact]
    public void More_sequences_than_fit_on_the_stack()
    {
        var kernel = Compiled.Of<float>(Plain);
        using var cache = Create<float>(Plain, pages: 200);
        SequenceId[] ids = [.. Enumerable.Range(0, 50).Select(_ => cache.CreateSequence())];
        for (int call = 0; call < 3; call++)
        {
            int[] tokens = [.. ids.Select((_, i) => (i * 7 + call) % 4)];
            Bound.Check(Step(kernel, cache, ids, tokens, 0, call, out float[] output, maxThreads: 2), output);
            CheckAlone(kernel, cache, ids, tokens, 0, new Inputs(new Problem(Plain, tokens.Sum(), tokens.Sum()), call).Query, output);
        }

        kernel.Step([], [], [], [0], cache, [], 0, 1, []);
    }

    /// <summary>Keys are normalised and rotated by their positions in their sequences, and operands with a key axis have the keys of all sequences.</summary>
    [Fact]
    public void Rotated_keys_and_score_matrices()
    {
        var type = KernelGroup.CompileSource("""
            using System;
            using AttentionGen;

            public static partial class Kernels
            {
                [Attention(4, 32, KeyValueHeads = 2, Mask = AttentionMask.Causal, Rotary = AttentionRotary.Halves, QueryKeyNorm = AttentionNorm.Rms)]
                public static partial void Paged(ReadOnlySpan<float> query, ReadOnlySpan<float> key, ReadOnlySpan<float> value, ReadOnlySpan<int> documentStarts,
                    PagedKeyValueCache<BFloat16> cache, ReadOnlySpan<SequenceId> sequences, RotaryTable rotary, Span<float> scores, Span<float> output);

                [Attention(4, 32, KeyValueHeads = 2, Mask = AttentionMask.Causal, Rotary = AttentionRotary.Halves, QueryKeyNorm = AttentionNorm.Rms)]
                public static partial void Single(ReadOnlySpan<float> query, ReadOnlySpan<float> key, ReadOnlySpan<float> value,
                    KeyValueCache<BFloat16> cache, RotaryTable rotary, Span<float> scores, Span<float> output);
            }
            """).GetType("Kernels", throwOnError: true)!;
        var paged = type.GetMethod("Paged")!.CreateDelegate<PagedRotated>();
        var single = type.GetMethod("Single")!.CreateDelegate<SingleRotated>();
        var declaration = new Declaration(4, 32) { KeyValueHeads = 2 };
        var rotary = new RotaryTable(32, 200);
        using var cache = new PagedKeyValueCache<BFloat16>(2, 32, pages: 40, pageTokens: 16);
        SequenceId[] ids = [cache.CreateSequence(), cache.CreateSequence(), cache.CreateSequence()];
        KeyValueCache<BFloat16>[] others = [new(2, 32), new(2, 32), new(2, 32)];
        int seed = 0;
        foreach (int[] tokens in new int[][] { [3, 30, 1], [1, 1, 1], [40, 1, 2], [1, 1, 20] })
        {
            int[] starts = Starts(tokens), keyStarts = Starts([.. ids.Select((id, i) => cache.LengthOf(id) + tokens[i])]);
            var inputs = new Inputs(new Problem(declaration, starts[^1], starts[^1]), seed++);
            float[] output = new float[starts[^1] * 128], scores = new float[4 * starts[^1] * keyStarts[^1]];
            paged(inputs.Query, inputs.Key, inputs.Value, starts, cache, ids, rotary, scores, output);
            for (int i = 0; i < 3; i++)
            {
                int queries = tokens[i], keys = keyStarts[i + 1] - keyStarts[i];
                float[] one = new float[queries * 128], ofOne = new float[4 * queries * keys];
                single(inputs.Query.AsSpan(starts[i] * 128, queries * 128), inputs.Key.AsSpan(starts[i] * 64, queries * 64), inputs.Value.AsSpan(starts[i] * 64, queries * 64), others[i], rotary, ofOne, one);
                for (int x = 0; x < one.Length; x++) Assert.Equal(one[x], output[starts[i] * 128 + x], 2e-6f);
                for (int head = 0; head < 4; head++)
                    for (int query = 0; query < queries; query++)
                        for (int key = 0; key < keyStarts[^1]; key++)
                        {
                            float score = scores[(head * starts[^1] + starts[i] + query) * keyStarts[^1] + key];
                            bool isOwn = key >= keyStarts[i] && key < keyStarts[i + 1];
                            Assert.Equal(isOwn ? ofOne[(head * queries + query) * keys + key - keyStarts[i]] : 0, score, 2e-6f);
                        }

                BFloat16[] pagedKeys = new BFloat16[keys * 64], pagedValues = new BFloat16[keys * 64], singleKeys = new BFloat16[keys * 64], singleValues = new BFloat16[keys * 64];
                cache.Read(ids[i], 0, pagedKeys, pagedValues);
                others[i].Read(0, singleKeys, singleValues);
                Assert.Equal(singleKeys, pagedKeys);
                Assert.Equal(singleValues, pagedValues);
            }
        }

        foreach (var other in others) other.Dispose();
    }

    private delegate void PagedRotated(ReadOnlySpan<float> query, ReadOnlySpan<float> key, ReadOnlySpan<float> value, ReadOnlySpan<int> documentStarts,
        PagedKeyValueCache<BFloat16> cache, ReadOnlySpan<SequenceId> sequences, RotaryTable rotary, Span<float> scores, Span<float> output);

    private delegate void SingleRotated(ReadOnlySpan<float> query, ReadOnlySpan<float> key, ReadOnlySpan<float> value, KeyValueCache<BFloat16> cache, RotaryTable rotary, Span<float> scores, Span<float> output);
}
