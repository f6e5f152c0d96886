using FsCheck;
using FsCheck.Fluent;

namespace AttentionGen.Kernels.Tests;

/// <summary>
/// Calls of a few random declarations, which are compiled together. A feature of declarations is a line in <see cref="Cores"/> or in
/// <see cref="Declarations"/>, and one in <see cref="Simpler(Declaration)"/>; what it lets vary from call to call is a line in <see cref="Problems"/>, in <see cref="Retarget"/>
/// and, where it can be simpler, in <see cref="Simpler(Problem)"/>.
/// </summary>
internal sealed class RandomCalls
{
    private const Roles NormWeights = Roles.QueryNormWeight | Roles.KeyNormWeight, Statistics = Roles.MaxScore | Roles.Entropy | Roles.ArgMax;

    /// <summary>Multiply-adds of a call: the reference takes some ten milliseconds for them.</summary>
    private const long MaxWork = 10_000_000;

    /// <summary>Rows (queries times heads of a group) that take the way of few rows on some instruction sets, and a little more.</summary>
    private const int FewRows = 40;

    private readonly Declaration[] _pool;
    private readonly KernelGroup _kernels;
    private readonly Dictionary<Declaration, KernelGroup> _simpler = []; // compiled one by one: only a failure asks for them

    /// <param name="seed">The same declarations for the same seed: processes of other instruction sets find them compiled.</param>
    /// <param name="cores">Kinds of code, as the dimensions, the mask and the scale ask for them: they are what compiling costs.</param>
    /// <param name="each">Declarations of each kind.</param>
    public RandomCalls(ulong seed, int cores, int each)
    {
        _pool = [.. Cores.SelectMany(core => Declarations(core).ArrayOf(each)).Sample(cores, new Rnd(seed), size: 100).SelectMany(pool => pool).Distinct()];
        _kernels = new KernelGroup(_pool);
    }

    public Arbitrary<RandomCall> Arbitrary => Arb.From(
        from problem in Gen.Elements(_pool).SelectMany(Problems).Where(problem => Work(problem) <= MaxWork)
        let isScored = problem.Declaration.IsScored
        from filling in isScored || problem.Declaration.PairScore != AttentionScore.Dot || problem.Declaration.ValueFromKey /* large keys are large values */ || problem.Declaration.Rotary != AttentionRotary.None /* a rotation rounds what would be sums of integers */ ? Gen.Constant(Filling.Normal) : Gen.Frequency((3, Gen.Constant(Filling.Normal)), (1, Gen.Constant(Filling.Constant)), (2, Gen.Constant(Filling.Large)))
        from poison in Gen.Frequency((2, Gen.Constant<Poison?>(null)), (1, Poisons.Where(poison => !isScored || !poison!.IsSeen)))
        from seed in Gen.Choose(1, 1_000_000)
        select new RandomCall(problem, filling, poison, seed),
        Simpler);

    /// <summary>The kernel of a call of the pool, or of one that came of making such a call simpler.</summary>
    public Kernel KernelOf(RandomCall call)
    {
        var declaration = call.Problem.Declaration;
        if (_pool.Contains(declaration)) return _kernels[declaration];
        if (!_simpler.TryGetValue(declaration, out var group)) _simpler[declaration] = group = new KernelGroup([declaration]);
        return group[declaration];
    }

