using System.Globalization;
using AttentionGen.Generator.Lowering;
using AttentionGen.Generator.Model;
using AttentionGen.Generator.Text;
using Microsoft.CodeAnalysis;

namespace AttentionGen.Generator.Validation;

/// <summary>Finds the rules that a specification breaks. The analyzer reports them. The generator writes no kernel if one of them is an error.</summary>
internal static partial class KernelRules
{
    public const int MaxHeads = 4096;
    public const int MaxDim = 512;

    /// <summary>The most elements of a key that is the value as well: it is a latent vector of many heads.</summary>
    public const int MaxSharedDim = 1024;
    public const int MaxLength = 1 << 20;
    public const int MaxBuckets = 1024;
    public const int MaxRelativeDistance = 1 << 16;

    /// <summary>The limit of the scale. The factor scale * log2(e) must be finite, too.</summary>
    public const float MaxScale = 2e38f;

    /// <summary>The least normal float. Smaller factors have fewer significant bits.</summary>
    public const float LeastFactor = 1.17549435e-38f;

    public static IEnumerable<Violation> Violations(KernelSpec spec)
    {
        if (spec.Method.OtherKind is { } kind) return [new(Rules.NotAMethod, Place.Attribute, kind)];
        if (spec.OldLanguage is { } version) return [new(Rules.OldLanguage, Place.Attribute, version, spec.Method.Name)];
        var mask = MaskProgram.Of(spec);
        return Method(spec.Method).Concat(Types(spec.Method)).Concat(Numbers(spec.Attention)).Concat(Layers(spec)).Concat(LinearAttention(spec)).Concat(Strides(spec)).Concat(Windows(spec, mask))
            .Concat(Cuts(spec, mask)).Concat(Norms(spec)).Concat(Rotaries(spec)).Concat(Pairs(spec)).Concat(Shared(spec)).Concat(Caches(spec)).Concat(Scores(spec)).Concat(Choices(spec)).Concat(Relative(spec)).Concat(Parameters(spec, mask));
    }

    public static IEnumerable<Violation> Errors(KernelSpec spec) =>
        Violations(spec).Where(violation => violation.Rule.DefaultSeverity == DiagnosticSeverity.Error);

    private static IEnumerable<Violation> Method(MethodSpec method)
    {
        if (!method.IsPartial) yield return new(Rules.NotPartial, Place.Method, method.Name, Declaration(method));
        else if (method.HasBody) yield return new(Rules.HasBody, Place.Method, method.Name, Declaration(method));
        if (method.IsGeneric) yield return new(Rules.GenericMethod, Place.Method, method.Name);
        if (method.OtherGenerator is { } other) yield return new(Rules.OtherGenerator, Place.Method, method.Name, other);
        if (method.ReturnType != "void" && !method.HasUnknownTypes)
            yield return new(Rules.ReturnsValue, Place.ReturnType, method.Name, RoleTable.Short(method.ReturnType));
    }

    /// <summary>The correct declaration, for messages.</summary>
    private static string Declaration(MethodSpec method)
    {
        var modifiers = method.Modifiers.Split([' '], StringSplitOptions.RemoveEmptyEntries).Except(["extern", "abstract", "async", "partial"]);
        return $"{string.Join(" ", modifiers.Append("partial"))} void {method.Name}(...);";
    }

    private static IEnumerable<Violation> Types(MethodSpec method)
    {
        for (int i = 0; i < method.Types.Count; i++)
        {
            var type = method.Types[i];
            var place = Place.OfType(i);
            if (type.IsInterface) yield return new(Rules.Interface, place, type.Name, method.Name);
            else if (type.IsFileLocal) yield return new(Rules.FileLocalType, place, type.Name, method.Name);
            else if (type.IsGeneric) yield return new(Rules.GenericType, place, type.Name, method.Name);
            else if (!type.IsPartial) yield return new(Rules.TypeNotPartial, place, type.Name, method.Name, type.Declaration);
        }
    }

