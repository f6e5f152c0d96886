using FsCheck;
using FsCheck.Fluent;

namespace AttentionGen.Kernels.Tests;

/// <summary>
/// Calls of a few random declarations, which are compiled together. A feature of declarations is a line in <see cref="Declarations"/> and one
/// in <see cref="Complexity"/>; what it lets vary from call to call is a line in <see cref="Problems"/>, in <see cref="Retarget"/> and, where
/// it can be simpler, in <see cref="Simpler(Problem)"/>.
/// </summary>
internal sealed class RandomCalls
{
    /// <summary>Multiply-adds of a call: the reference takes some ten milliseconds for them.</summary>
    private const long MaxWork = 10_000_000;

    private readonly Declaration[] _pool; // the simplest first

    /// <param name="seed">The same declarations for the same seed: processes of other instruction sets find them compiled.</param>
    /// <param name="declarations">How many there are.</param>
    public RandomCalls(ulong seed, int declarations)
    {
        _pool = [.. Declarations.Sample(declarations, new Rnd(seed), size: 100).Distinct().OrderBy(Complexity)];
        Kernels = new KernelGroup(_pool);
    }

    public KernelGroup Kernels { get; }

    public Arbitrary<RandomCall> Arbitrary => Arb.From(
        from problem in Gen.Elements(_pool).SelectMany(Problems).Where(problem => Work(problem) <= MaxWork)
        from filling in Gen.Frequency((3, Gen.Constant(Filling.Normal)), (1, Gen.Constant(Filling.Constant)), (2, Gen.Constant(Filling.Large)))
        from poison in Gen.Frequency((2, Gen.Constant<Poison?>(null)), (1, Poisons))
        from seed in Gen.Choose(1, 1_000_000)
        select new RandomCall(problem, filling, poison, seed),
        Simpler);

    private static Gen<Declaration> Declarations =>
        from keyValueHeads in Gen.Choose(1, 3)
        from sharing in Gen.Elements(1, 1, 2, 3, 4)
        from headDim in Dims
        from valueDim in Gen.OneOf(Gen.Constant(headDim), Dims)
        from mask in Gen.Elements(Enum.GetValues<AttentionMask>())
        from scale in Gen.OneOf(Gen.Constant(0.0), Gen.Elements(0.1, 0.5, -0.8)) // relative to the default one
        from batched in Gen.Elements(false, true)
        from start in mask == AttentionMask.Causal ? Gen.Elements(Roles.None, Roles.QueryStart, Roles.QueryStarts) : Gen.Constant(Roles.None)
        from lengths in Gen.Elements(Roles.None, Roles.KeyLengths)
        from threads in Gen.Elements(Roles.None, Roles.MaxThreads)
        select new Declaration(keyValueHeads * sharing, headDim)
        {
            KeyValueHeads = keyValueHeads, ValueDim = valueDim, Mask = mask, Scale = (float)Math.Round(scale / Math.Sqrt(headDim), 4),
            Batched = batched, Roles = start | lengths | threads,
        };

    private static Gen<Problem> Problems(Declaration declaration) =>
        from queries in Lengths
        from keys in Gen.Frequency((5, Gen.Constant(queries)), (10, Lengths), (1, LongLengths))
        from batch in declaration.Batched ? Gen.Choose(1, 3) : Gen.Constant(1)
        from starts in Gen.OneOf(Gen.Elements(0, 1, keys, Math.Max(0, keys - queries), int.MaxValue), Gen.Choose(0, 2 * keys)).ArrayOf(batch)
        from lengths in Gen.OneOf(Gen.Elements(0, Math.Min(1, keys), keys), Gen.Choose(0, keys)).ArrayOf(batch)
        from threads in Gen.Choose(1, 3)
        let all = new Problem(declaration, queries, keys) { Batch = batch, QueryStarts = starts, KeyLengths = lengths, MaxThreads = threads }
        select Retarget(all, declaration);

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

    /// <summary>Around the edges of blocks of keys.</summary>
    private static Gen<int> LongLengths => Gen.Elements(Around(256, 384, 768));

    private static int[] Around(params int[] edges) => [.. edges.SelectMany(edge => new[] { edge - 1, edge, edge + 1 })];

    private static long Work(Problem problem) =>
        (long)problem.Batch * problem.Queries * problem.Keys * problem.Declaration.Heads * (problem.Declaration.HeadDim + problem.Declaration.ValueDim);

    /// <summary>The number of features, and then the number of elements of a token.</summary>
    private static (int, int) Complexity(Declaration declaration)
    {
        bool[] features =
        [
            declaration.KeyValueHeads != declaration.Heads, declaration.ValueDim != declaration.HeadDim, declaration.Mask != AttentionMask.None,
            declaration.Scale != 0, declaration.Batched,
            declaration.Has(Roles.QueryStart), declaration.Has(Roles.QueryStarts), declaration.Has(Roles.KeyLengths),
        ];
        return (features.Count(has => has), declaration.Heads * (declaration.HeadDim + declaration.ValueDim));
    }

    /// <summary>The same call of another declaration, as far as that can say it.</summary>
    private static Problem Retarget(Problem problem, Declaration declaration)
    {
        int batch = declaration.Batched ? problem.Batch : 1;
        int[] starts = [.. Enumerable.Range(0, declaration.Has(Roles.QueryStarts) ? batch : 1).Select(b => Math.Max(0, problem.Start(b)))];
        int[] lengths = [.. Enumerable.Range(0, batch).Select(problem.Length)];
        return problem with
        {
            Declaration = declaration,
            Batch = batch,
            QueryStarts = declaration.Has(Roles.QueryStart) || declaration.Has(Roles.QueryStarts) ? starts : null,
            KeyLengths = declaration.Has(Roles.KeyLengths) ? lengths : null,
            MaxThreads = declaration.Has(Roles.MaxThreads) ? problem.MaxThreads : 1,
        };
    }

    /// <summary>What may fail as well, the most wanted first: fewer tokens, then plainer inputs, then a simpler declaration of the pool.</summary>
    private IEnumerable<RandomCall> Simpler(RandomCall call)
    {
        foreach (var problem in Simpler(call.Problem)) yield return call with { Problem = problem };
        if (call.Poison is not null) yield return call with { Poison = null };
        if (call.Filling != Filling.Normal) yield return call with { Filling = Filling.Normal };
        foreach (var declaration in _pool.TakeWhile(declaration => declaration != call.Problem.Declaration))
            yield return call with { Problem = Retarget(call.Problem, declaration) };
    }

    private static IEnumerable<Problem> Simpler(Problem problem)
    {
        for (int b = 0; b < problem.Batch && problem.Batch > 1; b++)
            yield return problem with { Batch = 1, QueryStarts = Item(problem.QueryStarts, b), KeyLengths = Item(problem.KeyLengths, b) };
        foreach (int queries in Less(problem.Queries)) yield return problem with { Queries = queries };
        foreach (int keys in Less(problem.Keys))
            yield return problem with { Keys = keys, KeyLengths = problem.KeyLengths?.Select(length => Math.Min(length, keys)).ToArray() };
        foreach (int[] starts in LessEach(problem.QueryStarts)) yield return problem with { QueryStarts = starts };
        foreach (int[] lengths in LessEach(problem.KeyLengths)) yield return problem with { KeyLengths = lengths };
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
