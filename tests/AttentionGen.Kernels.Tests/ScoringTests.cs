using System.Runtime.InteropServices;
using Xunit;

namespace AttentionGen.Kernels.Tests;

/// <summary>What is done to scores (cap, bias, distance, mask of keys, sinks), and the log-sum-exp.</summary>
public class ScoringTests
{
    private const AttentionAxes Rows = AttentionAxes.Query | AttentionAxes.Key, OfHeads = AttentionAxes.Head | Rows, OfItems = AttentionAxes.Batch | Rows,
        Whole = AttentionAxes.Batch | OfHeads, Keys = AttentionAxes.Key, KeysOfItems = AttentionAxes.Batch | AttentionAxes.Key;

    private const Roles All = Roles.MaxThreads | Roles.Slopes | Roles.Sinks | Roles.LogSumExp;

    private static readonly Declaration s_plain = new(6, 40) { KeyValueHeads = 3, ValueDim = 24, Roles = Roles.MaxThreads | Roles.LogSumExp };

    /// <summary>Each step alone, then all of them.</summary>
    private static readonly Declaration[] s_steps =
    [
        s_plain,
        s_plain with { SoftCap = 2 },
        s_plain with { SoftCap = 0.3f, Scale = -1.5f },
        s_plain with { Alibi = true },
        s_plain with { Bias = Rows },
        s_plain with { Keep = Rows },
        s_plain with { Roles = s_plain.Roles | Roles.Sinks },
        s_plain with { Roles = s_plain.Roles | Roles.Slopes },
        s_plain with { SoftCap = 3, Bias = OfHeads, Keep = Keys, Roles = All },
        s_plain with { Roles = s_plain.Roles | Roles.Scales },
        s_plain with { Buckets = 32, Scale = 1 / 8f },
        s_plain with { Buckets = 9, MaxDistance = 21, Bidirectional = false, SoftCap = 4, Roles = All | Roles.Scales },
    ];

    private static readonly Declaration[] s_masked =
    [
        .. from step in s_steps
           from mask in new[] { (AttentionMask.None, (-1, -1)), (AttentionMask.Causal, (-1, -1)), (AttentionMask.None, (20, 5)), (AttentionMask.None, (9, -1)) }
           select step with { Mask = mask.Item1, Window = mask.Item2 },
    ];

    /// <summary>Every set of axes, in a batch with starts and lengths.</summary>
    private static readonly Declaration[] s_batched =
    [
        .. from axes in new[] { Keys, Rows, OfHeads, OfItems, Whole, KeysOfItems, AttentionAxes.Head | Keys }
           from mask in Enum.GetValues<AttentionMask>()
           select s_plain with
           {
               Mask = mask, Bias = axes, Keep = axes, Batched = true, Roles = All | Roles.KeyLengths | (mask == AttentionMask.Causal ? Roles.QueryStarts : 0),
           },
    ];

    private static readonly Declaration s_headMajor = new(4, 64)
    {
        KeyValueHeads = 2, Layout = AttentionLayout.HeadMajor, Mask = AttentionMask.Causal, SoftCap = 5, Bias = OfHeads, Keep = Rows, Roles = All,
    };

    private static readonly Declaration s_strided = s_headMajor with { Layout = AttentionLayout.TokenMajor, Strides = (4 * 64 + 3, 2 * 64 + 1, 2 * 64 + 5, 4 * 64 + 2) };

    private static readonly Declaration s_fixed = s_plain with { QueryLength = 33, KeyLength = 50, Bias = Rows, Keep = Rows, Alibi = true };

    private static readonly Declaration s_relative = s_plain with { Batched = true, Buckets = 32, Roles = s_plain.Roles | Roles.Sinks | Roles.Scales | Roles.QueryStarts | Roles.KeyLengths };

    private static readonly Declaration s_wrong = s_plain with { SoftCap = 3, Bias = OfHeads, Keep = Keys, Buckets = 32, Roles = All | Roles.Scales };

    private static readonly Declaration s_single = s_plain with { QueryLength = 1, Bias = Rows, Keep = Rows, Roles = All };

    internal static readonly Declaration[] Declarations = [.. s_masked, .. s_batched, s_headMajor, s_strided, s_fixed, s_single, s_relative, s_wrong];

