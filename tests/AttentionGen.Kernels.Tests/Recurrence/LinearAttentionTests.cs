using Xunit;

namespace AttentionGen.Kernels.Tests;

/// <summary>Kernels of linear attention against the reference in double precision.</summary>
public class LinearAttentionTests
{
    private const double Tolerance = 4e-6;

    private const AttentionAxes OfElements = AttentionAxes.Key | AttentionAxes.Head | AttentionAxes.HeadDim;

    private static readonly LinearAttentionRule[] s_rules = Enum.GetValues<LinearAttentionRule>();

    /// <summary>Shapes that fill panels, and others that do not; a depth of two parts, and values of two groups of columns.</summary>
    private static readonly (int Heads, int KeyValueHeads, int HeadDim, int ValueDim)[] s_shapes = [(2, 2, 64, 64), (4, 1, 8, 8), (2, 1, 13, 29), (1, 1, 300, 40), (2, 2, 16, 300), (3, 3, 1, 1)];

    private static readonly LinearAttentionDeclaration[] s_plain =
    [
        .. from shape in s_shapes
           from rule in s_rules
           from axes in rule is LinearAttentionRule.Gated or LinearAttentionRule.GatedDelta ? new AttentionAxes?[] { null, OfElements } : [null]
           select new LinearAttentionDeclaration(shape.Heads, shape.HeadDim) { KeyValueHeads = shape.KeyValueHeads, ValueDim = shape.ValueDim, Rule = rule, DecayAxes = axes },
    ];

    private static readonly LinearAttentionDeclaration[] s_mapped =
    [
        .. from map in Enum.GetValues<LinearAttentionFeatureMap>()
           from rule in s_rules
           from normalize in rule is LinearAttentionRule.Delta or LinearAttentionRule.GatedDelta ? [false] : new[] { false, true }
           where map is LinearAttentionFeatureMap.EluPlusOne or LinearAttentionFeatureMap.Relu or LinearAttentionFeatureMap.SoftmaxFeature
           select new LinearAttentionDeclaration(4, 24) { KeyValueHeads = 2, ValueDim = 20, Rule = rule, FeatureMap = map, Normalize = normalize },
    ];

    private static readonly LinearAttentionDeclaration[] s_laidOut =
    [
        .. from rule in s_rules
           from layout in Enum.GetValues<AttentionLayout>()
           from items in new[] { "one", "batch", "documents" }
           where items != "documents" || layout == AttentionLayout.TokenMajor
           from element in items == "one" ? new[] { "float", "Half", "BFloat16" } : ["float"]
           from hasState in new[] { false, true }
           select new LinearAttentionDeclaration(4, 16)
           {
               KeyValueHeads = 2, ValueDim = 24, Rule = rule, Layout = layout, Batched = items == "batch", Documents = items == "documents", Element = element, HasState = hasState, Scale = hasState ? null : 0.25f,
           },
        .. from axes in new[] { AttentionAxes.Head, AttentionAxes.Key, AttentionAxes.HeadDim, AttentionAxes.None, AttentionAxes.Batch | AttentionAxes.Key, OfElements | AttentionAxes.Batch }
           from layout in Enum.GetValues<AttentionLayout>()
           select new LinearAttentionDeclaration(4, 16) { KeyValueHeads = 2, Rule = LinearAttentionRule.GatedDelta, Batched = true, Layout = layout, DecayAxes = axes, BetaAxes = axes & ~AttentionAxes.HeadDim },
    ];

    /// <summary>Each rule, with decays of heads and of elements where it has decays.</summary>
    private static readonly (LinearAttentionRule Rule, bool OfElements)[] s_ordered =
    [
        .. from rule in s_rules
           where rule != LinearAttentionRule.None
           from ofElements in rule is LinearAttentionRule.Gated or LinearAttentionRule.GatedDelta ? new[] { false, true } : [false]
           select (rule, ofElements),
    ];

    private static readonly LinearAttentionKernels s_kernels = new([.. s_plain, .. s_mapped, .. s_laidOut]);

