using System.Numerics.Tensors;
using AttentionGen.Benchmarks.Compare;
using AttentionGen.Benchmarks.Contenders;
using AttentionGen.Benchmarks.Shapes;
using Tensor = AttentionGen.Benchmarks.Shapes.Tensor;

namespace AttentionGen.Benchmarks.Kernels;

/// <summary>
/// The other attentions that are timed. Peers are loops over TensorPrimitives: neither ONNX Runtime nor ggml has an operator for the first three, and ggml's of linear attention take another order of
/// the state.
/// </summary>
internal static class FamilyTable
{
    private const int Rows = 6, Heads = 16, Dim = 64, Tokens = 4096, StepBatch = 64;

    public static IReadOnlyList<Shape> Shapes { get; } = [Hard(), Additive(), Latent("MLA", 1, 4096), Latent("MLA-prefill", 128, 1024), .. Prefills(), Step()];

    /// <summary>P2's heads and mask.</summary>
    private static Shape Hard()
    {
        var shape = ShapeTable.P2 with { Id = "H-hard" };
        return shape with { Family = new($"{shape.Description}; hard", 2 * 64 * shape.VisiblePairs, 0, ReadsMemory: false, Problem) };

        static Problem Problem(Shape shape, int seed)
        {
            Tensor query = Normal(shape.QueryElements, seed), key = Normal(shape.KeyElements, seed + 1), value = Normal(shape.KeyElements, seed + 2);
            var reference = new AttentionReference(1, 64) { Mask = AttentionMask.Causal, Selection = AttentionSelection.Hard, KeyStride = 12 * 64, ValueStride = 12 * 64 };
            return new FamilyProblem(shape, [], threads => [Ours(threads), Loop()], Expected(shape.Queries * 12, seed, row =>
            {
                int head = row % 12;
                double[] expected = new double[64];
                reference.Attend(query.Span.Slice(row * 64, 64), key.Span[(head * 64)..^((11 - head) * 64)], value.Span[(head * 64)..^((11 - head) * 64)], expected, queryStarts: [row / 12]);
                return expected;
            }));

            Contender Ours(int threads)
            {
                var output = new Tensor(query.Length);
                return new CallContender("AttentionGen", AttentionInfo.Describe(FamilyKernels.Hard).Core, null, null, output, 64, () => FamilyKernels.Hard(query.Span, key.Span, value.Span, output.Span, threads));
            }

            Contender Loop()
            {
                var output = new Tensor(query.Length);
                float[] scores = new float[shape.Keys];
                return new CallContender("TensorPrimitives", "Dot, IndexOfMax", null, null, output, 64, () =>
                {
                    for (int row = 0; row < shape.Queries * 12; row++)
                    {
                        int head = row % 12, keys = row / 12 + 1;
                        for (int j = 0; j < keys; j++) scores[j] = TensorPrimitives.Dot(query.Span.Slice(row * 64, 64), key.Span.Slice((j * 12 + head) * 64, 64));
                        value.Span.Slice((TensorPrimitives.IndexOfMax<float>(scores.AsSpan(0, keys)) * 12 + head) * 64, 64).CopyTo(output.Span.Slice(row * 64, 64));
                    }
                });
            }
        }
    }

