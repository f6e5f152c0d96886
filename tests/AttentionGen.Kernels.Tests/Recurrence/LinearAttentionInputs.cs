using Xunit;

namespace AttentionGen.Kernels.Tests;

/// <summary>Random inputs of a call of linear attention, with a fixed seed, and what the reference makes of them.</summary>
internal sealed class LinearAttentionInputs
{
    private readonly LinearAttentionDeclaration _declaration;
    private readonly int[] _starts; // of the items, in tokens of all of them
    private readonly int _tokens;

    /// <param name="declaration">The declaration.</param>
    /// <param name="lengths">The tokens of each item; of a batch, all the same.</param>
    /// <param name="keys">The tokens of keys, where they are not ordered; null for as many.</param>
    public LinearAttentionInputs(LinearAttentionDeclaration declaration, int[] lengths, int? keys = null, float decay = 0.5f, int seed = 1)
    {
        _declaration = declaration;
        _starts = [.. lengths.Aggregate(new List<int> { 0 }, (all, length) => [.. all, all[^1] + length])];
        _tokens = _starts[^1];
        Items = lengths.Length;
        int keyTokens = keys * Items ?? _tokens;
        Keys = keys;
        var random = new Random(seed);
        float[] Next(int length, float scale, float offset = 0) => [.. Enumerable.Range(0, length).Select(_ => offset + scale * (2 * random.NextSingle() - 1))];
        var (k, d, v) = (declaration.KeyValueHeads, declaration.HeadDim, declaration.ValueDim);
        Query = Next(_tokens * declaration.Heads * d, 1);
        Key = Next(keyTokens * k * d, 1 / MathF.Sqrt(d));
        Value = Next(keyTokens * k * v, 1);
        Decay = declaration.Decays ? Next(Length(declaration.AxesOf(declaration.DecayAxes)), decay, -decay) : [];
        float rate = declaration.FeatureMap == LinearAttentionFeatureMap.EluPlusOne ? 0.25f / d : 0.5f; // keys of this map are longer than 1, and a state would grow without end
        Beta = declaration.Corrects ? Next(Length(declaration.AxesOf(declaration.BetaAxes)), rate, rate) : [];
        State = declaration is { HasState: true, IsOrdered: true } ? Next(Items * k * d * v, 1) : [];
        Normalizer = declaration.Normalize && State.Length > 0 ? Next(Items * k * d, 0.5f, 1) : [];
    }

    public int Items { get; }

    public int? Keys { get; }

    public float[] Query { get; }

    public float[] Key { get; }

    public float[] Value { get; }

    public float[] Decay { get; }

    public float[] Beta { get; }

    public float[] State { get; }

    public float[] Normalizer { get; }

    /// <summary>Runs the kernel on copies.</summary>
    public (float[] Output, float[] State, float[] Normalizer) Run(LinearAttentionKernels kernels, int maxThreads = 1)
    {
        var output = new float[_tokens * _declaration.Heads * _declaration.ValueDim];
        output.AsSpan().Fill(float.NaN);
        float[] state = [.. State], normalizer = [.. Normalizer];
        kernels[_declaration](Query, Key, Value, Decay, Beta, state, normalizer, output, Items, _starts, maxThreads);
        return (output, state, normalizer);
    }

