using AttentionGen.Generator.Model;
using AttentionGen.Generator.Planning;
using AttentionGen.Generator.Steps.Loads;
using AttentionGen.Generator.Text;

namespace AttentionGen.Generator.Emit.Walks;

/// <summary>What load steps add to the products of queries with some keys in place: sums of each key beside its products, and from these a factor of the scores.</summary>
internal sealed class InPlace(CorePlan plan, int keys = DecodeStreams.Keys)
{
    /// <summary>Sums of keys that one vector holds.</summary>
    private const int Width = 4;

    private readonly EquatableArray<FactorStep> _steps = plan.Spec.Loads.Factors;
    private readonly LoadContext _context = new(plan.Spec.HeadDim, plan.Lanes);

    public bool IsEmpty => _steps.Count == 0;

    /// <summary>The names of the sums of each step: <c>n0</c> is that of key 0.</summary>
    private static char Name(int step) => (char)('n' + step);

    private IEnumerable<string> Each(Func<FactorStep, char, string> text) => _steps.Select((step, i) => text(step, Name(i)));

    /// <summary>Groups of keys whose sums and factors share a vector.</summary>
    private IEnumerable<int> Groups => Enumerable.Range(0, (keys + Width - 1) / Width);

    /// <summary>Declares the sums of the keys, empty.</summary>
    public void Declare(SourceWriter w)
    {
        foreach (string text in Each((step, name) => step.Declare(Enumerable.Range(0, keys).Select(key => $"{name}{key}")))) w.Line(text);
    }

    /// <summary>Declares the sum of a key with its first vector, after a comma.</summary>
    public string First(int key) => string.Concat(Each((step, name) => $", {name}{key} = {step.First($"x{key}")}"));

    /// <summary>Adds a vector `x` of a key to its sums, after a blank.</summary>
    public string Add(int key) => string.Concat(Each((step, name) => $" {step.Add($"{name}{key}", $"x{key}")}"));

    /// <summary>The sums of a group of keys in a vector, the last one again where there are fewer.</summary>
    private string Sums(char name, int group) => $"Sums4({string.Join(", ", Enumerable.Range(Width * group, Width).Select(key => $"{name}{Math.Min(key, keys - 1)}"))})";

    /// <summary>The factors of four scores, after a times sign.</summary>
    public string Factors => string.Concat(Each((step, name) => $" * Vectors128.{step.Factor(Sums(name, 0), _context)}"));

    /// <summary>The names of sums over chains of products.</summary>
    public IEnumerable<string> Totals => Each((_, name) => $"{name}").SelectMany(name => Groups.Select(group => Grouped(name, group)));

    /// <summary>Adds the sums of a chain to the totals.</summary>
    public void AddToTotals(SourceWriter w)
    {
        foreach (int group in Groups)
            foreach (string text in Each((_, name) => $"{Grouped($"{name}", group)} += {Sums(name, group)};")) w.Line(text);
    }

    /// <summary>Declares the factors `f` of the scores of each group of keys.</summary>
    public void DeclareFactors(SourceWriter w, bool fromTotals)
    {
        if (IsEmpty) return;
        foreach (int group in Groups)
            w.Line($"Vector128<float> {Grouped("f", group)} = {string.Join(" * ", Each((step, name) => $"Vectors128.{step.Factor(fromTotals ? Grouped($"{name}", group) : Sums(name, group), _context)}"))};");
    }

    /// <summary>The factors of four scores, of these keys of one group.</summary>
    public static string FactorOf(int[] keysOfLanes) => keysOfLanes.SequenceEqual(Enumerable.Range(0, Width)) ? "f" : $"Vector128.Shuffle({Grouped("f", keysOfLanes[0] / Width)}, Vector128.Create({Invariant.Join(", ", keysOfLanes.Select(key => key % Width))}))";

    private static string Grouped(string name, int group) => group == 0 ? name : $"{name}_{group}";
}