    /// <summary>Counts hyperbolic tangents: a pair has as many as a head has elements.</summary>
    private static Shape Additive()
    {
        var shape = new Shape("A-additive", 4, 4, 64, 256, 256, Causal: false);
        return shape with { Family = new($"{shape.Description}; additive, hyperbolic tangents in place of flops", 64 * shape.VisiblePairs, 0, ReadsMemory: false, Problem) };

        static Problem Problem(Shape shape, int seed)
        {
            Tensor query = Normal(shape.QueryElements, seed), key = Normal(shape.KeyElements, seed + 1), value = Normal(shape.KeyElements, seed + 2), vector = Normal(4 * 64, seed + 3);
            var reference = new AttentionReference(1, 64) { PairScore = AttentionScore.Additive, KeyStride = 4 * 64, ValueStride = 4 * 64 };
            return new FamilyProblem(
                shape, [], threads => [Ours(threads), Loop("Add, Tanh, Dot", static (x, to) => TensorPrimitives.Tanh(x, to)), Loop("Add, MathF.Tanh, Dot", EachTanh)], Expected(shape.Queries * 4, seed, row =>
                {
                    int head = row % 4;
                    double[] expected = new double[64];
                    reference.Attend(
                        query.Span.Slice(row * 64, 64), key.Span[(head * 64)..^((3 - head) * 64)], value.Span[(head * 64)..^((3 - head) * 64)], expected,
                        operands: new AttentionOperands { ScoreVector = vector.Span.Slice(head * 64, 64) });
                    return expected;
                }));

            Contender Ours(int threads)
            {
                var output = new Tensor(query.Length);
                return new CallContender(
                    "AttentionGen", AttentionInfo.Describe(FamilyKernels.Additive).Core, null, null, output, 64, () => FamilyKernels.Additive(query.Span, key.Span, value.Span, vector.Span, output.Span, threads));
            }

            Contender Loop(string path, SpanFunction tanh)
            {
                var output = new Tensor(query.Length);
                float[] scores = new float[shape.Keys], sums = new float[64];
                return new CallContender(path.Contains("MathF", StringComparison.Ordinal) ? "MathF.Tanh" : "TensorPrimitives", path, null, null, output, 64, () =>
                {
                    for (int row = 0; row < shape.Queries * 4; row++)
                    {
                        int head = row % 4;
                        for (int j = 0; j < shape.Keys; j++)
                        {
                            TensorPrimitives.Add(query.Span.Slice(row * 64, 64), key.Span.Slice((j * 4 + head) * 64, 64), sums);
                            tanh(sums, sums);
                            scores[j] = TensorPrimitives.Dot(sums, vector.Span.Slice(head * 64, 64));
                        }

                        TensorPrimitives.SoftMax(scores, scores);
                        var to = output.Span.Slice(row * 64, 64);
                        to.Clear();
                        for (int j = 0; j < shape.Keys; j++) TensorPrimitives.MultiplyAdd(value.Span.Slice((j * 4 + head) * 64, 64), scores[j], to, to);
                    }
                });
            }

            static void EachTanh(ReadOnlySpan<float> x, Span<float> to)
            {
                for (int i = 0; i < x.Length; i++) to[i] = MathF.Tanh(x[i]);
            }
        }
    }

    private delegate void SpanFunction(ReadOnlySpan<float> x, Span<float> to);