    public static TheoryData<Problem> Problems =>
    [
        .. from declaration in s_masked.Append(s_headMajor).Append(s_strided)
           from lengths in new[] { (1, 1), (1, 70), (3, 300), (17, 17), (30, 9), (100, 100), (97, 401) }
           select new Problem(declaration, lengths.Item1, lengths.Item2),
        .. from declaration in s_batched
           from queries in new[] { 2, 70 }
           select new Problem(declaration, queries, 90) { Batch = 4, KeyLengths = [90, 0, 33, 71], QueryStarts = declaration.Has(Roles.QueryStarts) ? [0, 3, 5, 100] : null },
        .. from queries in new[] { 2, 70 } select new Problem(s_relative, queries, 90) { Batch = 4, KeyLengths = [90, 0, 33, 71], QueryStarts = [0, 3, 5, int.MaxValue - 100] },
        new Problem(s_fixed, 33, 50),
        .. from keys in new[] { 1, 5, 500, 3000 } select new Problem(s_single, 1, keys),
    ];

    [Theory, MemberData(nameof(Problems), DisableDiscoveryEnumeration = true)]
    [Trait(IsaMatrixTests.Scalar, "yes")]
    public void Output_and_log_sum_exp_are_within_the_error_bound(Problem problem)
    {
        var inputs = new Inputs(problem);
        float[] output = inputs.Run(Catalogue.Kernels);
        Bound.Check(inputs, output);
        Bound.CheckLogSumExp(inputs);
    }

    public static TheoryData<Problem> Poisoned =>
    [
        .. from declaration in Declarations
           where declaration.Hides && !declaration.Batched && declaration.QueryLength == 0
           from queries in new[] { 1, 5, 70 }
           select new Problem(declaration, queries, 300),
        new Problem(s_single, 1, 1000),
    ];

    /// <summary>Of a key that no row keeps, neither the key nor the value exists.</summary>
    [Theory, MemberData(nameof(Poisoned), DisableDiscoveryEnumeration = true)]
    public void What_is_hidden_changes_no_bit(Problem problem)
    {
        var inputs = new Inputs(problem);
        var declaration = problem.Declaration;
        foreach (int key in new[] { 0, 3, 31, 32, 63, 100, 255, 256, 257, 299 })
            for (int head = 0; head < declaration.Heads; head++)
                for (int query = 0; query < problem.Queries; query++)
                {
                    if (declaration.Bias != 0) inputs.Bias[problem.Index(declaration.Bias, 0, head, query, key)] = float.NegativeInfinity;
                    else inputs.Keep[problem.Index(declaration.Keep, 0, head, query, key)] = false;
                }

        float[] expected = inputs.Run(Catalogue.Kernels);
        foreach (int key in new[] { 0, 3, 31, 32, 63, 100, 255, 256, 257, 299 })
            for (int head = 0; head < declaration.KeyValueHeads; head++)
            {
                inputs.KeyRow(0, key, head).Fill(key % 2 == 0 ? float.NaN : float.PositiveInfinity);
                inputs.ValueRow(0, key, head).Fill(key % 2 == 0 ? float.NegativeInfinity : float.NaN);
            }

        ThreadTests.AssertSameBits(expected, inputs.Run(Catalogue.Kernels));
    }

    /// <summary>A value that is NaN reaches the rows that see its key, and no other.</summary>
    [Theory, InlineData(2), InlineData(80)]
    public void A_value_reaches_the_rows_that_keep_its_key(int queries)
    {
        var problem = new Problem(s_plain with { Keep = Rows, Mask = AttentionMask.Causal }, queries, 200);
        var inputs = new Inputs(problem);
        float[] before = inputs.Run(Catalogue.Kernels);
        inputs.ValueRow(0, 77, 1)[3] = float.NaN;
        float[] after = inputs.Run(Catalogue.Kernels);
        for (int i = 0; i < after.Length; i++)
        {
            int query = i / (6 * 24), head = i / 24 % 6, element = i % 24;
            bool sees = head / 2 == 1 && element == 3 && inputs.Keep[query * 200 + 77] && problem.Visible(0, query).End > 77;
            Assert.True(sees ? float.IsNaN(after[i]) : before[i].Equals(after[i]), $"query {query}, head {head}, element {element}: {after[i]}");
        }
    }