    /// <summary>The same by the reference in double precision.</summary>
    public (double[] Output, double[] State, double[] Normalizer) Expected()
    {
        var (h, k, d, v) = (_declaration.Heads, _declaration.KeyValueHeads, _declaration.HeadDim, _declaration.ValueDim);
        var output = new double[_tokens * h * v];
        double[] state = new double[State.Length], normalizer = new double[Normalizer.Length];
        int keyTokens = Keys * Items ?? _tokens;
        for (int item = 0; item < Items; item++)
        {
            var reference = new LinearAttentionReference(h, k, d, v) { Rule = _declaration.Rule, FeatureMap = _declaration.FeatureMap, Normalize = _declaration.Normalize, Scale = _declaration.Scale };
            for (int i = 0; i < k * d * v && State.Length > 0; i++) reference.State[i] = State[item * k * d * v + i];
            for (int i = 0; i < k * d && Normalizer.Length > 0; i++) reference.Normalizer[i] = Normalizer[item * k * d + i];
            int first = _starts[item], count = _starts[item + 1] - first, firstKey = Keys * item ?? first, keys = Keys ?? count;
            float[] Rows(float[] tensor, int tokens, int begin, int length, int heads, int dim) =>
                [.. from token in Enumerable.Range(0, length) from head in Enumerable.Range(0, heads) from i in Enumerable.Range(0, dim) select tensor[Index(begin + token, head, heads, tokens) * dim + i]];
            double[] own = reference.Attend(
                Rows(Query, _tokens, first, count, h, d), Rows(Key, keyTokens, firstKey, keys, k, d), Rows(Value, keyTokens, firstKey, keys, k, v),
                _declaration.Decays ? (token, head, i) => Decay[Offset(_declaration.AxesOf(_declaration.DecayAxes), first + token, head, i)] : null,
                _declaration.Corrects ? (token, head) => Beta[Offset(_declaration.AxesOf(_declaration.BetaAxes), first + token, head, 0)] : null);
            for (int token = 0; token < count; token++)
                for (int head = 0; head < h; head++)
                    for (int i = 0; i < v; i++) output[Index(first + token, head, h, _tokens) * v + i] = own[(token * h + head) * v + i];
            for (int i = 0; i < k * d * v && State.Length > 0; i++) state[item * k * d * v + i] = reference.State[i];
            for (int i = 0; i < k * d && Normalizer.Length > 0; i++) normalizer[item * k * d + i] = reference.Normalizer[i];
        }

        return (output, state, normalizer);
    }

    /// <summary>Compares with a tolerance relative to the largest element.</summary>
    public static void Same(double[] expected, float[] actual, double tolerance, string what)
    {
        Assert.Equal(expected.Length, actual.Length);
        double most = expected.Select(Math.Abs).DefaultIfEmpty().Max();
        for (int i = 0; i < expected.Length; i++)
            Assert.True(Math.Abs(actual[i] - expected[i]) <= tolerance * most, $"{what} {i} is {actual[i]:g9} instead of {expected[i]:g9}, the largest is {most:g9}");
    }

    /// <summary>The row of a head of a token among all rows of a tensor.</summary>
    private int Index(int token, int head, int heads, int tokens)
    {
        if (_declaration.Layout == AttentionLayout.TokenMajor) return token * heads + head;
        int item = _declaration.Batched ? tokens / Items : tokens;
        return (token / item * heads + head) * item + token % item;
    }

    private int Length(AttentionAxes axes) =>
        (axes.HasFlag(AttentionAxes.Batch) ? Items : 1) * (axes.HasFlag(AttentionAxes.Key) ? _declaration.Batched ? _tokens / Items : _tokens : 1) * (axes.HasFlag(AttentionAxes.Head) ? _declaration.KeyValueHeads : 1)
        * (axes.HasFlag(AttentionAxes.HeadDim) ? _declaration.HeadDim : 1);

    private int Offset(AttentionAxes axes, int token, int head, int element)
    {
        int tokens = _declaration.Batched ? _tokens / Items : _tokens, item = token / Math.Max(tokens, 1), own = token % Math.Max(tokens, 1), offset = 0;
        void Axis(AttentionAxes axis, int index, int length)
        {
            if (axes.HasFlag(axis)) offset = offset * length + index;
        }

        Axis(AttentionAxes.Batch, item, Items);
        if (_declaration.Layout == AttentionLayout.HeadMajor) Axis(AttentionAxes.Head, head, _declaration.KeyValueHeads);
        Axis(AttentionAxes.Key, own, tokens);
        if (_declaration.Layout == AttentionLayout.TokenMajor) Axis(AttentionAxes.Head, head, _declaration.KeyValueHeads);
        Axis(AttentionAxes.HeadDim, element, _declaration.HeadDim);
        return offset;
    }
}
