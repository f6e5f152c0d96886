using FsCheck;
using FsCheck.Fluent;

namespace AttentionGen.Kernels.Tests;

/// <summary>Calls of a few random declarations with random methods, which are compiled together; what is made smaller is compiled alone.</summary>
internal sealed class OwnCalls
{
    /// <summary>Multiply-adds of a call. The user's methods are called for each pair and head, several times.</summary>
    private const long MaxWork = 600_000;

    private const int MaxDepth = 3;

    private const Roles Statistics = Roles.MaxScore | Roles.Entropy | Roles.ArgMax;

    private readonly Kind[] _pool;
    private readonly KernelGroup _kernels;
    private readonly Dictionary<Declaration, KernelGroup> _simpler = [];

    /// <param name="seed">The same declarations for the same seed: processes of other instruction sets find them compiled.</param>
    /// <param name="kernels">How many.</param>
    public OwnCalls(ulong seed, int kernels)
    {
        _pool = [.. Kinds.Sample(kernels, new Rnd(seed), size: 100)];
        _kernels = new KernelGroup(_pool.Select(kind => kind.Declaration));
    }

    public Arbitrary<OwnCall> Arbitrary => Arb.From(
        from kind in Gen.Elements(_pool)
        from problem in RandomCalls.Problems(kind.Declaration).Where(problem => RandomCalls.Work(problem) <= MaxWork)
        from poisoned in Gen.Elements(false, false, true)
        from seed in Gen.Choose(1, 1_000_000)
        select new OwnCall(Placed(problem), kind.Mask, kind.Score, poisoned, seed),
        Simpler);

    /// <summary>The kernel of a call of the pool, or of one that came of making such a call simpler.</summary>
    public Kernel KernelOf(OwnCall call)
    {
        var declaration = call.Problem.Declaration;
        if (_pool.Any(kind => kind.Declaration == declaration)) return _kernels[declaration];
        if (!_simpler.TryGetValue(declaration, out var group)) _simpler[declaration] = group = new KernelGroup([declaration]);
        return group[declaration];
    }

    private static Gen<Kind> Kinds => Gen.Frequency((2, Any), (2, Fixed), (1, Cut));

    private static Gen<Kind> Any =>
        from mask in Gen.Frequency((5, Grammar.Masks(MaxDepth).Select(term => (Term?)term)), (1, Gen.Constant<Term?>(null)))
        from score in Gen.Frequency((mask is null ? 0 : 1, Gen.Constant<Term?>(null)), (1, Grammar.Scores(MaxDepth).Select(term => (Term?)term)))
        from core in BuiltIn
        from softCap in Gen.Frequency((4, Gen.Constant(0f)), (1, Gen.Constant(3f)))
        from beside in Gen.Frequency((3, Gen.Constant(AttentionAxes.None)), (1, Gen.Elements(AttentionAxes.Key, AttentionAxes.Query | AttentionAxes.Key)))
        from kind in Declared(core with { SoftCap = softCap, Keep = beside }, mask, score)
        select kind;

    /// <summary>Masks that become bounds, for lengths that are declared: the only ones that whole rows of scores are written for.</summary>
    private static Gen<Kind> Fixed =>
        from mask in Gen.Choose(1, 2).SelectMany(Grammar.Bounds)
        from score in Gen.Frequency((7, Gen.Constant<Term?>(null)), (1, Grammar.Scores(MaxDepth).Select(term => (Term?)term)))
        from core in BuiltIn
        from lengths in Gen.OneOf(Gen.Choose(16, 64), Gen.Choose(8, 32).Select(n => 2 * n + 1)).Two()
        from square in Gen.Elements(true, false)
        from plain in Gen.Frequency((3, Gen.Constant(true)), (1, Gen.Constant(false)))
        let sized = core with { QueryLength = lengths.Item1, KeyLength = square ? lengths.Item1 : lengths.Item2 }
        from kind in Declared(sized, mask, score, plain)
        select kind;