    /// <summary>What code is written for.</summary>
    private static Gen<Declaration> Cores =>
        from headDim in Dims
        from valueDim in Gen.OneOf(Gen.Constant(headDim), Dims)
        from mask in Gen.Elements(Enum.GetValues<AttentionMask>())
        from window in Gen.Frequency((1, Gen.Constant((-1, -1))), (1, Windows(mask)))
        from scale in Gen.OneOf(Gen.Constant(0.0), Gen.Elements(0.1, 0.5, -0.8)) // relative to the default one
        from norm in Gen.Frequency((5, Gen.Constant(AttentionNorm.None)), (1, Gen.Elements(AttentionNorm.Rms, AttentionNorm.L2)))
        from weights in norm == AttentionNorm.None ? Gen.Constant(Roles.None) : Gen.Elements(Roles.None, Roles.QueryNormWeight, Roles.KeyNormWeight, Roles.QueryNormWeight | Roles.KeyNormWeight)
        from rotary in headDim < 2 ? Gen.Constant(AttentionRotary.None) : Gen.Frequency((4, Gen.Constant(AttentionRotary.None)), (1, Gen.Elements(AttentionRotary.Halves, AttentionRotary.Interleaved)))
        from rotated in rotary == AttentionRotary.None ? Gen.Constant((0, 0)) : Rotated(headDim)
        from asked in Gen.Frequency((6, Gen.Constant(Roles.None)), (1, Gen.Constant(Roles.Scores)), (1, Gen.Constant(Statistics)))
        from stage in asked == Roles.Scores ? Gen.Elements(Enum.GetValues<AttentionStage>()) : Gen.Constant(AttentionStage.Weights)
        let plain = new Declaration(1, headDim)
        {
            ValueDim = valueDim, Mask = mask, Window = window, Scale = (float)Math.Round(scale / Math.Sqrt(headDim), 4), Norm = norm, Rotary = rotary, Rotated = rotated, ScoresStage = stage, Roles = weights | asked,
        }
        from cut in Gen.Frequency((2, Gen.Constant(plain)), (1, RandomCuts.Of(plain)))
        from scored in Gen.Frequency((3, Gen.Constant(cut)), (1, Scored(cut)))
        from storage in Gen.Frequency((3, Gen.Constant(Storage.Wide)), (1, Gen.Constant(Storage.Half)), (1, Gen.Constant(Storage.BFloat16)))
        from narrow in storage == Storage.Wide ? Gen.Constant((false, false)) : Gen.Elements((false, false), (true, true), (true, false), (false, true))
        from pair in scored.Norm == AttentionNorm.None && scored.Rotary == AttentionRotary.None ? Gen.Frequency((6, Gen.Constant(AttentionScore.Dot)), (1, Gen.Constant(AttentionScore.General)), (1, Gen.Constant(AttentionScore.Additive))) : Gen.Constant(AttentionScore.Dot)
        from keyDim in pair == AttentionScore.General ? Gen.OneOf(Gen.Constant(0), Dims) : Gen.Constant(0)
        let paired = scored with { PairScore = pair, GivenKeyDim = keyDim, Scale = pair == AttentionScore.Dot ? scored.Scale : scored.Scale == 0 ? 0 : scored.Scale < 0 ? -0.8f : 0.5f }
        from shared in paired.ValueDim <= paired.KeyDim && scored.Norm == AttentionNorm.None && (scored.Rotary == AttentionRotary.None || scored.Rotated.Start >= scored.ValueDim) ? Gen.Frequency((5, Gen.Constant(false)), (1, Gen.Constant(true))) : Gen.Constant(false)
        from isHard in Gen.Frequency((5, Gen.Constant(false)), (1, Gen.Constant(true)))
        select (isHard ? paired.Hard : paired) with { ValueFromKey = shared, Storage = storage, Narrow = narrow, Window = scored.Mask == AttentionMask.Causal ? (scored.Window.Left, -1) : scored.Window };

    /// <summary>The rotated elements of a head: all of them where that is an even number, or some.</summary>
    private static Gen<(int, int)> Rotated(int headDim) =>
        from some in headDim % 2 == 0 ? Gen.Elements(false, true) : Gen.Constant(true)
        from start in Gen.Choose(0, headDim - 2)
        from pairs in Gen.Choose(1, (headDim - start) / 2)
        select some ? (2 * pairs, start) : (0, 0);

