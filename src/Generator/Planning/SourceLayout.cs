using System.Collections.Immutable;
using AttentionGen.Generator.Model;

namespace AttentionGen.Generator.Planning;

/// <summary>
/// Which file each kernel is written to, and which kernel brings each core: the first of those that share it. So a core is written once, and
/// an edit of one kernel writes no other.
/// </summary>
internal sealed record SourceLayout(EquatableArray<SourceEntry> Kernels, EquatableArray<SourceEntry> Cores)
{
    public static SourceLayout Of(ImmutableArray<KernelPlan> plans)
    {
        var ordered = plans.OrderBy(plan => plan.Spec.Method.Identity, StringComparer.Ordinal).ToList();
        var kernels = new List<SourceEntry>();
        var taken = new HashSet<string>(StringComparer.OrdinalIgnoreCase); // as Roslyn compares hint names
        foreach (var method in ordered.Select(plan => plan.Spec.Method))
        {
            string name = method.FullName.Replace("@", "");
            for (int i = 2; !taken.Add(name); i++) name = $"{method.FullName.Replace("@", "")}_{i}";
            kernels.Add(new SourceEntry(method.Identity, $"{name}.g.cs"));
        }

        var cores = ordered.SelectMany(plan => plan.Cores.Select(core => new SourceEntry(core.Name, plan.Spec.Method.Identity)))
            .GroupBy(entry => entry.Name).Select(group => group.First());
        return new SourceLayout(kernels.ToEquatableArray(), cores.ToEquatableArray());
    }

    public string HintName(KernelPlan plan) => Kernels.First(entry => entry.Name == plan.Spec.Method.Identity).Value;

    public bool Owns(KernelPlan plan, CorePlan core) => Cores.First(entry => entry.Name == core.Name).Value == plan.Spec.Method.Identity;

    /// <summary>Declarations in error are few and change: their names are unique by the signature.</summary>
    public static string StandInHintName(MethodSpec method)
    {
        uint hash = method.Identity.Aggregate(2166136261u, (hash, c) => unchecked((hash ^ c) * 16777619u)); // FNV-1a
        return $"{method.FullName.Replace("@", "")}.{hash:x8}.InError.g.cs";
    }
}

internal sealed record SourceEntry(string Name, string Value);

/// <summary>A kernel with the name of its file.</summary>
internal sealed record PlacedKernel(KernelPlan Plan, string HintName);
