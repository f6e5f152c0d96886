using System.Collections.Immutable;
using AttentionGen.Generator.Model;

namespace AttentionGen.Generator.Planning;

/// <summary>
/// The file of each kernel, and the kernel that writes each core: the first of the kernels that share it. So each core is written once, and an edit of
/// one kernel writes no other kernel again.
/// </summary>
internal sealed record SourceLayout(EquatableArray<KernelEntry> Kernels, EquatableArray<CoreEntry> Cores)
{
    public static SourceLayout Of(ImmutableArray<KernelPlan> plans)
    {
        var ordered = plans.OrderBy(plan => plan.Spec.Method.Identity, StringComparer.Ordinal).ToList();
        var kernels = new List<KernelEntry>();
        var files = new HashSet<string>(StringComparer.OrdinalIgnoreCase) { FileNames.Errors }; // as Roslyn compares hint names
        foreach (var method in ordered.Select(plan => plan.Spec.Method))
        {
            string name = FileName(method), file = FileNames.Of(name, method.Identity);
            if (!files.Add(file)) files.Add(file = FileNames.Hashed(name, method.Identity)); // names that differ only in case
            kernels.Add(new KernelEntry(method.Identity, file));
        }

        // A core is the same as another if its plan is. That of another plan with the same name, of which a hash is a part, gets one of its own.
        var cores = new List<CoreEntry>();
        var (known, names) = (new HashSet<CorePlan>(), new HashSet<string>(StringComparer.OrdinalIgnoreCase));
        foreach (var plan in ordered)
            foreach (var core in plan.Cores.Where(known.Add))
            {
                var named = core;
                for (int i = 2; !names.Add(named.Name); i++) named = core with { NameSuffix = $"_{i}" };
                cores.Add(new CoreEntry(core, new PlacedCore(named, FileNames.Of(named.Name, named.Name)), plan.Spec.Method.Identity));
            }

        return new SourceLayout(kernels.ToEquatableArray(), cores.ToEquatableArray());
    }

    /// <summary>
    /// Overloads differ by the roles and types of their parameters. A name that lists the parameters, except the usual four in their order, does not depend
    /// on the other overloads.
    /// </summary>
    private static string FileName(MethodSpec method)
    {
        var parameters = method.Parameters.Select(Words).ToList();
        string[] usual = ["query", "key", "value", "output"];
        if (parameters.Take(usual.Length).SequenceEqual(usual)) parameters.RemoveRange(0, usual.Length);
        return string.Join("-", parameters.Prepend(method.FullName.Replace("@", "")));
    }

    /// <summary>What tells a parameter from that of an overload.</summary>
    private static string Words(ParameterSpec parameter)
    {
        string name = parameter.Role is { } role ? $"{role}" : parameter.Name.Replace("@", ""), kind = parameter switch
        {
            { IsTensorSpan: true } => parameter.Modifiers.Contains("in ") ? "TensorIn" : "Tensor",
            { Role: not null } or { Type: "int" } => "",
            _ => RoleTable.Short(parameter.Type) switch { "float" => "Float", "ReadOnlySpan<int>" => "Ints", "ReadOnlySpan<float>" => "Floats", _ => "Other" },
        };
        return name.Length == 0 ? kind : char.ToLowerInvariant(name[0]) + name.Substring(1) + kind;
    }

    public PlacedKernel Place(KernelPlan plan) => new(
        plan with { Cores = plan.Cores.Select(core => Entry(core).Placed.Plan).ToEquatableArray() }, Kernels.First(entry => entry.Identity == plan.Spec.Method.Identity).HintName);

    /// <summary>The cores that are written for a kernel.</summary>
    public IEnumerable<PlacedCore> CoresOf(KernelPlan plan) => plan.Cores.Select(Entry).Where(entry => entry.Owner == plan.Spec.Method.Identity).Select(entry => entry.Placed);

    private CoreEntry Entry(CorePlan core) => Cores.First(entry => entry.Plan == core);
}

internal sealed record KernelEntry(string Identity, string HintName);

/// <param name="Plan">The plan.</param>
/// <param name="Placed">The plan with a unique name, and its file.</param>
/// <param name="Owner">The identity of the method with which the core is written.</param>
internal sealed record CoreEntry(CorePlan Plan, PlacedCore Placed, string Owner);

/// <summary>A kernel with the name of its file.</summary>
internal sealed record PlacedKernel(KernelPlan Plan, string HintName);

/// <summary>A core with the name of its file.</summary>
internal sealed record PlacedCore(CorePlan Plan, string HintName);