    private static IEnumerable<Violation> Numbers(AttentionSpec attention)
    {
        const string NoPrefix = "; remove it if there is no prefix", NoChunks = "; remove it if there are no chunks";
        const string NoBlocks = "; remove it if there are no blocks";
        int maxDim = MostDim(attention);
        const string Varies = "; remove it if the length varies from call to call", Open = "; remove it if that side is open";
        var ranges = new (string Argument, int? Value, int Min, int Max, string WayOut)[]
        {
            ("heads", attention.Heads, 1, MaxHeads, OfAllHeads(attention.Heads, attention.HeadDim, MaxHeads)),
            ("headDim", attention.HeadDim, 1, maxDim, OfAllHeads(attention.HeadDim, attention.Heads, maxDim)),
            ("KeyValueHeads", attention.GivenKeyValueHeads, 1, MaxHeads, "; remove it if each head has its own keys and values"),
            ("KeyDim", attention.GivenKeyDim, 1, maxDim, "; remove it if it equals headDim"),
            ("ValueDim", attention.GivenValueDim, 1, attention.ValueFromKey && attention.KeyDim is >= 1 and <= MaxSharedDim ? attention.KeyDim : maxDim,
                OfAllHeads(attention.GivenValueDim, attention.KeyValueHeads, maxDim) is { Length: > 0 } ofOne ? ofOne : "; remove it if it equals headDim"),
            ("QueryLength", attention.QueryLength, 1, MaxLength, Varies),
            ("KeyLength", attention.KeyLength, 1, MaxLength, Varies),
            ("WindowLeft", attention.GivenWindowLeft == -1 ? null : attention.GivenWindowLeft, 0, MaxLength - 1, Open),
            ("WindowRight", attention.GivenWindowRight == -1 ? null : attention.GivenWindowRight, 0, MaxLength - 1, Open),
            ("FirstKeys", attention.GivenFirstKeys, 0, MaxLength, "; remove it if the window hides the first keys, too"),
            ("PrefixLength", attention.GivenPrefixLength, 0, MaxLength, NoPrefix),
            ("ChunkLength", attention.GivenChunkLength, 1, MaxLength, NoChunks),
            ("Dilation", attention.GivenDilation, 1, MaxLength, "; remove it if there is no dilation"),
            ("QueryBlockSize", attention.QueryBlockSize, 1, MaxLength, NoBlocks),
            ("KeyBlockSize", attention.KeyBlockSize, 32, MaxLength, NoBlocks),
            ("RotaryDim", attention.GivenRotaryDim, 2, MaxDim, "; remove it if all elements of a head are rotated"),
            ("RotaryStart", attention.GivenRotaryStart, 0, maxDim, "; remove it if the first element is rotated"),
            ("RelativeBuckets", attention.Relative.GivenBuckets, 2, MaxBuckets, "; T5 has 32"),
            ("RelativeMaxDistance", attention.Relative.GivenMaxDistance, 1, MaxRelativeDistance, "; remove it for 128, the value of T5"),
        };
        foreach (var (argument, given, min, max, wayOut) in ranges)
        {
            if (given is { } value && (value < min || value > max))
                yield return new(Rules.OutOfRange, Place.OfArgument(argument), argument, value, min, max, wayOut);
        }

        if (attention is { Heads: >= 1 and <= MaxHeads, KeyValueHeads: >= 1 and <= MaxHeads } && attention.Heads % attention.KeyValueHeads != 0)
        {
            string divisors = NearbyDivisors(attention.Heads, attention.KeyValueHeads);
            yield return new(Rules.UnevenGroups, Place.OfArgument("KeyValueHeads"), attention.Heads, attention.KeyValueHeads, divisors);
        }

        if (attention.GivenScale is { } scale && !(Math.Abs(scale) is > 0 and <= MaxScale)) // NaN is invalid, too
        {
            float usual = (float)(1 / Math.Sqrt(Math.Max(attention.HeadDim, 1)));
            yield return new(Rules.BadScale, Place.OfArgument("Scale"), Text(scale), Text(MaxScale), attention.Scoring == Scoring.Dot ? $"1 / sqrt(headDim) = {Text(usual)}" : "1");
        }

        if (!Enum.IsDefined(typeof(Mask), attention.Mask))
            yield return new(Rules.UnknownMask, Place.OfArgument("Mask"), (int)attention.Mask, string.Join(" or ", Enum.GetNames(typeof(Mask))));

        if (!Enum.IsDefined(typeof(Selection), attention.Selection))
            yield return new(Rules.UnknownSelection, Place.OfArgument("Selection"), (int)attention.Selection, string.Join(" or ", Enum.GetNames(typeof(Selection))));
        if (!Enum.IsDefined(typeof(Layout), attention.Layout)) yield return new(Rules.UnknownLayout, Place.OfArgument("Layout"), (int)attention.Layout);

        if ((attention.Isas & ~Isas.All) is var unknown and not 0) yield return new(Rules.UnknownIsas, Place.OfArgument("Isas"), (int)unknown);
    }

