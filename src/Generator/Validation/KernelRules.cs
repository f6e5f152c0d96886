using System.Globalization;
using AttentionGen.Generator.Model;
using AttentionGen.Generator.Parsing;
using Microsoft.CodeAnalysis;

namespace AttentionGen.Generator.Validation;

/// <summary>From a spec to the rules that it breaks. The analyzer reports them, the generator stops on the errors among them.</summary>
internal static class KernelRules
{
    public const int MaxHeads = 4096;
    public const int MaxDim = 512;

    public static IEnumerable<Violation> Violations(KernelSpec spec)
    {
        var method = Method(spec.Method).Concat(Types(spec.Method)).ToList();
        return method.Concat(Numbers(spec.Attention)).Concat(Parameters(spec));
    }

    public static bool IsValid(KernelSpec spec) => Violations(spec).All(violation => violation.Rule.DefaultSeverity != DiagnosticSeverity.Error);

    private static IEnumerable<Violation> Method(MethodSpec method)
    {
        if (!method.IsPartial)
            yield return new(Rules.NotPartial, Place.Method, method.Name, $"{method.Modifiers} partial {method.ReturnType} {method.Name}(...);".TrimStart());
        if (method.HasBody) yield return new(Rules.HasBody, Place.Method, method.Name);
        if (method.IsGeneric) yield return new(Rules.GenericMethod, Place.Method, method.Name);
        if (method.ReturnType != "void")
            yield return new(Rules.ReturnsValue, Place.ReturnType, method.Name, method.ReturnType, "Span<float> output");
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
        var ranges = new (string Argument, int Value, int Max)[]
        {
            ("heads", attention.Heads, MaxHeads),
            ("headDim", attention.HeadDim, MaxDim),
            ("KeyValueHeads", attention.GivenKeyValueHeads ?? 1, MaxHeads),
            ("ValueDim", attention.GivenValueDim ?? 1, MaxDim),
        };
        var outside = ranges.Where(range => range.Value < 1 || range.Value > range.Max).ToList();
        foreach (var (argument, value, max) in outside) yield return new(Rules.OutOfRange, Place.OfArgument(argument), argument, value, max);

        if (outside.Count == 0 && attention.Heads % attention.KeyValueHeads != 0)
            yield return new(Rules.UnevenGroups, Place.OfArgument("KeyValueHeads"), attention.Heads, attention.KeyValueHeads, NearbyDivisors(attention.Heads, attention.KeyValueHeads));

        if (attention.GivenScale is { } scale && (float.IsNaN(scale) || float.IsInfinity(scale) || scale == 0))
            yield return new(Rules.BadScale, Place.OfArgument("Scale"), Text(scale), Text((float)(1 / Math.Sqrt(Math.Max(attention.HeadDim, 1)))));

        if (!Enum.IsDefined(typeof(Mask), attention.Mask)) yield return new(Rules.UnknownMask, Place.OfArgument("Mask"), (int)attention.Mask);
    }

    private static IEnumerable<Violation> Parameters(KernelSpec spec)
    {
        var parameters = spec.Method.Parameters;
        var taken = new Dictionary<Role, ParameterSpec>();
        for (int i = 0; i < parameters.Count; i++)
        {
            var parameter = parameters[i];
            var place = Place.OfParameter(i);
            if (parameter.Role is not { } role)
            {
                yield return new(Rules.UnknownParameter, place, parameter.Name, RoleTable.Text);
                continue;
            }

            var row = RoleTable.Row(role);
            if (taken.TryGetValue(Slot(role), out var earlier)) yield return new(Rules.DuplicateParameter, place, earlier.Name, parameter.Name, Meaning(role));
            else taken.Add(Slot(role), parameter);

            if (parameter.Type != row.Type || parameter.Modifiers is not ("" or "scoped "))
                yield return new(Rules.WrongParameterType, place, parameter.Name, (parameter.Modifiers + parameter.Type).Replace("System.", ""), row.Name, row.ShortType);
            if (row.NeedsPositions && spec.Attention.Mask == Mask.None) yield return new(Rules.MaskParameterWithoutMask, place, parameter.Name);
            if (role == Role.Batch && !spec.Attention.Batched) yield return new(Rules.BatchWithoutBatched, place, parameter.Name);
        }

        foreach (var row in RoleTable.Rows)
        {
            bool required = row.IsRequired || (row.Role == Role.Batch && spec.Attention.Batched);
            if (required && !taken.ContainsKey(row.Role))
                yield return new(Rules.MissingParameter, Place.Method, spec.Method.Name, row.Name, $"{row.ShortType} {row.Name}", row.Role, RoleTable.Text);
        }

        if (spec.Attention.Mask == Mask.Causal && taken.TryGetValue(Role.KeyLengths, out var lengths) && !taken.ContainsKey(Role.QueryStart))
            yield return new(Rules.PaddedPrefill, Place.OfParameter(parameters.ToList().IndexOf(lengths)));
    }

    /// <summary>A start is given once: for the call or for each batch item.</summary>
    private static Role Slot(Role role) => role == Role.QueryStarts ? Role.QueryStart : role;

    private static string Meaning(Role role) => Slot(role) == Role.QueryStart ? "where the queries start" : $"which one {RoleTable.Row(role).Name} is";

    private static string NearbyDivisors(int heads, int wanted)
    {
        var divisors = Enumerable.Range(1, heads).Where(d => heads % d == 0).OrderBy(d => Math.Abs(d - wanted)).ThenBy(d => d).Take(2).OrderBy(d => d).ToList();
        return "as " + string.Join(" or ", divisors.Select(d => $"{d} does"));
    }

    private static string Text(float value) => value.ToString("R", CultureInfo.InvariantCulture);
}