    public static TheoryData<LinearAttentionRule, bool> Ordered
    {
        get
        {
            var rows = new TheoryData<LinearAttentionRule, bool>();
            foreach (var (rule, ofElements) in s_ordered) rows.Add(rule, ofElements);
            return rows;
        }
    }

    public static TheoryData<string> Plain => [.. s_plain.Concat(s_mapped).Select(declaration => declaration.ToString())];

    public static TheoryData<string> LaidOut => [.. s_laidOut.Select(declaration => declaration.ToString())];

    [Theory, MemberData(nameof(Plain), DisableDiscoveryEnumeration = true)]
    [Trait(IsaMatrixTests.Scalar, "yes")]
    public void Outputs_and_states_are_those_of_the_reference(string name)
    {
        var declaration = s_plain.Concat(s_mapped).First(declaration => declaration.ToString() == name);
        foreach (int tokens in new[] { 1, 8, 9, 31, 64, 65, 140 }) Check(declaration, new(declaration, [tokens], declaration.IsOrdered || tokens % 2 == 0 ? null : tokens + 70, seed: tokens));
    }

    [Theory, MemberData(nameof(LaidOut), DisableDiscoveryEnumeration = true)]
    public void Layouts_batches_documents_axes_and_types_change_nothing(string name)
    {
        var declaration = s_laidOut.First(declaration => declaration.ToString() == name);
        foreach (int tokens in new[] { 3, 75 }) Check(declaration, new(declaration, declaration.Documents ? [tokens, 0, 9, tokens + 1, 1] : declaration.Batched ? [tokens, tokens, tokens] : [tokens]));
    }

    /// <summary>Any number of threads and any other items of the call: the same bits.</summary>
    [Fact]
    public void Threads_and_documents_do_not_change_a_bit()
    {
        foreach (var declaration in s_laidOut.Where(declaration => declaration.Documents))
        {
            int[] lengths = [70, 5, 130, 64];
            var inputs = new LinearAttentionInputs(declaration, lengths);
            var one = inputs.Run(s_kernels);
            foreach (int threads in new[] { 2, 3, 8 })
            {
                var many = inputs.Run(s_kernels, threads);
                Assert.Equal(one.Output, many.Output);
                Assert.Equal(one.State, many.State);
            }

            var alone = new LinearAttentionInputs(declaration, [70]);
            int row = declaration.Heads * declaration.ValueDim, state = declaration.KeyValueHeads * declaration.HeadDim * declaration.ValueDim;
            var (output, after) = (new float[70 * row], inputs.State.Take(state).ToArray());
            s_kernels[declaration](
                inputs.Query.AsSpan(0, alone.Query.Length), inputs.Key.AsSpan(0, alone.Key.Length), inputs.Value.AsSpan(0, alone.Value.Length), inputs.Decay.AsSpan(0, alone.Decay.Length),
                inputs.Beta.AsSpan(0, alone.Beta.Length), after, [], output, 1, [0, 70], 1);
            Assert.Equal(one.Output[..output.Length], output);
            Assert.Equal(one.State[..after.Length], after);
        }
    }

    /// <summary>Strong decays would overflow as quotients, and a logarithm of -infinity as a difference.</summary>
    [Theory, MemberData(nameof(Ordered))]
    [Trait(IsaMatrixTests.Scalar, "yes")]
    public void Strong_decays_and_resets_are_exact(LinearAttentionRule rule, bool ofElements)
    {
        var declaration = s_plain.First(declaration => declaration.Rule == rule && declaration.HeadDim == 64 && declaration.DecayAxes == (ofElements ? OfElements : null));
        foreach (float decay in new[] { 30f, 200f })
        {
            var inputs = new LinearAttentionInputs(declaration, [150], decay: decay);
            for (int i = 0; i < inputs.Decay.Length; i += 53) inputs.Decay[i] = i % 2 == 0 ? float.NegativeInfinity : 0;
            Check(declaration, inputs);
        }
    }

