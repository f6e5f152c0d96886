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
            string name = FileName(method), unique = name;
            for (int i = 2; !taken.Add(unique); i++) unique = $"{name}_{i}"; // names that differ only in case
            kernels.Add(new SourceEntry(method.Identity, $"{unique}.g.cs"));
        }

        var cores = ordered.SelectMany(plan => plan.Cores.Select(core => new SourceEntry(core.Name, plan.Spec.Method.Identity)))
            .GroupBy(entry => entry.Name).Select(group => group.First());
        return new SourceLayout(kernels.ToEquatableArray(), cores.ToEquatableArray());
    }

    /// <summary>
    /// Overloads differ by the roles of their parameters: a name that lists what is not the usual four in their order does not depend on
    /// which other overloads there are.
    /// </summary>
    private static string FileName(MethodSpec method)
    {
        var roles = method.Parameters.Select(parameter => parameter.Role?.ToString() ?? parameter.Name.Replace("@", "")).ToList();
        string[] usual = [nameof(Role.Query), nameof(Role.Key), nameof(Role.Value), nameof(Role.Output)];
        if (roles.Take(usual.Length).SequenceEqual(usual)) roles.RemoveRange(0, usual.Length);
        return string.Join("-", roles.Select(role => char.ToLowerInvariant(role[0]) + role.Substring(1)).Prepend(method.FullName.Replace("@", "")));
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