    /// <summary>The most elements of a head.</summary>
    private static int MostDim(AttentionSpec attention) => attention.ValueFromKey ? MaxSharedDim : MaxDim;

    /// <summary>The fix for a number that is the width of all heads, such as the width of a model; empty if it is not.</summary>
    private static string OfAllHeads(int? given, int by, int max) =>
        given > max && by > 1 && given % by == 0 && given / by <= max
            ? string.Format(CultureInfo.InvariantCulture, ": use {0} ({1} / {2}) if {1} is the width of all heads", given / by, given, by)
            : "";

    /// <summary>The rules of windows that hide no key, because of another mask or of the lengths.</summary>
    private static IEnumerable<Violation> Windows(KernelSpec spec, MaskProgram mask)
    {
        var attention = spec.Attention;
        if (attention is { GivenFirstKeys: > 0 and <= MaxLength and var first, GivenWindowLeft: null or -1 }) yield return new(Rules.FirstKeysWithoutWindow, Place.OfArgument("FirstKeys"), first);
        int? ofMask = MaskKinds.Window(attention.Mask).Right;
        if (ofMask == 0 && attention is { GivenWindowRight: > 0 and < MaxLength and var after })
            yield return Idle("WindowRight", after, "the causal mask already hides the keys after a query", "remove one of the two");
        if (HasStart(spec)) yield break; // without a start, the last query is at the last visible key

        if (attention is { GivenWindowLeft: >= 0 and < MaxLength and var left, KeyLength: { } keys } && !HidesLeft(attention, mask))
        {
            string reason = keys == 1 ? "there is only one key" : $"no key is more than {keys - 1} positions before a query";
            yield return Idle("WindowLeft", left, reason, WayOut(keys - 1));
        }

        if (ofMask is null && attention is { GivenWindowRight: >= 0 and < MaxLength and var right, QueryLength: { } queries } && !HidesRight(attention, mask))
        {
            string reason = queries == 1 ? "the query is at the last key" : $"no key is more than {queries - 1} positions after a query";
            yield return Idle("WindowRight", right, reason, WayOut(queries - 1));
        }

        static Violation Idle(string argument, int given, string reason, string wayOut) =>
            new(Rules.WindowWithoutEffect, Place.OfArgument(argument), argument, given, reason, wayOut);
        static string WayOut(int idle) => idle > 0 ? $"use less than {idle}, or remove it" : "remove it";
    }

