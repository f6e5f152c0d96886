namespace AttentionGen.Kernels.Tests;

/// <summary>The tensors of a call, filled from a seed: queries and keys normally distributed, values uniform in [-1, 1].</summary>
public sealed class Inputs
{
    private readonly Random _random;
    private int _runs;

    private readonly float[]? _normals;

    /// <summary>Keys and values as integers: rounded once, since integers times their scale would be others if they were rounded again.</summary>
    private (Rows<sbyte> Keys, Rows<sbyte> Values)? _integers;

    /// <param name="normals">Normally distributed numbers, to take runs of instead of drawing each: where very many calls are made.</param>
    public Inputs(Problem problem, int seed = 1, float[]? normals = null)
    {
        Problem = problem;
        _normals = normals;
        _random = new Random(seed);
        Query = Normal(problem.QueryLength);
        Key = Normal(problem.KeyLength);
        Value = new float[problem.ValueLength];
        for (int i = 0; i < Value.Length; i++) Value[i] = 2 * _random.NextSingle() - 1;

        var declaration = problem.Declaration;
        Bias = new float[problem.Length(declaration.Bias)];
        for (int i = 0; i < Bias.Length; i++) Bias[i] = _random.Next(8) == 0 ? float.NegativeInfinity : 2 * Normal();
        Keep = new bool[problem.Length(declaration.Keep)];
        for (int i = 0; i < Keep.Length; i++) Keep[i] = _random.Next(3) > 0;
        Slopes = declaration.Has(Roles.Slopes) ? Normal(declaration.Heads) : [];
        for (int i = 0; i < Slopes.Length; i++) Slopes[i] *= 0.1f;
        Sinks = declaration.Has(Roles.Sinks) ? Normal(declaration.Heads) : [];
        RelativeBias = Normal(declaration.Buckets * declaration.Heads);
        Scales = declaration.Has(Roles.Scales) ? Normal(declaration.Heads) : [];
        for (int i = 0; i < Scales.Length; i++) Scales[i] *= i == 1 ? 0 : declaration.Factor; // of either sign, and 0
        QueryNormWeight = declaration.Has(Roles.QueryNormWeight) ? [.. Normal(declaration.HeadDim).Select(x => 1 + x / 2)] : [];
        KeyNormWeight = declaration.Has(Roles.KeyNormWeight) ? [.. Normal(declaration.HeadDim).Select(x => 1 + x / 2)] : [];
        if (declaration.Rotary != AttentionRotary.None) Rotary = RotaryTables.For(problem);
        ScoreVector = declaration.PairScore == AttentionScore.Additive ? [.. Normal(declaration.Heads * declaration.HeadDim).Select(x => 2 * x / MathF.Sqrt(declaration.HeadDim))] : [];
        QueryKeyWeight = declaration.PairScore == AttentionScore.General
            ? [.. Normal(declaration.Heads * declaration.HeadDim * declaration.KeyDim).Select(x => x / MathF.Sqrt(declaration.HeadDim * declaration.KeyDim))] : [];
        Round();
    }

    /// <summary>The same tensors in another call of the same lengths.</summary>
    public Inputs(Inputs inputs, Problem problem)
    {
        (Problem, Query, Key, Value) = (problem, inputs.Query, inputs.Key, inputs.Value);
        (Bias, Keep, Slopes, Sinks, RelativeBias, Scales) = (inputs.Bias, inputs.Keep, inputs.Slopes, inputs.Sinks, inputs.RelativeBias, inputs.Scales);
        (QueryNormWeight, KeyNormWeight, ScoreVector, QueryKeyWeight) = (inputs.QueryNormWeight, inputs.KeyNormWeight, inputs.ScoreVector, inputs.QueryKeyWeight);
        _integers = inputs._integers;
        if (problem.Declaration.Rotary != AttentionRotary.None) Rotary = RotaryTables.For(problem);
        _random = inputs._random;
    }

    public Problem Problem { get; }

    /// <summary>Rounds what the kernel gets with fewer bits, so that all that is computed from the inputs is computed from the same numbers.</summary>
    public void Round()
    {
        var declaration = Problem.Declaration;
        if (declaration.Storage == Storage.SByte)
        {
            var (keys, values) = (Stored.Round<sbyte>(Key, declaration.KeyDim), Stored.Round<sbyte>(Value, declaration.ValueDim));
            _integers = (keys, values);
            keys.Floats.CopyTo(Key, 0);
            values.Floats.CopyTo(Value, 0);
            if (declaration.ValueFromKey) TakeValues();
            return;
        }

        declaration.Storage.Round(Key);
        declaration.Storage.Round(Value);
        if (declaration.ValueFromKey) TakeValues();
        if (declaration.Narrow.Query) declaration.Storage.Round(Query);
    }

