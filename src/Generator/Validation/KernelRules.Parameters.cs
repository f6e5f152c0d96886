using System.Globalization;
using AttentionGen.Generator.Lowering;
using AttentionGen.Generator.Model;

namespace AttentionGen.Generator.Validation;

/// <summary>The rules of parameters and their roles.</summary>
internal static partial class KernelRules
{
    private static IEnumerable<Violation> Parameters(KernelSpec spec, MaskProgram mask)
    {
        var parameters = spec.Method.Parameters;
        var taken = new Dictionary<Role, ParameterSpec>();
        var missing = Missing(spec).ToList();
        var advice = new RoleAdvice(spec, missing);
        var use = spec.Use;
        bool tableIsSaid = false, fails = spec.Mask?.Failure is not null || spec.Score?.Failure is not null;
        for (int i = 0; i < parameters.Count; i++)
        {
            var parameter = parameters[i];
            var place = Place.OfParameter(i);
            bool isOwn = spec.Scalars.Concat(spec.Spans).Any(own => own.Name == parameter.Name);
            if (parameter.UnknownRole is { } unknown)
            {
                var named = RoleTable.ByName(parameter.Name, use) is { } byName ? RoleTable.Row(byName) : null;
                string fix = named is null
                    ? "use one of its values, such as AttentionRole.Query"
                    : $"remove [Role], because the name already gives the role {named.Name}";
                yield return new(Rules.UnknownRole, place, parameter.Name, unknown, fix);
                if (named is not null) missing.Remove(named);
                continue;
            }

            if (parameter.Role is null && (isOwn || parameter.Name.Length == 0)) continue; // the compiler reports a missing name

            // The error of the own method is enough.
            if (parameter.Role is null && fails && (spec.Claimed.Contains(parameter.Name) || !advice.IsMeant(parameter))) continue;
            if (parameter.Role is not { } role)
            {
                yield return new(Rules.UnknownParameter, place, parameter.Name, advice.WayOut(parameter, ref tableIsSaid));
                continue;
            }

            var row = RoleTable.Row(role, use);
            if (!row.IsOf(use))
            {
                var (others, instead) = OfOthers(use, row);
                yield return new(Rules.RoleOfOthers, place, parameter.Name, row.Name, others, instead);
                continue;
            }

            if (taken.TryGetValue(Slot(role), out var earlier) && earlier.Name == parameter.Name) continue; // the compiler reports it
            if (earlier is not null) yield return new(Rules.DuplicateParameter, place, earlier.Name, parameter.Name, Meaning(role));
            else taken.Add(Slot(role), parameter);

            string modifiers = parameter.Modifiers.Replace("this ", "").Replace("scoped ", "");
            if (parameter.IsTensorSpan) modifiers = modifiers.Replace("in ", ""); // System.Numerics.Tensors passes these large structs by in, too
            if ((!row.Types.Contains(parameter.Type) || modifiers.Length > 0) && !parameter.IsUnknownType)
            {
                string types = string.Join(" or ", row.UsualTypes.Select(type => $"'{RoleTable.Short(type)}'")) + row.OtherElements;
                yield return new(Rules.WrongParameterType, place, parameter.Name, modifiers + RoleTable.Short(parameter.Type), row.Name, types);
            }

            if (row.NeedsPositions && HasNoPositions(spec.Attention) && !spec.UsesPositions && !isOwn)
                yield return new(Rules.MaskParameterWithoutMask, place, parameter.Name);
            if (DefaultThatThrows(parameter, role) is var (given, wayOut)) yield return new(Rules.UselessDefault, place, parameter.Name, given, wayOut);
            if (role == Role.Batch && !spec.Attention.Batched) yield return new(Rules.BatchWithoutBatched, place, parameter.Name);
        }

        foreach (var violation in Elements(parameters)) yield return violation;
        bool areTensorSpans = AreTensorSpans(parameters, advice);
        missing.RemoveAll(advice.Covers);
        if (spec.Method.HasBadNames) missing.Clear(); // a parameter without a valid name may have the role
        if (areTensorSpans) missing.Remove(RoleTable.Row(Role.Batch)); // the shapes have the batch axis
        if (missing.Count > 0)
        {
            yield return new(
                Rules.MissingParameter, Place.Method, spec.Method.Name, string.Join(", ", missing.Select(row => row.Name)),
                string.Join(", ", missing.Select(row => $"{RoleTable.Short((areTensorSpans ? row.TensorType : null) ?? row.Type)} {row.Name}")),
                missing[0].Role);
        }

        if (!taken.ContainsKey(Role.QueryStart))
        {
            // The ranges ensure that the difference fits into an int.
            if (spec.Attention is { QueryLength: >= 1 and <= MaxLength and var queries, KeyLength: >= 1 and <= MaxLength and var keys }
                && mask.Right is < MaxLength and var right && queries - keys - right is var count and > 0)
            {
                string given = $"QueryLength = {queries}, KeyLength = {keys}" + (right > 0 ? $", WindowRight = {right}" : "");
                yield return new(Rules.MoreQueriesThanKeys, Place.OfArgument("QueryLength"), given, count == 1 ? "query" : $"{count} queries");
            }
            else if (spec.Attention.QueryLength != 1 && (HidesLeft(spec.Attention, mask) || HidesRight(spec.Attention, mask) || spec.Attention.Rotary != Rotary.None)
                && taken.TryGetValue(Role.KeyLengths, out var lengths))
            {
                yield return new(Rules.PaddedPrefill, Place.OfParameter(parameters.ToList().IndexOf(lengths))); // one query is decode, not a prefill
            }
        }
    }

