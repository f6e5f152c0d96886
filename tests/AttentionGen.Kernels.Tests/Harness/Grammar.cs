using System.Globalization;
using FsCheck;
using FsCheck.Fluent;

namespace AttentionGen.Kernels.Tests;

/// <summary>
/// Masks and scores of the user's own, as far as they are lifted. A construct is a line here. Ints stay far from where they would wrap, and no float
/// decides what another one is unless both are exact: a kernel that rounds otherwise would choose otherwise.
/// </summary>
internal static class Grammar
{
    private static readonly Rule s_key = new(Sort.Int, "key") { Weight = 3 }, s_past = new(Sort.Bool, "key <= query"), s_score = new(Sort.Float, "score") { Weight = 4 };

    private static readonly string[] s_comparisons = ["<", "<=", ">", ">=", "==", "!="];

    private static readonly Rule[] s_rules =
    [
        // what masks mostly are, and become bounds of loops where the distance decides
        s_past,
        .. from comparison in s_comparisons
           from distance in new[] { "key {0} query + {{0}}", "query - key {0} {{0}}", "{{0}} {0} key - query", "Math.Abs(query - key) {0} {{0}}" }
           select new Rule(Sort.Bool, string.Format(CultureInfo.InvariantCulture, distance, comparison), Sort.Number),
        new(Sort.Bool, "key < {0}", Sort.Number) { Weight = 3 },
        .. from bound in new[] { "key >= {0}", "query < {0}", "query >= {0}" } select new Rule(Sort.Bool, bound, Sort.Number) { Weight = 2 },
        new(Sort.Bool, "query / {0} == key / {0}", Sort.Divisor) { Weight = 3 },
        new(Sort.Bool, "(query - key) % {0} == 0", Sort.Divisor) { Weight = 3 },

        // and what they can be
        .. from comparison in s_comparisons select new Rule(Sort.Bool, $"{{0}} {comparison} {{1}}", Sort.Int, Sort.Int) { Weight = 3 },
        new(Sort.Bool, "{0} * {1} < {2}", Sort.Fraction, Sort.Int, Sort.Int) { Weight = 3 },
        new(Sort.Bool, "{0} && {1}", Sort.Bool, Sort.Bool) { Weight = 16 },
        new(Sort.Bool, "{0} || {1}", Sort.Bool, Sort.Bool) { Weight = 12 },
        new(Sort.Bool, "{0} & {1}", Sort.Bool, Sort.Bool) { Weight = 4 },
        new(Sort.Bool, "{0} | {1}", Sort.Bool, Sort.Bool) { Weight = 4 },
        new(Sort.Bool, "!{0}", Sort.Bool) { Weight = 6 },
        new(Sort.Bool, "{0} ^ {1}", Sort.Bool, Sort.Bool) { Weight = 2 },
        new(Sort.Bool, "{0} ? {1} : {2}", Sort.Bool, Sort.Bool, Sort.Bool) { Weight = 4 },
        new(Sort.Bool, "query - key is >= 0 and < {0}", Sort.Divisor) { Weight = 3 },
        new(Sort.Bool, "{0} is < {1} or {2}", Sort.Int, Sort.Number, Sort.Number) { Weight = 3 },
        new(Sort.Bool, "{0} * {1} is not > {2} and < 9f", Sort.Fraction, Sort.Int, Sort.Fraction) { Weight = 2 },
        new(Sort.Bool, "{0} switch {{ < 1 => {1}, > 30 when {2} => true, _ => {3} }}", Sort.Int, Sort.Bool, Sort.Bool, Sort.Bool) { Weight = 3 },

        s_key,
        new(Sort.Int, "query") { Weight = 3 },
        new(Sort.Int, "head"),
        new(Sort.Int, "batch"),
        new(Sort.Int, "width"),
        new(Sort.Int, "{0} + {1}", Sort.Int, Sort.Int),
        new(Sort.Int, "{0} - {1}", Sort.Int, Sort.Int) { Weight = 2 },
        new(Sort.Int, "{0} + {1}", Sort.Int, Sort.Number),
        new(Sort.Int, "{0} * {1}", Sort.Int, Sort.Divisor),
        new(Sort.Int, "-{0}", Sort.Int),
        new(Sort.Int, "{0} / {1}", Sort.Int, Sort.Divisor),
        new(Sort.Int, "{0} % {1}", Sort.Int, Sort.Divisor),
        new(Sort.Int, "{0} >> {1}", Sort.Int, Sort.Bits),
        new(Sort.Int, "{0} >>> {1}", Sort.Int, Sort.Bits),
        new(Sort.Int, "{0} << {1}", Sort.Int, Sort.Bits),
        new(Sort.Int, "{0} & {1}", Sort.Int, Sort.Int),
        new(Sort.Int, "{0} | {1}", Sort.Int, Sort.Number),
        new(Sort.Int, "{0} ^ {1}", Sort.Int, Sort.Int),
        new(Sort.Int, "~{0}", Sort.Int),
        new(Sort.Int, "{0} switch {{ 0 => {1}, >= 5 and < 20 => {2}, _ => 3 }}", Sort.Int, Sort.Int, Sort.Int),
        new(Sort.Int, "Math.Min({0}, {1})", Sort.Int, Sort.Int),
        new(Sort.Int, "Math.Max({0}, {1})", Sort.Int, Sort.Int),
        new(Sort.Int, "Math.Max({0}, {1})", Sort.Int, Sort.Number),
        new(Sort.Int, "Math.Abs({0})", Sort.Int),
        new(Sort.Int, "{0} ? {1} : {2}", Sort.Bool, Sort.Int, Sort.Int),
        new(Sort.Int, "segment[Math.Clamp({0}, 0, 599)]", Sort.Int), // as long as Own has them

        s_score,
        new(Sort.Float, "slope"),
        new(Sort.Float, "0.0625f * {0}", Sort.Int),
        new(Sort.Float, "table[Math.Clamp({0}, 0, 599)]", Sort.Int),
        new(Sort.Float, "{0} + {1}", Sort.Float, Sort.Float),
        new(Sort.Float, "{0} - {1}", Sort.Float, Sort.Float),
        new(Sort.Float, "{0} * {1}", Sort.Float, Sort.Fraction),
        new(Sort.Float, "{0} / 2f", Sort.Float),
        new(Sort.Float, "-{0}", Sort.Float),
        new(Sort.Float, "MathF.Abs({0})", Sort.Float),
        new(Sort.Float, "MathF.Min({0}, {1})", Sort.Float, Sort.Float),
        new(Sort.Float, "MathF.Max({0}, {1})", Sort.Float, Sort.Float),
        new(Sort.Float, "MathF.Tanh({0})", Sort.Float),
        new(Sort.Float, "MathF.Sin(0.25f * {0})", Sort.Int),
        new(Sort.Float, "MathF.Cos({0})", Sort.Float),
        new(Sort.Float, "MathF.Sqrt(1f + MathF.Abs({0}))", Sort.Float),
        new(Sort.Float, "MathF.Log(1f + MathF.Abs({0}))", Sort.Float),
        new(Sort.Float, "MathF.Exp(-MathF.Abs({0}))", Sort.Float),
        new(Sort.Float, "MathF.FusedMultiplyAdd({0}, {1}, {2})", Sort.Float, Sort.Fraction, Sort.Float),
        new(Sort.Float, "{0} ? {1} : {2}", Sort.Bool, Sort.Float, Sort.Float),
    ];

