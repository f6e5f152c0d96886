using FsCheck;
using FsCheck.Fluent;

namespace AttentionGen.Kernels.Tests;

/// <summary>
/// What cuts rows and keys of random calls: documents, prefixes, chunks, dilation, lists of blocks; several of them together, as far as a declaration may have them. Here also stands
/// what a declaration must not have beside something else, and how a call is brought back to what a simpler declaration can say.
/// </summary>
internal static class RandomCuts
{
    /// <summary>Any number of cuts at once; what does not go together is taken out by <see cref="Allowed"/>.</summary>
    public static Gen<Declaration> Of(Declaration declaration) =>
        from kinds in Gen.Choose(1, 63)
        from prefix in (kinds & 1) != 0 ? Gen.Choose(0, 120) : Gen.Constant(-1) // 0 for one that each call gives
        from prefixes in Gen.Elements(Roles.PrefixLength, Roles.PrefixLengths)
        from first in Gen.OneOf(Gen.Constant(0), Gen.Choose(1, 90)) // without a window there are none
        from chunk in (kinds & 2) != 0 ? Gen.OneOf(Gen.Choose(1, 40), Gen.Choose(60, 100)) : Gen.Constant(0)
        from dilation in (kinds & 4) != 0 ? Gen.Choose(2, 9) : Gen.Constant(1)
        from documents in (kinds & 8) != 0 ? Gen.Elements(Roles.DocumentStarts, Roles.DocumentStarts | Roles.KeyDocumentStarts) : Gen.Constant(Roles.None)
        from lists in (kinds & 48) == 48 ? Lists : Gen.Constant(default((int, int, AttentionAxes)))
        from mask in prefix >= 0 ? Gen.Constant(AttentionMask.Causal) : Gen.Constant(declaration.Mask)
        select declaration with
        {
            Mask = mask, FirstKeys = first, PrefixLength = Math.Max(prefix, 0), ChunkLength = chunk, Dilation = dilation, Blocks = lists, Roles = declaration.Roles | documents | (prefix == 0 ? prefixes : Roles.None),
        };

    private static Gen<(int, int, AttentionAxes)> Lists =>
        from queries in Gen.OneOf(Gen.Choose(1, 20), Gen.Elements(32, 64, 96, 130))
        from keys in Gen.Elements(32, 64, 96)
        from axes in Gen.Elements(AttentionAxes.None, AttentionAxes.Head, AttentionAxes.Batch, AttentionAxes.Batch | AttentionAxes.Head)
        select (queries, keys, axes | AttentionAxes.Query);

    /// <summary>The declaration without what it must not have beside the rest.</summary>
    public static Declaration Allowed(Declaration declaration)
    {
        if (declaration.Blocks.Keys > 0) declaration = declaration with { ChunkLength = 0, Dilation = 1, Roles = declaration.Roles & ~(Roles.DocumentStarts | Roles.KeyDocumentStarts) };
        if (declaration.Window.Left < 0) declaration = declaration with { FirstKeys = 0 };
        if (!declaration.Has(Roles.DocumentStarts)) declaration = declaration with { Roles = declaration.Roles & ~Roles.KeyDocumentStarts };
        else declaration = declaration with { Batched = false };
        if (declaration.Mask == AttentionMask.None || declaration.PrefixLength > 0) declaration = declaration with { Roles = declaration.Roles & ~(Roles.PrefixLength | Roles.PrefixLengths) };
        if (declaration.Mask == AttentionMask.None) declaration = declaration with { PrefixLength = 0 };
        if (declaration.Has(Roles.PrefixLengths)) declaration = declaration with { Roles = declaration.Roles & ~Roles.PrefixLength };
        if (declaration.Alibi) declaration = declaration with { Roles = declaration.Roles & ~Roles.Slopes };
        if (declaration.Has(Roles.Scales)) declaration = declaration with { Scale = 0 };
        declaration = AllowedRotation(declaration);
        if (!declaration.HasPositions) declaration = declaration with { Roles = declaration.Roles & ~(Roles.QueryStart | Roles.QueryStarts) };
        if (IsSquare(declaration) && declaration.QueryLength != declaration.KeyLength) declaration = declaration with { KeyLength = declaration.QueryLength };
        if (declaration.Batched) return declaration;
        const AttentionAxes Batch = AttentionAxes.Batch;
        return declaration with { Bias = declaration.Bias & ~Batch, Keep = declaration.Keep & ~Batch, Blocks = declaration.Blocks with { Axes = declaration.Blocks.Axes & ~Batch } };
    }