    /// <summary>Methods beside documents, prefixes, chunks, dilation and lists.</summary>
    private static Gen<Kind> Cut =>
        from mask in Gen.Frequency((2, Grammar.Bounds(MaxDepth).Select(term => (Term?)term)), (1, Grammar.Masks(MaxDepth).Select(term => (Term?)term)), (1, Gen.Constant<Term?>(null)))
        from score in Gen.Frequency((mask is null ? 0 : 2, Gen.Constant<Term?>(null)), (1, Grammar.Scores(MaxDepth).Select(term => (Term?)term)))
        from core in BuiltIn.SelectMany(RandomCuts.Of)
        from scored in Gen.Frequency((3, Gen.Constant(core)), (1, RandomCalls.Scored(core)))
        from lengths in Gen.Frequency((3, Gen.Constant((0, 0))), (1, Gen.Choose(16, 64).Two().Select(pair => (pair.Item1, pair.Item2))))
        from kind in Declared(scored with { QueryLength = lengths.Item1, KeyLength = lengths.Item2 }, mask, score)
        select kind;

    private static Gen<Declaration> BuiltIn =>
        from headDim in Gen.Elements(4, 8, 12, 20)
        from mask in Gen.Frequency((3, Gen.Constant(AttentionMask.None)), (1, Gen.Constant(AttentionMask.Causal)))
        from left in Gen.Frequency((4, Gen.Constant(-1)), (1, Gen.Choose(0, 40)))
        select new Declaration(1, headDim) { Mask = mask, Window = (left, -1) };

    private static Gen<Kind> Declared(Declaration core, Term? mask, Term? score, bool plain = false) =>
        from declaration in RandomCalls.Declarations(OwnCall.With(core, mask, score)).Where(declaration => RandomCalls.LeastWork(declaration) <= MaxWork)
        from sums in plain ? Gen.Constant(Roles.None) : Gen.Elements(Roles.None, Roles.LogSumExp)
        from asked in plain ? Gen.Constant(Roles.None) : Gen.Elements(Roles.None, Roles.None, Roles.Scores, Statistics)
        from stage in asked == Roles.Scores ? Gen.Elements(Enum.GetValues<AttentionStage>()) : Gen.Constant(AttentionStage.Weights)
        select new Kind(declaration with { Roles = declaration.Roles | sums | asked, ScoresStage = stage }, mask, score);

    // Ints of methods are positions: what lies far behind all keys would wrap where it is multiplied.
    private static Problem Placed(Problem problem) =>
        problem with { QueryStarts = problem.QueryStarts?.Select(start => Math.Min(start, 2 * problem.Keys)).ToArray() };

    /// <summary>What may fail as well, the most wanted first: shorter methods, then fewer tokens, then a simpler declaration.</summary>
    private static IEnumerable<OwnCall> Simpler(OwnCall call)
    {
        OwnCall With(Declaration declaration, Term? mask, Term? score) =>
            call with { Problem = RandomCalls.Retarget(call.Problem, RandomCuts.Allowed(OwnCall.With(declaration, mask, score))), Mask = mask, Score = score };

        var declaration = call.Problem.Declaration;
        if (call.Mask is not null && call.Score is not null)
        {
            yield return With(declaration, call.Mask, null);
            yield return With(declaration, null, call.Score);
        }

        foreach (var problem in RandomCalls.Simpler(call.Problem)) yield return call with { Problem = problem };
        foreach (var mask in call.Mask?.Simpler() ?? []) yield return With(declaration, mask, call.Score);
        foreach (var score in call.Score?.Simpler() ?? []) yield return With(declaration, call.Mask, score);
        if (call.IsPoisoned) yield return call with { IsPoisoned = false };
        Declaration[] withLess =
        [
            declaration with { Keep = AttentionAxes.None },
            declaration with { SoftCap = 0 },
            declaration with { Roles = declaration.Roles & ~Roles.LogSumExp },
            declaration with { Roles = declaration.Roles & ~(Roles.Scores | Statistics), ScoresStage = AttentionStage.Weights },
            .. RandomCalls.Simpler(declaration),
        ];
        foreach (var less in withLess)
            if (less != declaration) yield return With(less, call.Mask, call.Score);
    }

    private sealed record Kind(Declaration Declaration, Term? Mask, Term? Score);
}