    // Not in the table, as no sum or product of it is a score.
    private static readonly Rule s_hiding = new(Sort.Float, "{0} ? {1} : float.NegativeInfinity", Sort.Bool, Sort.Float);

    // What becomes bounds of rows, keys and distances, and nothing else.
    private static readonly Rule[] s_bounds =
    [
        s_past,
        .. from bound in new[] { "key < {0}", "key >= {0}", "query < {0}", "query >= {0}", "query - key < {0}", "key <= query + {0}", "key > query + {0}" } select new Rule(Sort.Bool, bound, Sort.Number),
        new(Sort.Bool, "{0} && {1}", Sort.Bool, Sort.Bool) { Weight = 8 },
        new(Sort.Bool, "{0} || {1}", Sort.Bool, Sort.Bool),
    ];

    private static readonly ILookup<Sort, Rule> s_bySort = s_rules.ToLookup(rule => rule.Sort), s_boundsBySort = s_bounds.ToLookup(rule => rule.Sort);

    public static Gen<Term> Masks(int depth) => Terms(s_bySort, Sort.Bool, depth);

    public static Gen<Term> Bounds(int depth) => Terms(s_boundsBySort, Sort.Bool, depth);

    public static Gen<Term> Scores(int depth) =>
        Gen.Frequency((4, Terms(s_bySort, Sort.Float, depth)), (1, Parts(s_bySort, s_hiding, depth).Select(parts => Term.Of(s_hiding, parts)!)));

    /// <summary>The simplest of a sort that is no constant.</summary>
    public static Term Least(Sort sort) => Term.Of(sort switch { Sort.Bool => s_past, Sort.Int => s_key, _ => s_score })!;

    private static Gen<Term> Terms(ILookup<Sort, Rule> rules, Sort sort, int depth) => sort switch
    {
        Sort.Number => Gen.OneOf(Gen.Choose(-4, 12), Gen.Choose(-40, 90)).Select(value => new Term(sort, value)),
        Sort.Divisor => Gen.OneOf(Gen.Choose(2, 5), Gen.Choose(2, 20)).Select(value => new Term(sort, value)),
        Sort.Bits => Gen.Choose(1, 4).Select(value => new Term(sort, value)),
        Sort.Fraction => Gen.Choose(-24, 24).Where(value => value != 0).Select(value => new Term(sort, value)),
        _ => from rule in Gen.Frequency(rules[sort].Where(rule => depth > 0 || rule.Parts.All(part => part >= Sort.Number)).Select(rule => (rule.Weight, Gen.Constant(rule))))
             from parts in Parts(rules, rule, depth)
             select Term.Of(rule, parts) ?? Least(sort),
    };

    private static Gen<Term[]> Parts(ILookup<Sort, Rule> rules, Rule rule, int depth) =>
        Gen.CollectToArray(rule.Parts, part => Terms(rules, part, depth - 1));
}