    /// <summary>Factors above 1: their products are infinite over a chunk, where the recurrence has nothing to multiply in its first tokens.</summary>
    [Theory, InlineData(false), InlineData(true)]
    public void Growing_factors_overflow_no_sooner_than_the_recurrence(bool ofElements)
    {
        var declaration = s_plain.First(declaration => declaration.Rule == LinearAttentionRule.Gated && declaration.HeadDim == 64 && declaration.DecayAxes == (ofElements ? OfElements : null));
        var inputs = new LinearAttentionInputs(declaration, [64]);
        inputs.Decay.AsSpan().Fill(2);
        inputs.Key.AsSpan(0, inputs.Key.Length / 64 * 40).Clear();
        inputs.State.AsSpan().Clear();
        Check(declaration, inputs);
    }

    /// <summary>A sum of weights may be subnormal: its reciprocal is infinite, a quotient is not. A query that meets no key has 0.</summary>
    [Fact]
    public void Outputs_are_divided_by_small_sums()
    {
        var declaration = s_mapped.First(declaration => declaration is { Rule: LinearAttentionRule.Gated, FeatureMap: LinearAttentionFeatureMap.Relu, Normalize: true });
        var inputs = new LinearAttentionInputs(declaration, [92]);
        inputs.Decay.AsSpan().Fill(-1);
        inputs.State.AsSpan().Clear();
        inputs.Normalizer.AsSpan().Clear();
        inputs.Key.AsSpan().Fill(-1);
        inputs.Key.AsSpan(0, 2 * 24).Fill(1);
        inputs.Query.AsSpan().Fill(1);
        inputs.Query.AsSpan(91 * 4 * 24).Fill(-1);
        float[] output = inputs.Run(s_kernels).Output;
        for (int token = 1; token < 92; token++)
            for (int head = 0; head < 4; head++)
                for (int e = 0; e < 20; e++) Assert.Equal(token == 91 ? 0 : inputs.Value[head / 2 * 20 + e], output[(token * 4 + head) * 20 + e], 2e-3f);
    }

    /// <summary>A number that is not finite stays out of the outputs before it, and of those of other heads.</summary>
    [Theory, MemberData(nameof(Ordered))]
    public void A_token_changes_no_output_before_it(LinearAttentionRule rule, bool ofElements)
    {
        var declaration = s_plain.First(declaration => declaration.Rule == rule && declaration.HeadDim == 64 && declaration.DecayAxes == (ofElements ? OfElements : null));
        var inputs = new LinearAttentionInputs(declaration, [150]);
        double[] expected = inputs.Expected().Output;
        int bad = 77, row = declaration.Heads * 64;
        inputs.Value[bad * row] = float.NaN;
        inputs.Key[bad * row] = float.PositiveInfinity;
        float[] output = inputs.Run(s_kernels).Output;
        LinearAttentionInputs.Same(expected[..(bad * row)], output[..(bad * row)], Tolerance, "element");
        Assert.True(float.IsNaN(output[bad * row]));
        for (int token = bad; token < 150; token++)
            LinearAttentionInputs.Same(expected[(token * row + 64)..((token + 1) * row)], output[(token * row + 64)..((token + 1) * row)], Tolerance, "element of the other head");
    }

    /// <summary>10,000 tokens one by one, in calls of their own, and in chunks, against a plain recurrence in single precision.</summary>
    [Theory, MemberData(nameof(Ordered))]
    public void Ten_thousand_steps_are_as_good_as_a_plain_recurrence(LinearAttentionRule rule, bool ofElements)
    {
        const int Tokens = 10_000;
        var declaration = Long(rule, ofElements);
        var inputs = new LinearAttentionInputs(declaration, [Tokens], decay: 0.01f);
        var expected = inputs.Expected();
        var chunked = inputs.Run(s_long);
        var (plainOutput, plainState) = PlainRecurrence(declaration, inputs);
        var (stepOutput, stepState) = Steps(declaration, inputs, Tokens);
        double bound = Math.Max(1e-6, 2 * Error(expected.Output, plainOutput)), ofState = Math.Max(1e-6, 2 * Error(expected.State, plainState));
        Assert.True(Error(expected.Output, chunked.Output) <= bound, $"chunks: {Error(expected.Output, chunked.Output):e2}, plain recurrence {Error(expected.Output, plainOutput):e2}");
        Assert.True(Error(expected.State, chunked.State) <= ofState, $"state of chunks: {Error(expected.State, chunked.State):e2}, plain recurrence {Error(expected.State, plainState):e2}");
        Assert.True(Error(expected.Output, stepOutput) <= bound, $"steps: {Error(expected.Output, stepOutput):e2}, plain recurrence {Error(expected.Output, plainOutput):e2}");
        Assert.True(Error(expected.State, stepState) <= ofState, $"state of steps: {Error(expected.State, stepState):e2}, plain recurrence {Error(expected.State, plainState):e2}");
        double[] steps = [.. stepOutput.Select(x => (double)x)];
        Assert.True(Error(steps, chunked.Output) <= bound, $"chunks and steps: {Error(steps, chunked.Output):e2}");
    }