    /// <summary>The declaration with rotated elements that its heads have, and with a start where queries before the first key would see keys: these have no rotation.</summary>
    private static Declaration AllowedRotation(Declaration declaration)
    {
        if (declaration.Rotary == AttentionRotary.None) return declaration;
        if (declaration.RotaryDim < 2 || declaration.RotaryDim % 2 != 0 || declaration.Rotated.Start + declaration.RotaryDim > declaration.HeadDim) return declaration with { Rotary = AttentionRotary.None, Rotated = default };
        bool seesNone = declaration is { Mask: AttentionMask.Causal, PrefixLength: 0 } && !declaration.Has(Roles.PrefixLength | Roles.PrefixLengths);
        return seesNone || declaration.Has(Roles.QueryStart | Roles.QueryStarts) ? declaration : declaration with { Roles = declaration.Roles | Roles.QueryStart };
    }

    /// <summary>Whether documents have as many keys as queries.</summary>
    private static bool IsSquare(Declaration declaration) => declaration.Has(Roles.DocumentStarts) && !declaration.Has(Roles.KeyDocumentStarts);

    /// <summary>A call with documents, prefixes, lists, starts and lengths that its declaration has parameters for.</summary>
    public static Problem With(Problem problem, int seed)
    {
        var declaration = problem.Declaration;
        var random = new Random(seed);
        if (IsSquare(declaration)) problem = problem with { Keys = problem.Queries };
        if (declaration.Has(Roles.DocumentStarts))
        {
            int count = random.Next(1, 6);
            int[] starts = Starts(problem.Queries), ofKeys = declaration.Has(Roles.KeyDocumentStarts) ? Starts(problem.Keys) : starts;
            problem = problem with { DocumentStarts = starts, KeyDocumentStarts = declaration.Has(Roles.KeyDocumentStarts) ? ofKeys : null };
            if (declaration.Has(Roles.KeyLengths))
                problem = problem with { KeyLengths = [.. Enumerable.Range(0, count).Select(i => random.Next(3) == 0 ? ofKeys[i + 1] - ofKeys[i] : random.Next(ofKeys[i + 1] - ofKeys[i] + 1))] };
            if (declaration.Has(Roles.QueryStarts))
                problem = problem with { QueryStarts = [.. Enumerable.Range(0, count).Select(i => random.Next(2) == 0 ? Math.Max(0, ofKeys[i + 1] - ofKeys[i] - starts[i + 1] + starts[i]) : random.Next(problem.Keys + 1))] };

            int[] Starts(int tokens) => [0, .. Enumerable.Range(1, count - 1).Select(_ => random.Next(tokens + 1)).Order(), tokens];
        }

        int items = problem.DocumentStarts is { Length: var length } ? length - 1 : problem.Batch;
        if (declaration.Has(Roles.PrefixLength | Roles.PrefixLengths))
            problem = problem with { PrefixLengths = [.. Enumerable.Range(0, declaration.Has(Roles.PrefixLengths) ? items : 1).Select(_ => random.Next(problem.Keys + 20))] };
        if (declaration.Blocks.Keys == 0) return problem;
        int density = random.Next(5);
        return problem with { Lists = ListsOf(problem, (_, _, _, _) => random.Next(4) < density) };
    }

