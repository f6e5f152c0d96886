using AttentionGen.Generator.Model;
using AttentionGen.Generator.Planning;
using AttentionGen.Generator.Steps.Loads;
using AttentionGen.Generator.Text;

namespace AttentionGen.Generator.Emit.Walks;

/// <summary>What load steps add to the products of a query with four keys in place: sums of each key beside its products, and from these a factor of the scores.</summary>
internal sealed class InPlace(CorePlan plan)
{
    private readonly EquatableArray<LoadStep> _steps = plan.Spec.Loads.Steps;
    private readonly LoadContext _context = new(plan.Spec.HeadDim, plan.Lanes);

    public bool IsEmpty => _steps.Count == 0;

    /// <summary>The names of the sums of each step: <c>n0</c> is that of key 0.</summary>
    private static char Name(int step) => (char)('n' + step);

    private IEnumerable<string> Each(Func<LoadStep, char, string> text) => _steps.Select((step, i) => text(step, Name(i)));

    /// <summary>Declares the sums of the keys, empty.</summary>
    public void Declare(SourceWriter w)
    {
        foreach (string text in Each((step, name) => step.Declare(Enumerable.Range(0, DecodeStreams.Keys).Select(key => $"{name}{key}")))) w.Line(text);
    }

    /// <summary>Declares the sum of a key with its first vector, after a comma.</summary>
    public string First(int key) => string.Concat(Each((step, name) => $", {name}{key} = {step.First($"x{key}")}"));

    /// <summary>Adds a vector `x` of a key to its sums, after a blank.</summary>
    public string Add(int key) => string.Concat(Each((step, name) => $" {step.Add($"{name}{key}", $"x{key}")}"));

    /// <summary>The sums of the four keys in a vector, for each step.</summary>
    private static string Sums(char name) => $"Sums4({string.Join(", ", Enumerable.Range(0, DecodeStreams.Keys).Select(key => $"{name}{key}"))})";

    /// <summary>The factors of four scores, after a times sign.</summary>
    public string Factors => string.Concat(Each((step, name) => $" * Vectors128.{step.Factor(Sums(name), _context)}"));

    /// <summary>The names of sums over chains of products.</summary>
    public IEnumerable<string> Totals => Each((_, name) => $"{name}");

    /// <summary>Adds the sums of a chain to the totals.</summary>
    public void AddToTotals(SourceWriter w)
    {
        foreach (string text in Each((_, name) => $"{name} += {Sums(name)};")) w.Line(text);
    }

    /// <summary>Declares the factors `f` of four scores.</summary>
    public void DeclareFactors(SourceWriter w, bool fromTotals)
    {
        if (IsEmpty) return;
        w.Line($"Vector128<float> f = {string.Join(" * ", Each((step, name) => $"Vectors128.{step.Factor(fromTotals ? $"{name}" : Sums(name), _context)}"))};");
    }
}