    /// <summary>What is done to scores, each step in one of three, and the log-sum-exp.</summary>
    internal static Gen<Declaration> Scored(Declaration declaration) =>
        from kinds in Gen.Choose(0, 2).ArrayOf(8)
        from axes in Gen.Choose(0, 7).Two()
        from buckets in Gen.Elements((32, 0, true), (9, 21, false), (4, 0, true))
        select declaration with
        {
            SoftCap = kinds[0] == 0 ? 3 : 0, Alibi = kinds[1] == 0, Bias = kinds[2] == 0 ? Axes(axes.Item1) : 0, Keep = kinds[3] == 0 ? Axes(axes.Item2) : 0,
            Buckets = kinds[4] == 0 ? buckets.Item1 : 0, MaxDistance = kinds[4] == 0 ? buckets.Item2 : 0, Bidirectional = kinds[4] != 0 || buckets.Item3,
            Roles = declaration.Roles | Roles.LogSumExp | (kinds[5] == 0 ? Roles.Slopes : 0) | (kinds[6] == 0 ? Roles.Sinks : 0) | (kinds[7] == 0 ? Roles.Scales : 0),
        };

    private static AttentionAxes Axes(int beside) => AttentionAxes.Key | ((beside & 1) != 0 ? AttentionAxes.Query : 0) | ((beside & 2) != 0 ? AttentionAxes.Head : 0) | ((beside & 4) != 0 ? AttentionAxes.Batch : 0);

    /// <summary>Open or closed on either side, at least on one; the right side only where no causal mask closes it.</summary>
    private static Gen<(int, int)> Windows(AttentionMask mask)
    {
        var side = Gen.Frequency((1, Gen.Choose(0, 4)), (2, Gen.Choose(0, 40)), (1, Gen.Choose(41, 400)));
        var open = Gen.Constant(-1);
        return from sides in mask == AttentionMask.Causal ? Gen.Constant(1) : Gen.Choose(1, 3)
               from left in (sides & 1) != 0 ? side : open
               from right in (sides & 2) != 0 ? side : open
               select (left, right);
    }

    /// <summary>What a declaration says beside that. A call of few tokens must be within the limit, or none would be found.</summary>
    internal static Gen<Declaration> Declarations(Declaration core) => (
        from keyValueHeads in Gen.Choose(1, 3)
        from sharing in Gen.Elements(1, 1, 2, 3, 4)
        from batched in Gen.Elements(false, true)
        from start in core.HasPositions ? Gen.Elements(Roles.None, Roles.QueryStart, Roles.QueryStarts) : Gen.Constant(Roles.None)
        from lengths in Gen.Elements(Roles.None, Roles.KeyLengths)
        from threads in Gen.Elements(Roles.None, Roles.MaxThreads)
        from scratch in Gen.Elements(Roles.None, Roles.None, Roles.Scratch)
        from layout in Gen.Elements(Enum.GetValues<AttentionLayout>())
        from tensors in core.Storage != Storage.Wide ? Gen.Constant(false) : Gen.Frequency((2, Gen.Constant(false)), (1, Gen.Constant(true)))
        from fixedQueries in Gen.Frequency((6, Gen.Constant(0)), (1, Gen.Choose(1, 4)), (1, FixedLengths))
        from fixedKeys in Gen.Frequency((3, Gen.Constant(0)), (1, FixedLengths))
        let dense = core with
        {
            Heads = keyValueHeads * sharing, KeyValueHeads = keyValueHeads, Batched = batched, Roles = core.Roles | start | lengths | threads | scratch,
            Layout = layout, TensorSpans = tensors, QueryLength = fixedQueries != 0 ? fixedQueries : core.QueryLength, KeyLength = fixedKeys != 0 ? fixedKeys : core.KeyLength,
        }
        from strides in Gen.Frequency((1, Gen.Constant(default((int, int, int, int)))), (1, Strides(dense.Widths)))
        select RandomCuts.Allowed(dense with { Strides = dense.ValueFromKey ? strides with { Item3 = 0 } : strides }))
        .Where(declaration => LeastWork(declaration) <= MaxWork);