    /// <summary>The heads of DeepSeek-V2 in the absorbed form: keys in single precision and, in a cache, in bfloat16.</summary>
    private static Shape Latent(string id, int queries, int keys)
    {
        var shape = new Shape(id, 128, 1, 576, queries, keys, Causal: true);
        string description = $"H128/1 D576/512, {(queries == 1 ? $"1 x {keys}" : $"{queries} x {keys}, causal")}; values from keys";
        return shape with { Family = new(description, 2 * (576 + 512) * shape.VisiblePairs, sizeof(float) * 576.0 * keys, ReadsMemory: queries == 1, Problem) };

        static Problem Problem(Shape shape, int seed)
        {
            Tensor query = Normal(shape.QueryElements, seed), key = Normal(shape.KeyElements, seed + 1);
            foreach (ref float x in key.Span) x = (float)(BFloat16)x; // what a cache stores without an error
            var reference = new AttentionReference(1, 576) { ValueDim = 512, ValueFromKey = true, Mask = AttentionMask.Causal };
            return new FamilyProblem(shape, [(key.Address, (nint)key.Bytes)], threads => [Ours(threads), Cached(threads), Loop()], Expected(shape.Queries * 128, seed, row =>
            {
                double[] expected = new double[512];
                reference.Attend(query.Span.Slice(row * 576, 576), key.Span, default, expected, queryStarts: [shape.Position(row / 128)]);
                return expected;
            }));

            Contender Ours(int threads)
            {
                var output = new Tensor(shape.Queries * 128 * 512);
                return new CallContender("AttentionGen", AttentionInfo.Describe(FamilyKernels.Latent).Core, null, null, output, 512, () => FamilyKernels.Latent(query.Span, key.Span, output.Span, threads));
            }

            Contender Cached(int threads)
            {
                var output = new Tensor(shape.Queries * 128 * 512);
                var cache = new KeyValueCache<BFloat16>(1, 576, valueDim: 512, capacity: shape.Keys, valueFromKey: true);
                BFloat16[] rows = [.. key.Span.ToArray().Select(x => (BFloat16)x)];
                cache.Append(rows, default);
                return new CallContender(
                    "AttentionGen", AttentionInfo.Describe(FamilyKernels.LatentCached).Core, "bfloat16", key.Bytes / 2.0, output, 512, () => FamilyKernels.LatentCached(query.Span, cache, output.Span, threads), cache);
            }

            Contender Loop()
            {
                var output = new Tensor(shape.Queries * 128 * 512);
                float[] scores = new float[shape.Keys];
                return new CallContender("TensorPrimitives", "Dot, SoftMax, MultiplyAdd", null, null, output, 512, () =>
                {
                    float scale = 1 / MathF.Sqrt(576);
                    for (int row = 0; row < shape.Queries * 128; row++)
                    {
                        int keys = shape.Position(row / 128) + 1;
                        var seen = scores.AsSpan(0, keys);
                        for (int j = 0; j < keys; j++) seen[j] = scale * TensorPrimitives.Dot(query.Span.Slice(row * 576, 576), key.Span.Slice(j * 576, 576));
                        TensorPrimitives.SoftMax(seen, seen);
                        var to = output.Span.Slice(row * 512, 512);
                        to.Clear();
                        for (int j = 0; j < keys; j++) TensorPrimitives.MultiplyAdd(key.Span.Slice(j * 576, 512), seen[j], to, to);
                    }
                });
            }
        }
    }

    /// <summary>Flops are those of the chunked form, with chunks of 64.</summary>
    private static IEnumerable<Shape> Prefills()
    {
        const double Products = 4.0 * Dim * Dim + 64 * (Dim + Dim), Corrected = 6.0 * Dim * Dim + 128 * (Dim + Dim);
        yield return Of("LA-linear", "linear", Products, LinearAttentionRule.Linear);
        yield return Of("LA-gated", "gated", Products, LinearAttentionRule.Gated);
        yield return Of("LA-gated-delta", "gated delta rule", Corrected, LinearAttentionRule.GatedDelta);

        static Shape Of(string id, string title, double flops, LinearAttentionRule rule) => new(id, Heads, Heads, Dim, Tokens, Tokens, Causal: true)
        {
            Family = new($"H{Heads} D{Dim}, {Tokens} tokens; linear attention, {title}", flops * Heads * Tokens, 0, ReadsMemory: false, (shape, seed) => Problem(shape, rule, seed)),
        };

        static Problem Problem(Shape shape, LinearAttentionRule rule, int seed)
        {
            Tensor query = Normal(shape.QueryElements, seed), key = Normal(shape.KeyElements, seed + 1), value = Normal(shape.KeyElements, seed + 2), decay = Normal(Tokens * Heads, seed + 3), beta = new(Tokens * Heads);
            Unit(key);
            foreach (ref float x in decay.Span) x = -0.1f * Math.Abs(x);
            beta.Span.Fill(0.5f);
            double[] all = new LinearAttentionReference(Heads, Heads, Dim, Dim) { Rule = rule }.Attend(
                query.Span, key.Span, value.Span,
                rule == LinearAttentionRule.Linear ? null : (token, head, _) => decay.Span[token * Heads + head], rule == LinearAttentionRule.GatedDelta ? (token, head) => beta.Span[token * Heads + head] : null);
            return new FamilyProblem(shape, [], threads => [Ours(threads)], Expected(Tokens * Heads, seed, row => all[(row * Dim)..((row + 1) * Dim)]));

            Contender Ours(int threads)
            {
                var output = new Tensor(query.Length);
                float[] state = new float[Heads * Dim * Dim];
                return new CallContender("AttentionGen", "chunks", null, null, output, Dim, () =>
                {
                    Array.Clear(state);
                    if (rule == LinearAttentionRule.Linear) FamilyKernels.Linear(query.Span, key.Span, value.Span, state, output.Span, threads);
                    else if (rule == LinearAttentionRule.Gated) FamilyKernels.Gated(query.Span, key.Span, value.Span, decay.Span, state, output.Span, threads);
                    else FamilyKernels.GatedDelta(query.Span, key.Span, value.Span, decay.Span, beta.Span, state, output.Span, threads);
                });
            }
        }
    }

