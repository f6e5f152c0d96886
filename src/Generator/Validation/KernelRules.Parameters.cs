using System.Globalization;
using AttentionGen.Generator.Lowering;
using AttentionGen.Generator.Model;

namespace AttentionGen.Generator.Validation;

/// <summary>The parameters: which roles they have, and which are missing.</summary>
internal static partial class KernelRules
{
    private static IEnumerable<Violation> Parameters(KernelSpec spec, MaskProgram mask)
    {
        var parameters = spec.Method.Parameters;
        var taken = new Dictionary<Role, ParameterSpec>();
        var missing = Missing(spec).ToList();
        var advice = new RoleAdvice(spec, missing);
        bool tableIsSaid = false, fails = spec.Mask?.Failure is not null || spec.Score?.Failure is not null;
        for (int i = 0; i < parameters.Count; i++)
        {
            var parameter = parameters[i];
            var place = Place.OfParameter(i);
            bool isOwn = spec.Scalars.Concat(spec.Spans).Any(own => own.Name == parameter.Name);
            if (parameter.UnknownRole is { } unknown)
            {
                string itsRole = RoleTable.ByName(parameter.Name) is { } named ? $"take [Role] off, as its name says that it is the {RoleTable.Row(named).Name}" : "use one of its values, as AttentionRole.Query";
                yield return new(Rules.UnknownRole, place, parameter.Name, unknown, itsRole);
                if (RoleTable.ByName(parameter.Name) is { } meant) missing.Remove(RoleTable.Row(meant));
                continue;
            }

            if (parameter.Role is null && (isOwn || parameter.Name.Length == 0)) continue; // the compiler says that a name is missing
            if (parameter.Role is null && fails && (spec.Claimed.Contains(parameter.Name) || !advice.IsMeant(parameter))) continue; // the error of the method is enough
            if (parameter.Role is not { } role)
            {
                yield return new(Rules.UnknownParameter, place, parameter.Name, advice.WayOut(parameter, ref tableIsSaid));
                continue;
            }

            var row = RoleTable.Row(role);
            if (taken.TryGetValue(Slot(role), out var earlier) && earlier.Name == parameter.Name) continue; // the compiler says so
            if (earlier is not null) yield return new(Rules.DuplicateParameter, place, earlier.Name, parameter.Name, Meaning(role));
            else taken.Add(Slot(role), parameter);

            string modifiers = parameter.Modifiers.Replace("this ", "").Replace("scoped ", "");
            if (parameter.IsTensorSpan) modifiers = modifiers.Replace("in ", ""); // how System.Numerics.Tensors itself takes these large structs
            if ((!row.Types.Contains(parameter.Type) || modifiers.Length > 0) && !parameter.IsUnknownType)
            {
                string types = string.Join(" or ", row.Types.Select(type => $"'{RoleTable.Short(type)}'"));
                yield return new(Rules.WrongParameterType, place, parameter.Name, modifiers + RoleTable.Short(parameter.Type), row.Name, types);
            }

            if (row.NeedsPositions && HasNoPositions(spec.Attention) && !spec.UsesPositions && !isOwn) yield return new(Rules.MaskParameterWithoutMask, place, parameter.Name);
            if (DefaultThatThrows(parameter, role) is var (given, wayOut)) yield return new(Rules.UselessDefault, place, parameter.Name, given, wayOut);
            if (role == Role.Batch && !spec.Attention.Batched) yield return new(Rules.BatchWithoutBatched, place, parameter.Name);
        }

        bool areTensorSpans = AreTensorSpans(parameters, advice);
        missing.RemoveAll(advice.Covers);
        if (spec.Method.HasBadNames) missing.Clear(); // one of them may be meant
        if (areTensorSpans) missing.Remove(RoleTable.Row(Role.Batch)); // their shapes say it
        if (missing.Count > 0)
        {
            yield return new(
                Rules.MissingParameter, Place.Method, spec.Method.Name, string.Join(", ", missing.Select(row => row.Name)),
                string.Join(", ", missing.Select(row => $"{RoleTable.Short((areTensorSpans ? row.TensorType : null) ?? row.Type)} {row.Name}")), missing[0].Role);
        }

        if (!taken.ContainsKey(Role.QueryStart))
        {
            // Within bounds, or else the difference would not fit into an int.
            if (spec.Attention is { QueryLength: >= 1 and <= MaxLength and var queries, KeyLength: >= 1 and <= MaxLength and var keys } && mask.Right is < MaxLength and var right
                && queries - keys - right is var count and > 0)
            {
                string given = $"QueryLength = {queries}, KeyLength = {keys}" + (right > 0 ? $", WindowRight = {right}" : "");
                yield return new(Rules.MoreQueriesThanKeys, Place.OfArgument("QueryLength"), given, count == 1 ? "query" : $"{count} queries");
            }
            else if (spec.Attention.QueryLength != 1 && (HidesLeft(spec.Attention, mask) || HidesRight(spec.Attention, mask)) && taken.TryGetValue(Role.KeyLengths, out var lengths))
            {
                yield return new(Rules.PaddedPrefill, Place.OfParameter(parameters.ToList().IndexOf(lengths))); // a single query is no prefill
            }
        }
    }

    /// <summary>The roles that the kernel needs and no parameter has.</summary>
    private static IEnumerable<RoleRow> Missing(KernelSpec spec) =>
        RoleTable.Rows.Where(row => (row.IsRequired || (row.Role == Role.Batch && spec.Attention.Batched)) && spec.Method.Parameters.All(p => p.Role != row.Role));

    /// <summary>Whether the tensors are tensor spans; those that are missing or of a wrong type are taken to become what the others are.</summary>
    private static bool AreTensorSpans(IReadOnlyList<ParameterSpec> parameters, RoleAdvice advice)
    {
        RoleRow? Row(ParameterSpec parameter) => parameter.Role is { } role ? RoleTable.Row(role) : advice.Meant(parameter);
        return parameters.Any(p => Row(p) is { } row && p.Type == row.TensorType) && !parameters.Any(p => Row(p) is { TensorType: not null } row && p.Type == row.Type);
    }

    /// <summary>A default that makes each call throw that leaves the parameter out, but one of no tokens.</summary>
    private static (string Given, string WayOut)? DefaultThatThrows(ParameterSpec parameter, Role role)
    {
        int least = role == Role.MaxThreads ? 1 : 0; // a batch of no items is one without elements
        if (parameter.DefaultNumber is { } number && RoleTable.Row(role).Type == "int")
            return number < least ? (number.ToString(CultureInfo.InvariantCulture), $"use {least} or more, or no default") : null;
        return parameter.IsEmptyByDefault && role is not (Role.Key or Role.Value or Role.KeyBlocks or Role.Scratch) // there may be no keys, and without scratch the kernel has its own
            ? ("empty", "take the default out, and declare an overload without it for calls that have none")
            : null;
    }

    /// <summary>A start is given once, and a length of the prefix: for the call or for each batch item.</summary>
    private static Role Slot(Role role) => role switch
    {
        Role.QueryStarts => Role.QueryStart,
        Role.PrefixLengths => Role.PrefixLength,
        _ => role,
    };

    private static string Meaning(Role role) => Slot(role) == Role.PrefixLength ? "how long the prefix is" : Slot(role) == Role.QueryStart ? "where the queries start" : $"which one {RoleTable.Row(role).Name} is";
}