    /// <summary>Of the tensors that have one of their own: any, or that of a buffer whose parts query, key and value are.</summary>
    private static Gen<(int, int, int, int)> Strides((int Query, int Key, int Value, int Output) widths)
    {
        Gen<int> Stride(int width) => Gen.OneOf(
            Gen.Constant(0), Gen.Choose(width + 1, width + 40), Gen.Constant(widths.Query + widths.Key + widths.Value));
        return from query in Stride(widths.Query)
               from key in Stride(widths.Key)
               from value in Stride(widths.Value)
               from output in Gen.OneOf(Gen.Constant(0), Gen.Choose(widths.Output + 1, widths.Output + 40))
               select (query, key, value, output);
    }

    internal static Gen<Problem> Problems(Declaration declaration) =>
        from queries in declaration.QueryLength != 0 ? Gen.Constant(declaration.QueryLength) : Gen.Frequency((2, Lengths), (1, FewQueries(declaration)))
        from keys in declaration.KeyLength != 0
            ? Gen.Constant(declaration.KeyLength)
            : Gen.Frequency((5, Gen.Constant(queries)), (10, Lengths), (queries * declaration.Group <= FewRows ? 8 : 1, LongLengths))
        from batch in declaration.Batched ? Gen.Choose(1, 3) : Gen.Constant(1)
        from starts in Gen.OneOf(Gen.Elements(0, 1, keys, Math.Max(0, keys - queries), int.MaxValue), Gen.Choose(0, 2 * keys)).ArrayOf(batch)
        from lengths in Gen.OneOf(Gen.Elements(0, Math.Min(1, keys), keys), Gen.Choose(0, keys)).ArrayOf(batch)
        from threads in Gen.Choose(1, 3)
        from cuts in Gen.Choose(0, int.MaxValue - 1)
        let isNear = declaration.Rotary != AttentionRotary.None || declaration.Alibi || declaration.Has(Roles.Slopes) // a table has so many positions; far distances take all bits of a score
        let all = new Problem(declaration, queries, keys) { Batch = batch, QueryStarts = isNear ? [.. starts.Select(start => Math.Min(start, 2 * keys))] : starts, KeyLengths = lengths, MaxThreads = threads }
        select RandomCuts.With(Retarget(all, declaration), cuts);

    private static Gen<Poison?> Poisons =>
        from value in Gen.Elements(float.NaN, -float.NaN, float.PositiveInfinity, float.NegativeInfinity)
        from isSeen in Gen.Elements(false, true)
        select new Poison(value, isSeen);

    /// <summary>Around the widths of vectors and the lengths of chains, and any.</summary>
    private static Gen<int> Dims =>
        Gen.Frequency((2, Gen.Elements(Around(4, 8, 16, 32, 64, 128))), (1, Gen.Elements(1, 2, 20, 24, 40, 48, 80, 96, 130)), (1, Gen.Choose(1, 130)));

    /// <summary>Around the edges of tiles, panels and blocks of queries, and any.</summary>
    private static Gen<int> Lengths =>
        Gen.Frequency((3, Gen.Elements(Around(4, 6, 8, 12, 16, 32, 64, 96, 128))), (1, Gen.Choose(0, 3)), (2, Gen.Choose(0, 40)), (1, Gen.Choose(0, 150)));

    private static Gen<int> FewQueries(Declaration declaration) => Gen.Choose(1, Math.Max(FewRows / declaration.Group, 1));

    private static Gen<int> FixedLengths => Gen.Frequency((4, Gen.Choose(1, 70)), (1, Gen.Choose(71, 300)));

    /// <summary>Around the edges of blocks of keys, or of the chunks of few rows.</summary>
    private static Gen<int> LongLengths => Gen.Elements(Around(256, 384, 512, 768, 1024, 1152));

    private static int[] Around(params int[] edges) => [.. edges.SelectMany(edge => new[] { edge - 1, edge, edge + 1 })];

    /// <summary>Of a call of few tokens.</summary>
    internal static long LeastWork(Declaration declaration) =>
        Work(new Problem(declaration, Math.Max(declaration.QueryLength, 20), Math.Max(declaration.KeyLength, 20)));

    internal static long Work(Problem problem) =>
        (long)problem.Batch * problem.Queries * problem.Keys * problem.Declaration.Heads * (problem.Declaration.HeadDim + problem.Declaration.ValueDim);