    /// <summary>A token of many sequences: each state is read and written once.</summary>
    private static Shape Step()
    {
        const int States = StepBatch * Heads * Dim * Dim;
        return new Shape("LA-step", Heads, Heads, Dim, 1, 1, Causal: true)
        {
            Family = new($"{StepBatch} x H{Heads} D{Dim}, one token; linear attention, gated", 4.0 * States, 2.0 * sizeof(float) * States, ReadsMemory: true, Problem),
        };

        static Problem Problem(Shape shape, int seed)
        {
            const int Elements = StepBatch * Heads * Dim;
            Tensor query = Normal(Elements, seed), key = Normal(Elements, seed + 1), value = Normal(Elements, seed + 2), decay = new(StepBatch * Heads), states = new(2 * States);
            Unit(key);
            states.Span.Clear();
            decay.Span.Fill(float.NegativeInfinity); // a state that is forgotten has the same output in each call
            return new FamilyProblem(shape, [(states.Address, (nint)states.Bytes)], threads => [Ours(threads)], Expected(StepBatch * Heads, seed, row =>
            {
                double product = 0;
                for (int d = 0; d < Dim; d++) product += (double)query.Span[row * Dim + d] * key.Span[row * Dim + d];
                return [.. value.Span.Slice(row * Dim, Dim).ToArray().Select(x => x * product / Math.Sqrt(Dim))];
            }));

            Contender Ours(int threads)
            {
                var output = new Tensor(Elements);
                return new CallContender("AttentionGen", "steps", null, null, output, Dim, () =>
                    FamilyKernels.GatedBatch(query.Span, key.Span, value.Span, decay.Span, states.Span[..States], output.Span, StepBatch, threads));
            }
        }
    }

    /// <summary>Some rows in double precision, the first and the last among them.</summary>
    private static List<(int Row, double[] Numbers)> Expected(int rows, int seed, Func<int, double[]> of)
    {
        var random = new Random(seed);
        return [.. Enumerable.Range(0, Rows).Select(_ => random.Next(rows)).Append(0).Append(rows - 1).Distinct().Select(row => (row, of(row)))];
    }

    private static Tensor Normal(int length, int seed)
    {
        var random = new Random(seed);
        var tensor = new Tensor(length);
        foreach (ref float x in tensor.Span) x = (float)(Math.Sqrt(-2 * Math.Log(1 - random.NextDouble())) * Math.Cos(2 * Math.PI * random.NextDouble())); // Box and Muller
        return tensor;
    }

    /// <summary>Divides each head by its norm.</summary>
    private static void Unit(Tensor rows)
    {
        for (int i = 0; i < rows.Length; i += Dim)
        {
            var row = rows.Span.Slice(i, Dim);
            TensorPrimitives.Divide(row, TensorPrimitives.Norm<float>(row), row);
        }
    }
}