    /// <summary>Values that are parts of keys.</summary>
    private void TakeValues()
    {
        int keyDim = Problem.Declaration.KeyDim, valueDim = Problem.Declaration.ValueDim;
        for (int row = 0; row < Key.Length / keyDim; row++) Key.AsSpan(row * keyDim, valueDim).CopyTo(Value.AsSpan(row * valueDim));
    }

    /// <summary>The keys as a cache stores them.</summary>
    internal Rows<T> KeyRows<T>()
        where T : unmanaged => _integers is var (keys, _) ? (Rows<T>)(object)keys : Stored.Round<T>(Key, Problem.Declaration.KeyDim);

    /// <summary>The values as a cache stores them.</summary>
    internal Rows<T> ValueRows<T>()
        where T : unmanaged => _integers is var (_, values) ? (Rows<T>)(object)values : Stored.Round<T>(Value, Problem.Declaration.ValueDim);

    public float[] Query { get; private init; }

    public float[] Key { get; }

    public float[] Value { get; }

    /// <summary>Normally distributed, every eighth -infinity; empty where the kernel takes none.</summary>
    public float[] Bias { get; }

    /// <summary>Two of three are kept; empty where the kernel takes none.</summary>
    public bool[] Keep { get; }

    public float[] Slopes { get; }

    public float[] Sinks { get; }

    /// <summary>[buckets, heads]; empty where the kernel takes none.</summary>
    public float[] RelativeBias { get; }

    public float[] Scales { get; }

    /// <summary>The factor of the scores of a head.</summary>
    public float Factor(int head) => Scales.Length > 0 ? Scales[head] : Problem.Declaration.Factor;

    public float[] QueryNormWeight { get; }

    public float[] KeyNormWeight { get; }

    /// <summary>[heads, headDim]; empty where scores are not additive.</summary>
    public float[] ScoreVector { get; }

    /// <summary>[heads, headDim, keyDim]; empty where scores are not general.</summary>
    public float[] QueryKeyWeight { get; }

    /// <summary>The table of the positions of the call; null where the kernel takes none.</summary>
    public RotaryTable? Rotary { get; }

    /// <summary>What the last run gave beside its output.</summary>
    public float[] LogSumExp { get; private set; } = [];

    public float[] Scores { get; private set; } = [];

    public float[] MaxScore { get; private set; } = [];

    public float[] Entropy { get; private set; } = [];

    public int[] ArgMax { get; private set; } = [];

    public AttentionOperands Operands(
        Span<double> logSumExp = default, Span<double> scores = default, Span<double> maxScore = default, Span<double> entropy = default, Span<int> argmax = default) =>
        new()
        {
            Bias = Bias, Keep = Keep, Slopes = Slopes, Sinks = Sinks, RelativeBias = RelativeBias, Scales = Scales, QueryNormWeight = QueryNormWeight, KeyNormWeight = KeyNormWeight, Rotary = Rotary, ScoreVector = ScoreVector, QueryKeyWeight = QueryKeyWeight,
            PrefixLengths = Problem.PrefixLengths, DocumentStarts = Problem.DocumentStarts, KeyDocumentStarts = Problem.KeyDocumentStarts,
            KeyBlockStarts = Problem.Lists?.Starts, KeyBlocks = Problem.Lists?.Blocks,
            LogSumExp = logSumExp, Scores = scores, MaxScore = maxScore, Entropy = entropy, ArgMax = argmax,
        };

    /// <summary>What becomes of a scaled product, in single precision; -infinity for a hidden key.</summary>
    public float Score(float product, int batch, int query, int head, int key)
    {
        var declaration = Problem.Declaration;
        float score = product;
        if (declaration.SoftCap != 0) score = declaration.SoftCap * MathF.Tanh(score / declaration.SoftCap);
        long position = Problem.Position(batch, query);
        var (item, _, firstKey, _) = Problem.Item(batch, query);
        if (!Problem.Sees(batch, head, query, key)) return float.NegativeInfinity;
        if (declaration.ScoreText.Length > 0) score = Own.Of(declaration).Score(score, (int)position, key - firstKey, head, item);
        if (declaration.Bias != 0)
        {
            float bias = Bias[Problem.Index(declaration.Bias, batch, head, query, key)];
            score = float.IsNegativeInfinity(bias) ? bias : score + bias;
        }

        if (declaration.Alibi || declaration.Has(Roles.Slopes)) score -= Slope(head) * Math.Abs((float)(position - (key - firstKey)));
        if (declaration.Buckets != 0) score += RelativeBias[Bucket(key - firstKey - position) * declaration.Heads + head];
        if (declaration.Keep != 0 && !Keep[Problem.Index(declaration.Keep, batch, head, query, key)]) score = float.NegativeInfinity;
        if (declaration.MaskText.Length > 0 && !Own.Of(declaration).Visible((int)position, key - firstKey, head, item)) score = float.NegativeInfinity;
        return score;
    }