    /// <summary>Rows that keep nothing, and rows that keep one key.</summary>
    [Theory, InlineData(3), InlineData(100)]
    public void Rows_that_keep_nothing_are_zero(int queries)
    {
        var problem = new Problem(s_plain with { Keep = Rows }, queries, 300);
        var inputs = new Inputs(problem);
        inputs.Keep.AsSpan().Clear();
        for (int query = 1; query < queries; query += 2) inputs.Keep[query * 300 + query * 7 % 300] = true;
        float[] output = inputs.Run(Catalogue.Kernels);
        for (int query = 0; query < queries; query++)
            for (int head = 0; head < 6; head++)
            {
                var row = output.AsSpan((query * 6 + head) * 24, 24);
                if (query % 2 == 0)
                {
                    Assert.False(row.ContainsAnyExcept(0f));
                    Assert.Equal(float.NegativeInfinity, inputs.LogSumExp[head * queries + query]);
                }
                else
                {
                    var value = inputs.ValueRow(0, query * 7 % 300, head / 2);
                    for (int d = 0; d < 24; d++) Assert.Equal(value[d], row[d], 1e-6f);
                }
            }
    }

    /// <summary>Scores far beyond what weights can hold, also with sinks that outweigh all keys, or nothing.</summary>
    [Theory, InlineData(3), InlineData(100)]
    public void Huge_scores_and_sinks(int queries)
    {
        foreach (float size in new[] { 1e3f, 1e6f, 1e30f })
        {
            var problem = new Problem(s_plain with { SoftCap = 3, Bias = OfHeads, Keep = Keys, Roles = All }, queries, 300);
            var inputs = new Inputs(problem);
            for (int i = 0; i < inputs.Bias.Length; i++) inputs.Bias[i] *= size;
            for (int i = 0; i < inputs.Sinks.Length; i++) inputs.Sinks[i] = i switch { 0 => 3e38f, 1 => -3e38f, 2 => float.NegativeInfinity, 3 => 2 * size, _ => -size };
            Assert.DoesNotContain(float.NaN, inputs.Run(Catalogue.Kernels));
            Bound.Check(inputs, inputs.Run(Catalogue.Kernels), plainLimit: 1e-3);
        }
    }

    [Fact]
    public void The_bits_are_the_same_for_all_numbers_of_threads_and_both_layouts()
    {
        foreach (var (queries, keys) in new[] { (1, 3000), (4, 2000), (300, 300) })
        {
            var inputs = new Inputs(new Problem(s_strided, queries, keys));
            float[] expected = inputs.Run(Catalogue.Kernels), sums = inputs.LogSumExp;
            foreach (var declaration in new[] { s_strided, s_headMajor })
                foreach (int threads in new[] { 1, 2, 7 })
                {
                    var same = new Inputs(inputs, inputs.Problem with { Declaration = declaration, MaxThreads = threads });
                    ThreadTests.AssertSameBits(expected, same.Run(Catalogue.Kernels));
                    ThreadTests.AssertSameBits(sums, same.LogSumExp);
                }
        }
    }

    /// <summary>Buckets of T5, and its table by hand: queries and keys that are 0 leave the biases alone.</summary>
    [Fact]
    public void Distances_fall_into_the_buckets_of_T5()
    {
        int[] starts = [0, 1, 2, 3, 4, 5, 6, 7, 8, 12, 16, 23, 32, 46, 64, 91]; // bidirectional: 8 of 16 exact, to 128
        var declaration = s_plain with { Buckets = 32, Scale = 1 / 8f };
        var inputs = new Inputs(new Problem(declaration, 1, 400) { MaxThreads = 1 });
        inputs.Query.AsSpan().Clear();
        inputs.Value.AsSpan().Clear();
        for (int key = 0; key < 400; key++)
            for (int head = 0; head < declaration.KeyValueHeads; head++) inputs.ValueRow(0, key, head)[0] = key == 150 ? 1 : 0;
        for (int bucket = 0; bucket < 32; bucket++) inputs.RelativeBias.AsSpan(bucket * 6, 6).Fill(MathF.Log(bucket + 1));

        foreach (int queries in new[] { 1, 100, 400 })
        {
            var call = new Inputs(inputs, inputs.Problem with { Queries = queries });
            float[] output = new float[call.Problem.OutputLength];
            Catalogue.Kernels[declaration].Body(call.Arguments(new float[call.Problem.QueryLength], inputs.Key, inputs.Value, output));
            for (int query = 0; query < queries; query++)
            {
                int position = 400 - queries + query;
                double Weight(int key) => Array.FindLastIndex(starts, start => start <= Math.Abs(key - position)) + (key > position ? 16 : 0) + 1;
                double expected = Weight(150) / Enumerable.Range(0, 400).Sum(Weight);
                Assert.Equal(expected, output[query * 6 * 24], 1e-6 * expected);
            }
        }
    }

