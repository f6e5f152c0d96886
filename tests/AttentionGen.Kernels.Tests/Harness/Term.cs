using System.Globalization;

namespace AttentionGen.Kernels.Tests;

/// <summary>What a term may stand for.</summary>
internal enum Sort
{
    Bool,
    Int,
    Float,

    /// <summary>A constant that something is compared with or added to.</summary>
    Number,

    /// <summary>A constant that ints are divided by: the lifter takes no other.</summary>
    Divisor,

    /// <summary>A constant that ints are shifted by.</summary>
    Bits,

    /// <summary>A constant that floats are scaled with.</summary>
    Fraction,
}

/// <summary>A production of the grammar of masks and scores that are lifted: C# with a place for each part.</summary>
/// <param name="Sort">What it is.</param>
/// <param name="Text">A composite format. An operator stands between blanks; what is a call needs no parentheses inside others.</param>
/// <param name="Parts">What its places are.</param>
internal sealed record Rule(Sort Sort, string Text, params Sort[] Parts)
{
    private static readonly string[] s_inputs = ["query", "key", "head", "batch", "width", "slope", "score"];

    /// <summary>How often it is chosen beside others.</summary>
    public int Weight { get; init; } = 1;

    public bool IsLeaf => Parts.Length == 0;

    /// <summary>Whether it means the same inside others as alone.</summary>
    public bool IsWhole => !Text.Contains(' ') && Text[0] is not ('-' or '!' or '~') || IsCall;

    private bool IsCall => Text.StartsWith("Math", StringComparison.Ordinal) && Text.EndsWith(')');

    /// <summary>Whether it says by itself something of a pair of query and key.</summary>
    public bool HasInput { get; } = s_inputs.Any(Text.Contains);

    /// <summary>Whether a part is an argument by itself.</summary>
    public bool IsArgument(int part)
    {
        int place = Text.IndexOf($"{{{part}}}", StringComparison.Ordinal);
        return IsCall && (Text[place - 1] == '(' || Text[place - 2] == ',') && Text[place + 3] is ',' or ')';
    }
}

/// <summary>An expression of the user's language, as a tree that can be made smaller.</summary>
internal sealed class Term
{
    private readonly Rule? _rule; // null for a constant
    private readonly int _value;
    private readonly Term[] _parts = [];

    /// <summary>A constant of one of the sorts that are constants.</summary>
    public Term(Sort sort, int value) => (Sort, _value) = (sort, value);

    private Term(Rule rule, Term[] parts) => (Sort, _rule, _parts) = (rule.Sort, rule, parts);

    public Sort Sort { get; }

    // The compiler computes it, or warns of a comparison that always holds.
    private bool IsConstant => _rule is null || (!_rule.HasInput && _parts.All(part => part.IsConstant));

    /// <summary>The expression; null where the compiler would compute it, or warn: a warning is an error here.</summary>
    public static Term? Of(Rule rule, params Term[] parts)
    {
        var term = new Term(rule, parts);
        bool repeats = parts.Length == 2 && rule.Sort == Sort.Bool && parts[0].Sort == Sort.Int && parts[0].ToString() == parts[1].ToString();
        return (term.IsConstant && !rule.IsLeaf) || repeats ? null : term;
    }

    /// <summary>What may fail as well and is smaller: a part of it, a leaf, or the same with a smaller part.</summary>
    public IEnumerable<Term> Simpler()
    {
        if (_rule is null) return from less in LessOf(_value) select new Term(Sort, less);
        if (_rule.IsLeaf) return [];
        return Nearest(Sort).Append(Grammar.Least(Sort)).Concat(
            from i in Enumerable.Range(0, _parts.Length)
            from part in _parts[i].Simpler()
            let smaller = Of(_rule, [.. _parts[..i], part, .. _parts[(i + 1)..]])
            where smaller is not null
            select smaller);
    }

    public override string ToString() => _rule is null ? Constant : string.Format(CultureInfo.InvariantCulture, _rule.Text, [.. _parts.Select(Inside)]);

    private string Inside(Term part, int place) => part._rule is null or { IsWhole: true } || _rule!.IsArgument(place) ? $"{part}" : $"({part})";

    // The outermost parts of a sort, also those inside other sorts: a condition of a choice between ints is a bool.
    private IEnumerable<Term> Nearest(Sort sort) => _parts.SelectMany(part => part.Sort == sort ? [part] : part.Nearest(sort));

    private string Constant => Sort == Sort.Fraction ? (_value / 16.0).ToString(CultureInfo.InvariantCulture) + "f" : _value.ToString(CultureInfo.InvariantCulture);

    private IEnumerable<int> LessOf(int value)
    {
        int least = Sort switch { Sort.Number => 0, Sort.Bits => 1, Sort.Divisor => 2, _ => 16 };
        if (value < 0) yield return -value;
        for (int off = Math.Abs(value) - least; off > 0; off /= 2) yield return Math.Sign(value) * (Math.Abs(value) - off);
    }
}