    /// <summary>The largest magnitude that <see cref="Score"/> meets for a pair: what its rounding errors are parts of.</summary>
    /// <param name="size">That of the scaled product.</param>
    public double SizeOfScore(double size, float product, int batch, int query, int head, int key)
    {
        var declaration = Problem.Declaration;
        float score = declaration.SoftCap != 0 ? declaration.SoftCap * MathF.Tanh(product / declaration.SoftCap) : product;
        long position = Problem.Position(batch, query);
        var (item, _, firstKey, _) = Problem.Item(batch, query);
        if (!Problem.Sees(batch, head, query, key)) return size;
        if (declaration.ScoreText.Length > 0) size = Math.Max(size, Traced.Largest(Own.Of(declaration).Traced, score, (int)position, key - firstKey, head, item));
        if (declaration.Bias != 0 && Bias[Problem.Index(declaration.Bias, batch, head, query, key)] is var bias && float.IsFinite(bias)) size += Math.Abs((double)bias);
        if (declaration.Alibi || declaration.Has(Roles.Slopes)) size += Math.Abs(Slope(head) * (double)(position - (key - firstKey)));
        if (declaration.Buckets != 0) size += Math.Abs((double)RelativeBias[Bucket(key - firstKey - position) * declaration.Heads + head]);
        return size;
    }

    /// <summary>The bucket of a distance, as T5's own code has it.</summary>
    private int Bucket(long relative)
    {
        var declaration = Problem.Declaration;
        int buckets = declaration.Buckets, bucket = 0;
        if (declaration.Bidirectional)
        {
            buckets /= 2;
            if (relative > 0) bucket += buckets;
            relative = Math.Abs(relative);
        }
        else
        {
            relative = -Math.Min(relative, 0);
        }

        int exact = buckets / 2, maxDistance = declaration.MaxDistance == 0 ? 128 : declaration.MaxDistance;
        if (relative < exact) return bucket + (int)relative;
        float large = MathF.Log((float)relative / exact) / (float)Math.Log((double)maxDistance / exact) * (buckets - exact);
        return bucket + Math.Min(exact + (int)large, buckets - 1);
    }

    private float Slope(int head)
    {
        if (Slopes.Length > 0) return Slopes[head];
        int heads = Problem.Declaration.Heads, n = 1;
        while (2 * n <= heads) n *= 2;
        return MathF.Pow(2, head < n ? -8f * (head + 1) / n : -4f * (2 * (head - n) + 1) / n);
    }

    /// <summary>The next number of the standard normal distribution.</summary>
    public float Normal() => (float)(Math.Sqrt(-2 * Math.Log(1 - _random.NextDouble())) * Math.Cos(2 * Math.PI * _random.NextDouble()));

    public Span<float> QueryRow(int batch, int query, int head) =>
        Query.AsSpan(((batch * Problem.Queries + query) * Problem.Declaration.Heads + head) * Problem.Declaration.HeadDim, Problem.Declaration.HeadDim);

    public Span<float> KeyRow(int batch, int key, int head) =>
        Key.AsSpan(((batch * Problem.Keys + key) * Problem.Declaration.KeyValueHeads + head) * Problem.Declaration.KeyDim, Problem.Declaration.KeyDim);

    public Span<float> ValueRow(int batch, int key, int head) =>
        Value.AsSpan(((batch * Problem.Keys + key) * Problem.Declaration.KeyValueHeads + head) * Problem.Declaration.ValueDim, Problem.Declaration.ValueDim);

    public Memory<float> ValueMemory(int batch, int key, int head) =>
        Value.AsMemory(((batch * Problem.Keys + key) * Problem.Declaration.KeyValueHeads + head) * Problem.Declaration.ValueDim, Problem.Declaration.ValueDim);

