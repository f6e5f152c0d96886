using AttentionGen.Generator.Model;

namespace AttentionGen.Generator.Validation;

/// <summary>The rules of rotary positions: their kind, the rotated elements, and the parameter with the table.</summary>
internal static partial class KernelRules
{
    private static IEnumerable<Violation> Rotaries(KernelSpec spec)
    {
        var attention = spec.Attention;
        var parameters = spec.Method.Parameters.ToList();
        int index = parameters.FindIndex(parameter => parameter.Role == Role.Rotary);
        if (!Enum.IsDefined(typeof(Rotary), attention.Rotary))
        {
            yield return new(Rules.UnknownRotary, Place.OfArgument("Rotary"), (int)attention.Rotary);
            yield break;
        }

        if (attention.Rotary == Rotary.None)
        {
            if (attention.GivenRotaryDim is not null) yield return new(Rules.RotaryWithoutEffect, Place.OfArgument("RotaryDim"), "RotaryDim");
            if (attention.GivenRotaryStart is not null) yield return new(Rules.RotaryWithoutEffect, Place.OfArgument("RotaryStart"), "RotaryStart");
            if (index >= 0) yield return new(Rules.RotaryWithoutEffect, Place.OfParameter(index), parameters[index].Name);
            yield break;
        }

        var row = RoleTable.Row(Role.Rotary);
        if (index < 0) yield return new(Rules.RotaryWithoutTable, Place.OfArgument("Rotary"), $"{attention.Rotary}", $"{RoleTable.Short(row.Type)} {row.Name}");
        int start = attention.RotaryStart, dim = attention.RotaryDim, headDim = attention.HeadDim;
        int most = MostDim(attention);
        if (headDim < 1 || headDim > most || start < 0 || start > most || attention.GivenRotaryDim < 2 || attention.GivenRotaryDim > MaxDim) yield break; // reported as out of range
        if (start > headDim - 2)
        {
            string wrong = $"RotaryStart is {start}, but a head has {headDim} element{(headDim == 1 ? "" : "s")}, and a pair needs two";
            yield return new(Rules.BadRotaryRange, Place.OfArgument(attention.GivenRotaryStart is null ? "Rotary" : "RotaryStart"), wrong, headDim < 2 ? "remove Rotary" : $"use {headDim - 2} or less");
        }
        else if (dim > headDim - start)
        {
            string wrong = $"RotaryDim = {dim} rotates the elements {start} to {start + dim - 1}, but the last of a head is {headDim - 1}";
            yield return new(Rules.BadRotaryRange, Place.OfArgument("RotaryDim"), wrong, $"use {(headDim - start) / 2 * 2} or less");
        }
        else if (dim > MaxDim)
        {
            yield return new(Rules.BadRotaryRange, Place.OfArgument("Rotary"), $"All {dim} elements of a head{(start == 0 ? "" : $" from {start} on")} would be rotated, but a table has {MaxDim} at most", $"use RotaryDim = {MaxDim} or less");
        }
        else if (dim % 2 != 0)
        {
            string wrong = attention.GivenRotaryDim is null ? $"All {dim} elements of a head{(start == 0 ? "" : $" from {start} on")} would be rotated, but they must be an even number, because they form pairs" : $"RotaryDim is {dim}, but must be even, because the elements form pairs";
            yield return new(Rules.BadRotaryRange, Place.OfArgument(attention.GivenRotaryDim is null ? "Rotary" : "RotaryDim"), wrong, $"use RotaryDim = {dim - 1}");
        }
    }
}
