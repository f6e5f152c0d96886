namespace AttentionGen.Generator.Text;

/// <summary>Writes memory addresses as C#. It omits terms of 0 and factors of 1.</summary>
internal static class Address
{
    /// <summary>The sum of the terms, e.g. <c>2 * HeadDim + 1</c>.</summary>
    public static string Offset(params (int Count, string Unit)[] terms)
    {
        var text = terms.Where(term => term.Count != 0)
            .Select(term => term.Unit.Length == 0 ? $"{term.Count}" : term.Count == 1 ? term.Unit : $"{term.Count} * {term.Unit}").ToList();
        return text.Count == 0 ? "0" : string.Join(" + ", text);
    }

    /// <summary>A reference to the float at an offset.</summary>
    public static string At(string reference, string offset) => offset == "0" ? reference : $"At(ref {reference}, {offset})";

    /// <summary>The arguments of a vector load or store at an offset.</summary>
    public static string Arguments(string reference, string offset) => $"ref {reference}, {offset}";
}