    /// <summary>The last queries, and all keys and values.</summary>
    public Inputs LastQueries(int count)
    {
        if (Problem.Batch > 1 || Problem.QueryStarts is not null) throw new NotSupportedException($"{Problem} is not cut into pieces.");
        return new Inputs(this, Problem with { Queries = count }) { Query = Query[(Query.Length / Problem.Queries * (Problem.Queries - count))..] };
    }

    /// <summary>The result of a kernel. What it does not write stays NaN.</summary>
    public float[] Run(KernelGroup group) => Run(group[Problem.Declaration]);

    public float[] Run(Kernel kernel)
    {
        float[] output = new float[Problem.OutputLength];
        output.AsSpan().Fill(float.NaN);
        Run(kernel, output);
        return output;
    }

    /// <summary>The result of calls of a few queries each; under a causal mask with the keys up to the last of them, so that they stand where they did.</summary>
    public float[] RunInPieces(Kernel kernel, int queries)
    {
        if (!kernel.Declaration.IsPlain || Problem.Batch > 1 || Problem.QueryStarts is not null) throw new NotSupportedException($"{Problem} is not cut into pieces.");
        float[] output = new float[Problem.OutputLength];
        output.AsSpan().Fill(float.NaN);
        int query = Query.Length / Problem.Queries, key = Key.Length / Problem.Keys, value = Value.Length / Problem.Keys, row = output.Length / Problem.Queries;
        for (int first = 0; first < Problem.Queries; first += queries)
        {
            int end = Math.Min(first + queries, Problem.Queries), keys = Problem.Visible(0, end - 1).End;
            kernel.Body(new KernelArguments
            {
                Query = Query.AsSpan(first * query, (end - first) * query), Key = Key.AsSpan(0, keys * key), Value = Value.AsSpan(0, keys * value),
                Output = output.AsSpan(first * row, (end - first) * row), MaxThreads = Problem.MaxThreads,
            });
        }

        return output;
    }

    /// <summary>
    /// Runs a kernel on the tensors as it is declared to find them; what lies between tokens is NaN in the inputs and is not written in the output. All spans lie between protected pages.
    /// </summary>
    public void Run(Kernel kernel, Span<float> output, Span<byte> scratch = default) => Run(kernel, output, scratch, (in KernelArguments arguments) => GuardedCall.Run(kernel, Problem, arguments, Coins()));

    /// <summary>The same in several places: at either edge of protected pages, and away from them.</summary>
    public float[] RunEverywhere(Kernel kernel, Span<byte> scratch = default)
    {
        float[] output = new float[Problem.OutputLength];
        output.AsSpan().Fill(float.NaN);
        Run(kernel, output, scratch, (in KernelArguments arguments) => GuardedCall.RunEverywhere(kernel, Problem, arguments, Coins()));
        return output;
    }

    /// <summary>Runs a kernel whose tensors lie in memory as they do here, and allocates nothing.</summary>
    public void RunInPlace(Kernel kernel, Span<float> output)
    {
        if (!kernel.Declaration.IsPlain) throw new NotSupportedException($"{Problem} lies elsewhere.");
        kernel.Body(Arguments(Query, Key, Value, output));
    }

    private void Run(Kernel kernel, Span<float> output, Span<byte> scratch, KernelBody body)
    {
        if (kernel.Declaration.IsPlain)
        {
            Run(Arguments(Query, Key, Value, output, scratch), body);
            ResultHashes.Add(this, output);
            return;
        }

        const float Gap = 123.5f; // in any type
        var place = Problem.OutputPlace;
        float[] placed = new float[place.Length];
        placed.AsSpan().Fill(Gap);
        place.Scatter(output, placed);
        Run(Arguments(Placed(Problem.QueryPlace, Query), Placed(Problem.KeyPlace, Key), Placed(Problem.ValuePlace, Value), placed, scratch), body);
        place.Gather(placed).CopyTo(output);
        if (place.Gaps(placed).Any(x => x != Gap)) throw new InvalidOperationException($"{Problem}: elements between the tokens of the output were written.");
        ResultHashes.Add(this, output);
    }