    /// <summary>The rules of prefix, documents, block lists and the user's own mask.</summary>
    private static IEnumerable<Violation> Cuts(KernelSpec spec, MaskProgram mask)
    {
        var attention = spec.Attention;
        var parameters = spec.Method.Parameters;
        (ParameterSpec? Parameter, Place Place) Find(params Role[] roles)
        {
            for (int i = 0; i < parameters.Count; i++)
                if (parameters[i].Role is { } role && roles.Contains(role)) return (parameters[i], Place.OfParameter(i));
            return (null, Place.Method);
        }

        var (prefix, prefixPlace) = Find(Role.PrefixLength, Role.PrefixLengths);
        if (Enum.IsDefined(typeof(Mask), attention.Mask) && MaskKinds.Window(attention.Mask).Right != 0) // a prefix widens masks that end at the query
        {
            if (attention.GivenPrefixLength is not null) yield return new(Rules.PrefixWithoutCausal, Place.OfArgument("PrefixLength"), "PrefixLength");
            else if (prefix is not null) yield return new(Rules.PrefixWithoutCausal, prefixPlace, $"'{prefix.Name}'");
        }
        else if (attention.GivenPrefixLength is { } length && prefix is not null)
        {
            yield return new(Rules.PrefixTwice, prefixPlace, length, prefix.Name);
        }

        var (documents, documentsPlace) = Find(Role.DocumentStarts);
        var (keyDocuments, keyDocumentsPlace) = Find(Role.KeyDocumentStarts);
        if (documents is not null && attention.Batched) yield return new(Rules.DocumentsInBatch, documentsPlace, documents.Name);
        if (keyDocuments is not null && documents is null) yield return new(Rules.KeyDocumentsAlone, keyDocumentsPlace, keyDocuments.Name);

        var (starts, startsPlace) = Find(Role.KeyBlockStarts);
        var (blocks, blocksPlace) = Find(Role.KeyBlocks);
        var parts = new (string Name, bool IsThere, string WayOut, Place Place)[]
        {
            ("QueryBlockSize", attention.QueryBlockSize is not null, "QueryBlockSize = 64", Place.OfArgument("QueryBlockSize")),
            ("KeyBlockSize", attention.KeyBlockSize is not null, "KeyBlockSize = 64", Place.OfArgument("KeyBlockSize")),
            ("'keyBlockStarts'", starts is not null, "'ReadOnlySpan<int> keyBlockStarts'", startsPlace),
            ("'keyBlocks'", blocks is not null, "'ReadOnlySpan<int> keyBlocks'", blocksPlace),
        };
        var missing = parts.Where(part => !part.IsThere).ToList();
        if (missing.Count is > 0 and < 4)
        {
            yield return new(
                Rules.IncompleteBlocks, parts.First(part => part.IsThere).Place,
                string.Join(" and ", missing.Select(part => part.Name)), missing.Count == 1 ? "is" : "are",
                string.Join(" and ", missing.Select(part => part.WayOut)));
        }

        if (attention.KeyBlockSize is >= 32 and <= MaxLength and var size && size % 32 != 0)
            yield return new(Rules.BadKeyBlockSize, Place.OfArgument("KeyBlockSize"), size, $"{size / 32 * 32} or {(size / 32 + 1) * 32}");
        if (attention.GivenBlockAxes is { } axes)
        {
            var place = Place.OfArgument("BlockAxes");
            bool isUnknown = (axes & ~(Axes.Batch | Axes.Head | Axes.Query | Axes.Key | Axes.HeadDim)) != 0;
            string? reason = isUnknown ? "which is not an AttentionAxes"
                : (axes & Axes.HeadDim) != 0 ? "but must not contain HeadDim"
                : (axes & Axes.Key) != 0 ? "but must not contain Key"
                : (axes & Axes.Query) == 0 ? "but must contain Query"
                : (axes & Axes.Batch) != 0 && !attention.Batched ? "but the kernel has no batch" : null;
            if (reason is not null)
            {
                string given = isUnknown ? $"{(int)axes}" : $"{axes}";
                string valid = attention.Batched ? "Query, and optionally Batch and Head" : "Query, and optionally Head";
                yield return new(Rules.BadAxes, place, "BlockAxes", given, reason, valid);
            }
            else if (missing.Count == 4)
            {
                yield return new(Rules.AxesWithoutParameter, place, "BlockAxes", "keyBlocks", "ReadOnlySpan<int> keyBlockStarts, ReadOnlySpan<int> keyBlocks");
            }
        }

        if (missing.Count == 0)
        {
            if (documents is not null) yield return new(Rules.BlocksWithCuts, documentsPlace, $"'{documents.Name}'", "call the kernel once for each document");
            if (attention.GivenChunkLength is { } chunk)
            {
                string wayOut = $"use a MaskMethod with 'query / {chunk} == key / {chunk}'";
                yield return new(Rules.BlocksWithCuts, Place.OfArgument("ChunkLength"), $"ChunkLength = {chunk}", wayOut);
            }

            if (attention.GivenDilation is > 1 and var step)
            {
                string wayOut = $"use a MaskMethod with '(query - key) % {step} == 0'";
                yield return new(Rules.BlocksWithCuts, Place.OfArgument("Dilation"), $"Dilation = {step}", wayOut);
            }
        }

        if (mask.Own is { } bounds && HidesAll(attention, mask, bounds) is { } why)
            yield return new(Rules.HidesEverything, Place.OfArgument("MaskMethod"), why);
    }

    /// <summary>The reason why the user's own mask hides every key; null if it shows some, or if it depends on the call.</summary>
    private static string? HidesAll(AttentionSpec attention, MaskProgram mask, MaskBounds bounds)
    {
        if (bounds.Terms.Count == 0) return "the mask method never returns true";
        if (attention.GivenPrefixLength is not null) return null;
        bool Hides(MaskTerm term) =>
            (MaskTerm.One(term.FromDistance) is { } from && mask.Right is { } right && from > right)
            || (MaskTerm.One(term.ToDistance) is { } to && mask.Left is { } left && attention.FirstKeys == 0 && to <= -left);
        return bounds.Terms.All(Hides) ? "the mask or the window of the attribute hides all keys that the mask method shows" : null;
    }