    /// <summary>The same call of another declaration, as far as that can say it.</summary>
    internal static Problem Retarget(Problem problem, Declaration declaration)
    {
        int batch = declaration.Batched ? problem.Batch : 1;
        int[] starts = [.. Enumerable.Range(0, declaration.Has(Roles.QueryStarts) ? batch : 1).Select(b => Math.Max(0, problem.Start(b)))];
        int[] lengths = problem.KeyLengths ?? [.. Enumerable.Repeat(problem.Keys, batch)];
        return RandomCuts.Fitted(problem with
        {
            Declaration = declaration,
            Batch = batch,
            QueryStarts = declaration.Has(Roles.QueryStart) || declaration.Has(Roles.QueryStarts) ? starts : null,
            KeyLengths = declaration.Has(Roles.KeyLengths) ? lengths : null,
            MaxThreads = declaration.Has(Roles.MaxThreads) ? problem.MaxThreads : 1,
        }, problem);
    }

    /// <summary>What may fail as well, the most wanted first: fewer tokens, then plainer inputs, then a simpler declaration.</summary>
    private static IEnumerable<RandomCall> Simpler(RandomCall call)
    {
        foreach (var problem in Simpler(call.Problem)) yield return call with { Problem = problem };
        if (call.Poison is not null) yield return call with { Poison = null };
        if (call.Filling != Filling.Normal) yield return call with { Filling = Filling.Normal };
        foreach (var declaration in Simpler(call.Problem.Declaration)) yield return call with { Problem = Retarget(call.Problem, declaration) };
    }

    /// <summary>Declarations with a feature less, or with fewer elements; the first without all that only says where the tensors lie.</summary>
    internal static IEnumerable<Declaration> Simpler(Declaration declaration)
    {
        var plain = declaration with { Layout = AttentionLayout.TokenMajor, Strides = default, TensorSpans = false, QueryLength = 0, KeyLength = 0 };
        Declaration[] withLess =
        [
            plain,
            declaration with { QueryLength = 0 },
            declaration with { KeyLength = 0 },
            declaration with { TensorSpans = false },
            declaration with { Strides = default },
            declaration with { Strides = declaration.Strides with { Query = 0 } },
            declaration with { Strides = declaration.Strides with { Key = 0 } },
            declaration with { Strides = declaration.Strides with { Value = 0 } },
            declaration with { Strides = declaration.Strides with { Output = 0 } },
            declaration with { Layout = AttentionLayout.TokenMajor },
            declaration with { Batched = false },
            .. from role in new[]
               {
                   Roles.QueryStart, Roles.QueryStarts, Roles.KeyLengths, Roles.Scratch, Roles.DocumentStarts | Roles.KeyDocumentStarts, Roles.KeyDocumentStarts, Roles.PrefixLength | Roles.PrefixLengths,
                   Roles.Slopes, Roles.Sinks, Roles.Scales, Roles.LogSumExp,
               }
               select declaration with { Roles = declaration.Roles & ~role },
            declaration with { Blocks = default },
            declaration with { Selection = AttentionSelection.Softmax },
            declaration with { SoftCap = 0 },
            declaration with { Alibi = false },
            declaration with { Buckets = 0, MaxDistance = 0, Bidirectional = true },
            declaration with { Bias = 0 },
            declaration with { Keep = 0 },
            declaration with { ValueFromKey = false },
            declaration with { PairScore = AttentionScore.Dot, GivenKeyDim = 0 },
            declaration with { GivenKeyDim = 0 },
            declaration with { Norm = AttentionNorm.None, Roles = declaration.Roles & ~NormWeights },
            declaration with { Roles = declaration.Roles & ~NormWeights },
            declaration with { Rotary = AttentionRotary.None, Rotated = default },
            declaration with { Rotated = default },
            declaration with { ScoresStage = AttentionStage.Weights, Roles = declaration.Roles & ~(Roles.Scores | Statistics) },
            declaration with { Storage = Storage.Wide, Narrow = default },
            declaration with { Narrow = default },
            declaration with { Scale = 0 },
            declaration with { Window = (-1, -1) },
            declaration with { PrefixLength = 0, ChunkLength = 0, Dilation = 1 },
            declaration with { PrefixLength = 0 },
            declaration with { FirstKeys = 0 },
            declaration with { ChunkLength = 0 },
            declaration with { Dilation = 1 },
            declaration with { Window = declaration.Window with { Left = -1 } },
            declaration with { Window = declaration.Window with { Right = -1 } },
            declaration with { Mask = AttentionMask.None, PrefixLength = 0 },
            declaration with { Heads = declaration.KeyValueHeads },
            declaration with { Heads = declaration.Group, KeyValueHeads = 1 },
            declaration with { ValueDim = declaration.HeadDim },
            .. from dim in Less(declaration.HeadDim)
               where dim > 0
               select declaration with { HeadDim = dim, ValueDim = declaration.ValueDim == declaration.HeadDim ? dim : declaration.ValueDim },
            .. from dim in Less(declaration.ValueDim) where dim > 0 && declaration.ValueDim != declaration.HeadDim select declaration with { ValueDim = dim },
        ];
        return withLess.Where(less => !less.ValueFromKey || (less.ValueDim <= less.KeyDim && (less.Rotary == AttentionRotary.None || less.Rotated.Start >= less.ValueDim))).Select(less => less.Selection == AttentionSelection.Hard ? less.Hard : less).Select(WithRoom).Select(RandomCuts.Allowed).Where(less => less != declaration).Distinct();
    }