    [Theory, InlineData(1), InlineData(3), InlineData(40)]
    public void Operands_between_protected_pages(int queries)
    {
        if (GuardedMemory.Missing is { } reason) Assert.Skip(reason);
        using GuardedMemory bias = new(1 << 18), keep = new(1 << 18), slopes = new(64), sinks = new(64), sums = new(1 << 12);
        foreach (var declaration in new[] { s_plain with { SoftCap = 3, Bias = OfHeads, Keep = Keys, Roles = All, Mask = AttentionMask.Causal }, s_plain with { Keep = Rows } })
            for (int keys = 1; keys < 40; keys++)
            {
                var inputs = new Inputs(new Problem(declaration, queries, keys));
                float[] expected = inputs.Run(Catalogue.Kernels), actual = new float[expected.Length];
                foreach (bool atEnd in new[] { true, false })
                {
                    var logSumExp = sums.Take<float>(inputs.LogSumExp.Length, atEnd);
                    Catalogue.Kernels[declaration].Body(inputs.Arguments(inputs.Query, inputs.Key, inputs.Value, actual) with
                    {
                        Bias = bias.Copy<float>(inputs.Bias, atEnd), Keep = keep.Copy<bool>(inputs.Keep, atEnd), Slopes = slopes.Copy<float>(inputs.Slopes, atEnd),
                        Sinks = sinks.Copy<float>(inputs.Sinks, atEnd), LogSumExp = logSumExp,
                    });
                    ThreadTests.AssertSameBits(expected, actual);
                    ThreadTests.AssertSameBits(Reordered(inputs), logSumExp);
                }
            }

        static float[] Reordered(Inputs inputs)
        {
            inputs.Run(Catalogue.Kernels);
            return inputs.LogSumExp;
        }
    }

    /// <summary>A long key range in parts of some keys, merged, is the whole.</summary>
    [Theory, InlineData(1, 7), InlineData(40, 100)]
    public void Parts_merge_into_the_whole(int queries, int part)
    {
        const int Keys = 650;
        var declaration = s_plain;
        var inputs = new Inputs(new Problem(declaration, queries, Keys));
        float[] whole = inputs.Run(Catalogue.Kernels), wholeSums = inputs.LogSumExp;
        var kernel = Catalogue.Kernels[declaration];
        int rows = queries * declaration.Heads, parts = (Keys + part - 1) / part;
        float[] outputs = new float[parts * whole.Length], sums = new float[parts * rows];
        for (int i = 0; i < parts; i++)
        {
            int first = i * part, count = Math.Min(part, Keys - first), key = declaration.KeyValueHeads * declaration.HeadDim, value = declaration.KeyValueHeads * declaration.ValueDim;
            kernel.Body(new KernelArguments
            {
                Query = inputs.Query, Key = inputs.Key.AsSpan(first * key, count * key), Value = inputs.Value.AsSpan(first * value, count * value),
                Output = outputs.AsSpan(i * whole.Length, whole.Length), LogSumExp = sums.AsSpan(i * rows, rows), MaxThreads = 1,
            });
        }

        float[] merged = new float[whole.Length], mergedSums = new float[rows];
        AttentionState.MergeAll(outputs, sums, merged, mergedSums, declaration.Heads);
        for (int i = 0; i < whole.Length; i++) Assert.Equal(whole[i], merged[i], 2e-6f);
        for (int row = 0; row < rows; row++) Assert.Equal(wholeSums[row], mergedSums[row], 2e-5f);
    }