    /// <summary>Gives a kernel the tensors in the types that it is declared with.</summary>
    private void Run(in KernelArguments arguments, KernelBody body)
    {
        var (storage, narrow) = (Problem.Declaration.Storage, Problem.Declaration.Narrow);
        if (Problem.Declaration.KeysIn != KeyStore.Spans)
        {
            using var cache = FilledCache.Of(this);
            body(arguments with { Key = default, Value = default, Cache = cache.Cache, Sequences = cache.Sequences });
            return;
        }

        if (storage == Storage.Wide)
        {
            body(arguments);
            return;
        }

        byte[] output = narrow.Output ? storage.Encode(arguments.Output) : [];
        body(arguments with
        {
            Query = narrow.Query ? default : arguments.Query, NarrowQuery = narrow.Query ? storage.Encode(arguments.Query) : default,
            Key = default, NarrowKey = storage.Encode(arguments.Key), Value = default, NarrowValue = storage.Encode(arguments.Value),
            Output = narrow.Output ? default : arguments.Output, NarrowOutput = output,
        });
        if (narrow.Output) storage.Decode(output, arguments.Output);
    }

    /// <summary>Other places for each run, the same ones in each run of a test.</summary>
    private ulong Coins() => ((ulong)(uint)Problem.Queries << 40) ^ ((ulong)(uint)Problem.Keys << 20) ^ ((ulong)(uint)Problem.Declaration.HeadDim << 8) ^ (uint)_runs++;

    public KernelArguments Arguments(ReadOnlySpan<float> query, ReadOnlySpan<float> key, ReadOnlySpan<float> value, Span<float> output, Span<byte> scratch = default)
    {
        LogSumExp = Unwritten(Roles.LogSumExp, Problem.Rows);
        Scores = Unwritten(Roles.Scores, Problem.Rows * Problem.Keys);
        MaxScore = Unwritten(Roles.MaxScore, Problem.Rows);
        Entropy = Unwritten(Roles.Entropy, Problem.Rows);
        ArgMax = Problem.Declaration.Has(Roles.ArgMax) ? [.. Enumerable.Repeat(-7, Problem.Rows)] : [];
        var arguments = new KernelArguments
        {
            Query = query,
            Key = key,
            Value = value,
            Output = output,
            Batch = Problem.Batch,
            QueryStarts = Problem.QueryStarts,
            KeyLengths = Problem.KeyLengths,
            PrefixLengths = Problem.PrefixLengths,
            DocumentStarts = Problem.DocumentStarts,
            KeyDocumentStarts = Problem.KeyDocumentStarts,
            KeyBlockStarts = Problem.Lists?.Starts,
            KeyBlocks = Problem.Lists?.Blocks,
            Bias = Bias,
            Keep = Keep,
            Slopes = Slopes,
            Sinks = Sinks,
            RelativeBias = RelativeBias,
            Scales = Scales,
            Table = Own.Table,
            Segment = Own.Segment,
            LogSumExp = LogSumExp,
            Scores = Scores,
            MaxScore = MaxScore,
            Entropy = Entropy,
            ArgMax = ArgMax,
            QueryNormWeight = QueryNormWeight,
            KeyNormWeight = KeyNormWeight,
            Rotary = Rotary!,
            ScoreVector = ScoreVector,
            QueryKeyWeight = QueryKeyWeight,
            MaxThreads = Problem.MaxThreads,
            Scratch = scratch,
        };
        if (!Problem.Declaration.TensorSpans) return arguments;
        return arguments with
        {
            QueryTensor = Problem.QueryPlace.Tensor(query),
            KeyTensor = Problem.KeyPlace.Tensor(key),
            ValueTensor = Problem.ValuePlace.Tensor(value),
            OutputTensor = Problem.OutputPlace.Tensor(output),
        };
    }

    /// <summary>Memory for what a kernel is asked for beside its output.</summary>
    private float[] Unwritten(Roles role, int length)
    {
        if (!Problem.Declaration.Has(role)) return [];
        float[] memory = new float[length];
        memory.AsSpan().Fill(float.NaN);
        return memory;
    }

    /// <summary>A tensor in its place, NaN around it.</summary>
    public static float[] Placed(Placement place, float[] dense)
    {
        float[] placed = new float[place.Length];
        placed.AsSpan().Fill(float.NaN);
        place.Scatter(dense, placed);
        return placed;
    }

    private float[] Normal(int length)
    {
        float[] values = new float[length];
        if (_normals is null) for (int i = 0; i < length; i++) values[i] = Normal();
        else for (int i = 0, run; i < length; i += run) Run(run = Math.Min(length - i, _normals.Length / 2)).CopyTo(values.AsMemory(i));
        return values;

        Memory<float> Run(int count) => _normals.AsMemory(_random.Next(_normals.Length - count + 1), count);
    }
}