    /// <summary>Strides that are as wide as the tokens have become.</summary>
    private static Declaration WithRoom(Declaration declaration)
    {
        var (strides, widths) = (declaration.Strides, declaration.Widths);
        static int Stride(int stride, int width) => stride == 0 ? 0 : Math.Max(stride, width);
        return declaration with
        {
            Strides = (
                Stride(strides.Query, widths.Query), Stride(strides.Key, widths.Key),
                Stride(strides.Value, widths.Value), Stride(strides.Output, widths.Output)),
        };
    }

    internal static IEnumerable<Problem> Simpler(Problem problem)
    {
        for (int b = 0; b < problem.Batch && problem.Batch > 1; b++)
            yield return RandomCuts.Fitted(problem with { Batch = 1, QueryStarts = Item(problem.QueryStarts, b), KeyLengths = Item(problem.KeyLengths, b), PrefixLengths = Item(problem.PrefixLengths, b) }, problem);
        foreach (int queries in Less(problem.Declaration.QueryLength == 0 ? problem.Queries : 0)) yield return RandomCuts.Fitted(problem with { Queries = queries }, problem);
        foreach (int keys in Less(problem.Declaration.KeyLength == 0 ? problem.Keys : 0)) yield return RandomCuts.Fitted(problem with { Keys = keys }, problem);
        foreach (var less in RandomCuts.Simpler(problem)) yield return less;
        foreach (int[] starts in LessEach(problem.QueryStarts)) yield return problem with { QueryStarts = starts };
        foreach (int[] lengths in LessEach(problem.KeyLengths)) yield return problem with { KeyLengths = lengths };
        foreach (int[] prefixes in LessEach(problem.PrefixLengths)) yield return problem with { PrefixLengths = prefixes };
        if (problem.MaxThreads > 1) yield return problem with { MaxThreads = 1 };
    }

    private static int[]? Item(int[]? values, int b) => values is { Length: > 1 } ? [values[b]] : values;

    private static IEnumerable<int[]> LessEach(int[]? values) =>
        values is null ? []
            : from i in Enumerable.Range(0, values.Length)
              from less in Less(values[i])
              select (int[])[.. values[..i], less, .. values[(i + 1)..]];

    /// <summary>0, and then ever closer to the number.</summary>
    private static IEnumerable<int> Less(int number)
    {
        for (int off = number; off > 0; off /= 2) yield return number - off;
    }
}