    private static IEnumerable<Violation> Norms(KernelSpec spec)
    {
        var attention = spec.Attention;
        if (!Enum.IsDefined(typeof(Norm), attention.QueryKeyNorm))
            yield return new(Rules.UnknownNorm, Place.OfArgument("QueryKeyNorm"), (int)attention.QueryKeyNorm);
        if (attention.GivenNormEpsilon is { } epsilon && !(epsilon is >= AttentionSpec.LeastNormEpsilon and < float.PositiveInfinity))
            yield return new(Rules.BadNormEpsilon, Place.OfArgument("NormEpsilon"), Text(epsilon), Text(AttentionSpec.DefaultNormEpsilon));
        if (attention.QueryKeyNorm != Norm.None) yield break;
        if (attention.GivenNormEpsilon is not null) yield return new(Rules.NormWithoutEffect, Place.OfArgument("NormEpsilon"), "NormEpsilon");
        for (int i = 0; i < spec.Method.Parameters.Count; i++)
        {
            if (spec.Method.Parameters[i] is { Role: Role.QueryNormWeight or Role.KeyNormWeight } weight)
                yield return new(Rules.NormWithoutEffect, Place.OfParameter(i), weight.Name);
        }
    }

    private static IEnumerable<Violation> Scores(KernelSpec spec)
    {
        const Axes AllAxes = Axes.Batch | Axes.Head | Axes.Query | Axes.Key;
        var attention = spec.Attention;
        if (attention.GivenSoftCap is { } cap && WrongCap(attention, cap) is { } wrong)
            yield return new(Rules.BadSoftCap, Place.OfArgument("SoftCap"), Text(cap), wrong);
        foreach (var (role, given) in new[] { (Role.Bias, attention.GivenBiasAxes), (Role.Keep, attention.GivenKeepAxes) })
        {
            if (given is not { } axes) continue;
            string argument = $"{role}Axes";
            bool isUnknown = (axes & ~(AllAxes | Axes.HeadDim)) != 0;
            string? reason = isUnknown ? "which is not an AttentionAxes"
                : (axes & Axes.HeadDim) != 0 ? "but must not contain HeadDim"
                : (axes & Axes.Key) == 0 ? "but must contain Key"
                : (axes & Axes.Batch) != 0 && !attention.Batched ? "but the kernel has no batch" : null;
            if (reason is not null)
            {
                string text = isUnknown ? $"{(int)axes}" : $"{axes}";
                string valid = attention.Batched ? "Key, and optionally Batch, Head and Query" : "Key, and optionally Head and Query";
                yield return new(Rules.BadAxes, Place.OfArgument(argument), argument, text, reason, valid);
            }
            else if (!spec.Has(role))
            {
                var row = RoleTable.Row(role);
                yield return new(Rules.AxesWithoutParameter, Place.OfArgument(argument), argument, row.Name, $"{RoleTable.Short(row.Type)} {row.Name}");
            }
        }

        if (attention.GivenScoresStage is { } stage)
        {
            var place = Place.OfArgument("ScoresStage");
            var row = RoleTable.Row(Role.Scores);
            if (!Enum.IsDefined(typeof(Stage), stage)) yield return new(Rules.UnknownStage, place, (int)stage);
            else if (!spec.Has(Role.Scores)) yield return new(Rules.StageWithoutScores, place, $"{RoleTable.Short(row.Type)} {row.Name}");
        }

        foreach (var (argument, lifted) in new[] { ("MaskMethod", spec.Mask), ("ScoreMethod", spec.Score) })
        {
            if (lifted?.Failure is not { } failure) continue;
            var place = lifted.Length > 0 ? Place.OfLifted(lifted.Name, lifted.Start, lifted.Length) : Place.OfArgument(argument);
            yield return new(Rules.CannotLift, place, lifted.Name, failure);
        }

        if (attention.Alibi && spec.Method.Parameters.FirstOrDefault(parameter => parameter.Role == Role.Slopes) is { } slopes)
            yield return new(Rules.SlopesTwice, Place.OfArgument("Alibi"), slopes.Name);
        if (attention.GivenScale is not null && spec.Method.Parameters.FirstOrDefault(parameter => parameter.Role == Role.Scales) is { } scales)
            yield return new(Rules.ScaleTwice, Place.OfArgument("Scale"), Text(attention.GivenScale.Value), scales.Name);
    }