    [Fact]
    public void Wrong_calls_name_parameter_and_shapes()
    {
        var declaration = s_wrong;
        var inputs = new Inputs(new Problem(declaration, 5, 9));
        var kernel = Catalogue.Kernels[declaration];
        float[] output = new float[inputs.Problem.OutputLength], sums = new float[30];

        Throws("bias has 269 elements, [heads, queries, keys] = [6, 5, 9] are needed. (Parameter 'bias')", arguments => arguments with { Bias = new float[269] });
        Throws("bias has 0 elements, [heads, queries, keys] = [6, 5, 9] are needed. (Parameter 'bias')", arguments => arguments with { Bias = default });
        Throws("keep has 10 elements, [keys] = [9] are needed. (Parameter 'keep')", arguments => arguments with { Keep = new bool[10] });
        Throws("slopes has 5 elements, [heads] = [6] are needed. (Parameter 'slopes')", arguments => arguments with { Slopes = new float[5] });
        Throws("scales has 5 elements, [heads] = [6] are needed. (Parameter 'scales')", arguments => arguments with { Scales = new float[5] });
        Throws("slopes[1] is NaN, a finite number is needed. (Parameter 'slopes')", arguments => arguments with { Slopes = new[] { 0, float.NaN, 0, 0, 0, 0 } });
        Throws("slopes[5] is Infinity, a finite number is needed. (Parameter 'slopes')", arguments => arguments with { Slopes = new[] { 0, 0, 0, 0, 0, float.PositiveInfinity } });
        Throws("sinks[0] is NaN, a finite number is needed, or -infinity for a head without a sink. (Parameter 'sinks')", arguments => arguments with { Sinks = new[] { float.NaN, 0, 0, 0, 0, 0 } });
        Throws("scales[4] is NaN, a finite number is needed. (Parameter 'scales')", arguments => arguments with { Scales = new[] { 0, 1, -1, 3e38f, float.NaN, 0 } });
        Throws("relativeBias has 191 elements, [buckets, heads] = [32, 6] are needed. (Parameter 'relativeBias')", arguments => arguments with { RelativeBias = new float[191] });
        Throws("relativeBias[191] is -Infinity, a finite number is needed. (Parameter 'relativeBias')", arguments => arguments with { RelativeBias = Enumerable.Range(0, 192).Select(i => i == 191 ? float.NegativeInfinity : i).ToArray() });
        Throws("output overlaps relativeBias. The output is written while the inputs are read: give it memory of its own. (Parameter 'output')", arguments => arguments with { RelativeBias = output.AsSpan(0, 192) });
        Throws("sinks has 7 elements, [heads] = [6] are needed. (Parameter 'sinks')", arguments => arguments with { Sinks = new float[7] });
        Throws("logSumExp has 29 elements, [batch, heads, queries] = [1, 6, 5] are needed. (Parameter 'logSumExp')", arguments => arguments with { LogSumExp = new float[29] });
        Throws("output overlaps bias. The output is written while the inputs are read: give it memory of its own. (Parameter 'output')", arguments => arguments with { Bias = output.AsSpan(0, 270) });
        Throws("output overlaps keep. The output is written while the inputs are read: give it memory of its own. (Parameter 'output')", arguments => arguments with { Keep = MemoryMarshal.Cast<float, bool>(output)[..9] });
        Throws("output overlaps logSumExp. The output is written while the inputs are read: give it memory of its own. (Parameter 'output')", arguments => arguments with { LogSumExp = output.AsSpan(0, 30) });
        Throws("logSumExp overlaps query. The output is written while the inputs are read: give it memory of its own. (Parameter 'logSumExp')", arguments => arguments with { LogSumExp = inputs.Query.AsSpan(0, 30) });

        void Throws(string message, Change change)
        {
            output.AsSpan().Fill(7);
            sums.AsSpan().Fill(7);
            string actual = "";
            try
            {
                kernel.Body(change(inputs.Arguments(inputs.Query, inputs.Key, inputs.Value, output) with { LogSumExp = sums }));
            }
            catch (ArgumentException exception)
            {
                actual = exception.Message;
            }

            Assert.Equal(message, actual);
            Assert.DoesNotContain(output.Concat(sums), x => x != 7);
        }
    }

    private delegate KernelArguments Change(KernelArguments arguments);
}