    /// <summary>A call that another was made of by another declaration or by fewer tokens or items, with arrays of the right lengths.</summary>
    public static Problem Fitted(Problem problem, Problem former)
    {
        var declaration = problem.Declaration;
        if (IsSquare(declaration)) problem = problem with { Keys = problem.Queries };
        bool documents = declaration.Has(Roles.DocumentStarts) && former.DocumentStarts is not null;
        int[]? starts = documents ? Clipped(problem.DocumentStarts ?? former.DocumentStarts!, problem.Queries) : null;
        int[]? ofKeys = !documents ? null : declaration.Has(Roles.KeyDocumentStarts) ? Clipped(problem.KeyDocumentStarts ?? former.KeyDocumentStarts ?? former.DocumentStarts!, problem.Keys) : starts;
        int items = starts is null ? problem.Batch : starts.Length - 1;
        problem = problem with
        {
            DocumentStarts = starts,
            KeyDocumentStarts = declaration.Has(Roles.KeyDocumentStarts) ? ofKeys : null,
            KeyLengths = declaration.Has(Roles.KeyLengths) ? [.. Each(problem.KeyLengths, int.MaxValue, items).Select((n, i) => Math.Min(n, ofKeys is null ? problem.Keys : ofKeys[i + 1] - ofKeys[i]))] : null,
            PrefixLengths = declaration.Has(Roles.PrefixLength) ? Each(former.PrefixLengths, 0, 1) : declaration.Has(Roles.PrefixLengths) ? Each(problem.PrefixLengths, 0, items) : null,
            QueryStarts = declaration.Has(Roles.QueryStart) ? Each(problem.QueryStarts, 0, 1) : declaration.Has(Roles.QueryStarts) ? Each(problem.QueryStarts, 0, items) : null,
        };
        if (declaration.Blocks.Keys == 0 || former.Lists is not var (listStarts, blocks)) return problem with { Lists = null };
        return problem with { Lists = ListsOf(problem, (batch, head, row, block) =>
        {
            int list = ListOf(former, batch, head, row);
            return list < listStarts.Length - 1 && blocks.AsSpan(listStarts[list]..listStarts[list + 1]).Contains(block);
        }) };

        static int[] Clipped(int[] starts, int tokens) => [.. starts[..^1].Select(start => Math.Min(start, tokens)), tokens];
        static int[] Each(int[]? numbers, int missing, int count) => [.. Enumerable.Range(0, count).Select(i => numbers is null ? missing : numbers[Math.Min(i, numbers.Length - 1)])];
    }

    /// <summary>Calls with a document, or the blocks of all lists, less.</summary>
    public static IEnumerable<Problem> Simpler(Problem problem)
    {
        for (int i = 1; problem.DocumentStarts is { } starts && i < starts.Length - 1; i++)
        {
            int document = i;
            yield return Fitted(
                problem with
                {
                    DocumentStarts = Without(starts, document), KeyDocumentStarts = Without(problem.KeyDocumentStarts, document), KeyLengths = Without(problem.KeyLengths, document),
                    QueryStarts = problem.QueryStarts is { Length: > 1 } ? Without(problem.QueryStarts, document) : problem.QueryStarts,
                    PrefixLengths = problem.PrefixLengths is { Length: > 1 } ? Without(problem.PrefixLengths, document) : problem.PrefixLengths,
                },
                problem);
        }

        if (problem.Lists is var (_, blocks))
            foreach (int block in blocks.Distinct())
                yield return problem with { Lists = ListsOf(problem, (batch, head, row, other) => other != block && ListAt(problem, batch, head, row).Contains(other)) };

        static int[]? Without(int[]? numbers, int index) => numbers is null ? null : [.. numbers[..index], .. numbers[(index + 1)..]];
    }

    private static int[] ListAt(Problem problem, int batch, int head, int row)
    {
        var (starts, blocks) = problem.Lists!.Value;
        int list = ListOf(problem, batch, head, row);
        return blocks[starts[list]..starts[list + 1]];
    }

    private static int ListOf(Problem problem, int batch, int head, int row)
    {
        var (queries, _, axes) = problem.Declaration.Blocks;
        int rows = (problem.Queries + queries - 1) / queries, list = (axes & AttentionAxes.Batch) != 0 ? batch : 0;
        if ((axes & AttentionAxes.Head) != 0) list = list * problem.Declaration.KeyValueHeads + head;
        return list * rows + row;
    }

    private static (int[] Starts, int[] Blocks) ListsOf(Problem problem, Func<int, int, int, int, bool> contains)
    {
        var (queries, keys, axes) = problem.Declaration.Blocks;
        List<int> starts = [0], blocks = [];
        for (int batch = 0; batch < ((axes & AttentionAxes.Batch) != 0 ? problem.Batch : 1); batch++)
            for (int head = 0; head < ((axes & AttentionAxes.Head) != 0 ? problem.Declaration.KeyValueHeads : 1); head++)
                for (int row = 0; row < (problem.Queries + queries - 1) / queries; row++)
                {
                    for (int block = 0; block < (problem.Keys + keys - 1) / keys; block++)
                        if (contains(batch, head, row, block)) blocks.Add(block);
                    starts.Add(blocks.Count);
                }

        return ([.. starts], [.. blocks]);
    }
}