    private static LinearAttentionDeclaration Long(LinearAttentionRule rule, bool ofElements) => new(1, 32) { Rule = rule, DecayAxes = ofElements ? OfElements : null };

    private static readonly LinearAttentionKernels s_long = new(s_ordered.Select(pair => Long(pair.Rule, pair.OfElements)));

    private static (float[] Output, float[] State) Steps(LinearAttentionDeclaration declaration, LinearAttentionInputs inputs, int tokens)
    {
        int d = declaration.HeadDim, decay = inputs.Decay.Length / tokens, beta = inputs.Beta.Length / tokens;
        var (output, state) = (new float[inputs.Value.Length], inputs.State.ToArray());
        var kernel = s_long[declaration];
        for (int t = 0; t < tokens; t++)
        {
            kernel(
                inputs.Query.AsSpan(t * d, d), inputs.Key.AsSpan(t * d, d), inputs.Value.AsSpan(t * d, d), inputs.Decay.AsSpan(t * decay, decay), inputs.Beta.AsSpan(t * beta, beta), state, [], output.AsSpan(t * d, d), 1,
                [0, 1], 1);
        }

        return (output, state);
    }

    private static (float[] Output, float[] State) PlainRecurrence(LinearAttentionDeclaration declaration, LinearAttentionInputs inputs)
    {
        int d = declaration.HeadDim, tokens = inputs.Query.Length / d, decays = inputs.Decay.Length / tokens;
        var (output, s) = (new float[inputs.Value.Length], inputs.State.ToArray());
        for (int t = 0; t < tokens; t++)
        {
            for (int i = 0; i < d && declaration.Decays; i++)
            {
                float factor = MathF.Exp(inputs.Decay[t * decays + (decays == 1 ? 0 : i)]);
                for (int e = 0; e < d; e++) s[i * d + e] *= factor;
            }

            for (int e = 0; e < d; e++)
            {
                float change = inputs.Value[t * d + e], sum = 0;
                if (declaration.Corrects)
                {
                    for (int i = 0; i < d; i++) sum += s[i * d + e] * inputs.Key[t * d + i];
                    change = inputs.Beta[t] * (change - sum);
                }

                sum = 0;
                for (int i = 0; i < d; i++)
                {
                    s[i * d + e] += inputs.Key[t * d + i] * change;
                    sum += s[i * d + e] * inputs.Query[t * d + i];
                }

                output[t * d + e] = sum / MathF.Sqrt(d);
            }
        }

        return (output, s);
    }

    private static double Error(double[] expected, float[] actual)
    {
        double most = expected.Max(Math.Abs);
        return expected.Zip(actual, (x, y) => Math.Abs(x - y)).Max() / most;
    }

    private static void Check(LinearAttentionDeclaration declaration, LinearAttentionInputs inputs)
    {
        // Rounded inputs and outputs have their own error.
        double tolerance = declaration.Element switch { "Half" => 4e-3, "BFloat16" => 3e-2, _ => Tolerance };
        var expected = inputs.Expected();
        var (output, state, normalizer) = inputs.Run(s_kernels, maxThreads: 2);
        LinearAttentionInputs.Same(expected.Output, output, tolerance, $"{declaration}: element");
        LinearAttentionInputs.Same(expected.State, state, tolerance, $"{declaration}: number of the state");
        LinearAttentionInputs.Same(expected.Normalizer, normalizer, tolerance, $"{declaration}: number of the normaliser");
    }
}