    /// <summary>The rules of rows that choose a key: nothing needs the weights that they do not have.</summary>
    private static IEnumerable<Violation> Choices(KernelSpec spec)
    {
        var attention = spec.Attention;
        if (attention.Selection != Selection.Hard) yield break;
        for (int i = 0; i < spec.Method.Parameters.Count; i++)
        {
            var parameter = spec.Method.Parameters[i];
            string? wayOut = parameter.Role switch
            {
                Role.Sinks or Role.LogSumExp or Role.Entropy => "remove it, or use Selection = Softmax",
                Role.Scores when attention.GivenScoresStage is null or Stage.Weights => "use ScoresStage = AttentionStage.Masked for the scores, or the parameter argmax for the key",
                _ => null,
            };
            if (wayOut is not null) yield return new(Rules.NoWeights, Place.OfParameter(i), parameter.Name, attention.Selection, wayOut);
        }
    }

    /// <summary>The error of a soft cap; null for none. The kernel multiplies scores by 1 / cap and scale / cap, which must be normal floats.</summary>
    private static string? WrongCap(AttentionSpec attention, float cap)
    {
        if (!(cap is > 0 and < float.PositiveInfinity)) return "but must be positive and finite";
        foreach (var (name, factor) in new[] { ("1", 1f), ("Scale", Math.Abs(attention.Scale)) })
        {
            double quotient = (double)factor / cap;
            if (factor is > 0 and <= MaxScale && quotient is not (>= LeastFactor and <= MaxScale)) // an invalid scale has its own error
                return $"but the factor {name} / SoftCap = {Text((float)quotient)} must be from 1.2E-38 to {Text(MaxScale)}";
        }

        return null;
    }

    /// <summary>The rules of the relative position bias: its buckets and its parameter.</summary>
    private static IEnumerable<Violation> Relative(KernelSpec spec)
    {
        var relative = spec.Attention.Relative;
        var parameters = spec.Method.Parameters.ToList();
        int index = parameters.FindIndex(parameter => parameter.Role == Role.RelativeBias);
        if (index < 0)
        {
            var given = new (string Argument, object? Value)[]
            {
                ("RelativeBuckets", relative.GivenBuckets), ("RelativeMaxDistance", relative.GivenMaxDistance),
                ("RelativeBidirectional", relative.GivenBidirectional),
            }.FirstOrDefault(argument => argument.Value is not null);
            if (given.Value is { } value)
            {
                object literal = value is bool flag ? flag ? "true" : "false" : value;
                yield return new(Rules.BucketsWithoutParameter, Place.OfArgument(given.Argument), given.Argument, literal);
            }

            yield break;
        }

        if (relative.GivenBuckets is not { } buckets)
        {
            yield return new(Rules.RelativeBiasWithoutBuckets, Place.OfParameter(index), parameters[index].Name);
            yield break;
        }

        if (buckets is < 2 or > MaxBuckets || relative.MaxDistance is < 1 or > MaxRelativeDistance) yield break; // reported as out of range
        var distancePlace = Place.OfArgument(relative.GivenMaxDistance is null ? "RelativeBuckets" : "RelativeMaxDistance");
        if (relative.Bidirectional && buckets % 2 != 0)
        {
            string wrong = $"RelativeBuckets is {buckets}, but must be even, because each direction has half of the buckets";
            string fix = $"use {buckets - 1} or {buckets + 1}, or set RelativeBidirectional = false";
            yield return new(Rules.BadBuckets, Place.OfArgument("RelativeBuckets"), wrong, fix);
        }
        else if (relative.Exact == 0)
        {
            string wrong = $"RelativeBuckets is {buckets}, but each direction needs at least 2 buckets";
            yield return new(Rules.BadBuckets, Place.OfArgument("RelativeBuckets"), wrong, "use 4 or more, or set RelativeBidirectional = false");
        }
        else if (relative.MaxDistance <= relative.Exact)
        {
            string ofSide = $"{relative.Side} buckets{(relative.Bidirectional ? " of a direction" : "")}";
            string wrong = $"RelativeMaxDistance is {relative.MaxDistance}, but the first {relative.Exact} of {ofSide} hold one distance each";
            yield return new(Rules.BadBuckets, distancePlace, wrong, $"use more than {relative.Exact}, or fewer buckets");
        }
        else if (spec.Attention.Heads is >= 1 and <= MaxHeads and var heads && RelativeSpec.MostDistance(heads) is var most && relative.MaxDistance > most)
        {
            string limit = $"the biases of {heads} heads for all distances must fit into {RelativeSpec.MostBytes >> 20} MiB";
            yield return new(Rules.BadBuckets, distancePlace, $"RelativeMaxDistance is {relative.MaxDistance}, but {limit}", $"use {most} or less");
        }
    }