    /// <summary>Keys and values have one type, which a cache stores; queries and outputs, and what is appended to a cache, have that type or are floats.</summary>
    private static IEnumerable<Violation> Elements(IReadOnlyList<ParameterSpec> parameters)
    {
        ParameterSpec? Of(Role role) => parameters.FirstOrDefault(parameter => parameter.Role == role && parameter.Element is not null);
        var cache = Of(Role.Cache);
        if ((cache ?? Of(Role.Key)) is not { Element: { } type } key) yield break;
        foreach (var role in new[] { Role.Key, Role.Value, Role.Query, Role.Output })
        {
            bool mayBeFloat = role != Role.Value || cache is not null;
            if (Of(role) is not { Element: { } other } parameter || other == type || (other == ElementType.Float && mayBeFloat)) continue;
            string fix = !mayBeFloat ? "the same type for both" : type is ElementType.Float or ElementType.SByte ? "float" : $"float or {ElementTypes.Text(type)}";
            yield return new(Rules.UnlikeElements, Place.OfParameter(parameters.ToList().IndexOf(parameter)), parameter.Name, ElementTypes.Text(other), key.Name, ElementTypes.Text(type), fix);
        }
    }

    /// <summary>The declarations that have a role which this one cannot have, and the fix.</summary>
    private static (string Others, string Instead) OfOthers(OperandUse use, RoleRow row) => (use, row.Operand.Use) switch
    {
        (_, OperandUse.Linear) => ("kernels of linear attention", "use [LinearAttention], or another role"),
        (OperandUse.Linear, OperandUse.Layer) => ("layers", "project the rows before the call"),
        (OperandUse.Linear, _) when row.Role == Role.KeyLengths => ("kernels with scores", "give the sequences without padding one after the other, and 'ReadOnlySpan<int> documentStarts'"),
        (OperandUse.Linear, _) => ("kernels with scores", "use [Attention], or remove the parameter"),
        (OperandUse.Layer, _) => ("kernels without projections", "the projections give queries, keys and values from 'input' and 'context', so remove the parameter"),
        _ => ("layers", "use [MultiHeadAttention], or another role"),
    };

    /// <summary>The roles that the kernel needs and that no parameter has.</summary>
    private static IEnumerable<RoleRow> Missing(KernelSpec spec) =>
        RoleTable.RowsOf(spec.Use).Where(row => (IsNeeded(spec, row) || (row.Role == Role.Batch && spec.Attention.Batched)) && spec.Method.Parameters.All(parameter => parameter.Role != row.Role));

    /// <summary>Whether the declaration needs the role, beside the batch.</summary>
    private static bool IsNeeded(KernelSpec spec, RoleRow row) => row.Role switch
    {
        Role.Decay => spec.Linear?.Decays == true,
        Role.Beta => spec.Linear?.Corrects == true,
        Role.Value when spec.Attention.ValueFromKey => false,
        Role.Key or Role.Value when spec.Has(Role.Cache) && !spec.Has(Role.Key) && !spec.Has(Role.Value) => false,
        _ => row.IsRequired,
    };

    /// <summary>Whether the four tensors are tensor spans. Tensors that are missing or have a wrong type do not count.</summary>
    private static bool AreTensorSpans(IReadOnlyList<ParameterSpec> parameters, RoleAdvice advice)
    {
        RoleRow? Row(ParameterSpec parameter) => parameter.Role is { } role ? RoleTable.Row(role) : advice.Meant(parameter);
        return parameters.Any(parameter => Row(parameter) is { } row && row.IsTensorSpan(parameter.Type))
            && !parameters.Any(parameter => Row(parameter) is { TensorType: not null } row && row.Elements.Any(element => element.Type == parameter.Type));
    }

    /// <summary>The default value of a parameter, and the fix, if a call with it throws; null otherwise. A call without tokens does not count.</summary>
    private static (string Given, string WayOut)? DefaultThatThrows(ParameterSpec parameter, Role role)
    {
        int least = role == Role.MaxThreads ? 1 : 0; // an empty batch is valid: its tensors have no elements
        if (parameter.DefaultNumber is { } number && RoleTable.Row(role).Type == "int")
            return number < least ? (number.ToString(CultureInfo.InvariantCulture), $"use {least} or more, or remove the default") : null;


        // A call may have no keys. Without scratch, the library provides the memory.
        return parameter.IsEmptyByDefault && role is not (Role.Key or Role.Value or Role.KeyBlocks or Role.Scratch)
            ? ("empty", "remove the default, and add an overload without the parameter")
            : null;
    }

    /// <summary>The role under which a role may be given once: the plural roles share it with the singular ones.</summary>
    private static Role Slot(Role role) => role switch
    {
        Role.QueryStarts => Role.QueryStart,
        Role.PrefixLengths => Role.PrefixLength,
        _ => role,
    };

    private static string Meaning(Role role) => Slot(role) switch
    {
        Role.PrefixLength => "give the length of the prefix",
        Role.QueryStart => "give the position of the first query",
        _ => $"have the role {RoleTable.Row(role).Name}",
    };
}