    private static bool HasStart(KernelSpec spec) => spec.Method.Parameters.Any(parameter => parameter.Role is { } role && Slot(role) == Role.QueryStart);

    /// <summary>
    /// Whether neither mask nor window depends on the positions of the queries. Invalid masks and windows count as dependent: they have their own errors.
    /// </summary>
    private static bool HasNoPositions(AttentionSpec attention) =>
        attention is { Mask: Mask.None, GivenWindowLeft: null or -1, GivenWindowRight: null or -1 };

    /// <summary>Whether the mask may hide a key before a query, in a call without a start.</summary>
    private static bool HidesLeft(AttentionSpec attention, MaskProgram mask) =>
        mask.Left is { } left && !(attention.KeyLength is >= 1 and var keys && left >= keys - 1);

    /// <summary>Whether the mask may hide a key after a query, in a call without a start.</summary>
    private static bool HidesRight(AttentionSpec attention, MaskProgram mask) =>
        mask.Right is { } right && !(attention.QueryLength is >= 1 and var queries && right >= queries - 1);

    private static IEnumerable<Violation> Strides(KernelSpec spec)
    {
        if (spec.Layer is not null) yield break;
        foreach (var row in RoleTable.Rows.Where(row => row.TensorType is not null))
        {
            var tensor = spec.Attention.Tensor(row.Role);
            if (tensor.GivenStride is not { } stride) continue;

            string argument = $"{row.Role}Stride";
            if (spec.Method.Parameters.FirstOrDefault(p => p.Role == row.Role) is { IsTensorSpan: true } it)
                yield return new(Rules.StrideOfTensorSpan, Place.OfArgument(argument), argument, it.Name, RoleTable.Short(it.Type), RoleTable.Short(row.Elements.First(element => element.TensorType == it.Type).Type));
            else if (IsKnown(tensor, spec.Attention) && stride < tensor.Width)
                yield return new(Rules.NarrowStride, Place.OfArgument(argument), argument, stride, row.Name, Width(row.Role, spec.Attention), tensor.Width);
        }
    }

    /// <summary>Whether the shape is valid, so that its width is defined and fits into an int.</summary>
    private static bool IsKnown(TensorSpec tensor, AttentionSpec attention) =>
        tensor is { Heads: >= 1 and <= MaxHeads, Dim: >= 1 } && tensor.Dim <= MostDim(attention) && attention.Heads % tensor.Heads == 0
        && Enum.IsDefined(typeof(Layout), tensor.Layout);

    /// <summary>The width of a token as a formula of the arguments of the attribute.</summary>
    private static string Width(Role role, AttentionSpec attention)
    {
        var tensor = attention.Tensor(role);
        string heads = role is Role.Key or Role.Value && attention.GivenKeyValueHeads is not null ? "KeyValueHeads" : "heads";
        string dim = role is Role.Value or Role.Output && attention.GivenValueDim is not null ? "ValueDim" : role == Role.Key && attention is { Scoring: Scoring.General, GivenKeyDim: not null } ? "KeyDim" : "headDim";
        return tensor.Layout == Layout.HeadMajor
            ? $"{dim} = {tensor.Dim} elements in the head-major layout"
            : $"{heads} * {dim} = {tensor.Heads} * {tensor.Dim} = {tensor.Width} elements";
    }

    private static string NearbyDivisors(int heads, int wanted)
    {
        var divisors = Enumerable.Range(1, heads).Where(d => heads % d == 0).OrderBy(d => Math.Abs(d - wanted)).ThenBy(d => d).Take(2).OrderBy(d => d).ToList();
        return Invariant.Join(" or ", divisors);
    }

    private static string Text(float value) => value.ToString("R", CultureInfo.InvariantCulture);
}
