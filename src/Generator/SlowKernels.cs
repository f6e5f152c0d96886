using System.Collections.Concurrent;
using AttentionGen.Generator.Validation;
using Microsoft.CodeAnalysis;

namespace AttentionGen.Generator;

/// <summary>Collects the kernels of a compilation without optimisation, and reports them once, at the first.</summary>
internal sealed class SlowKernels
{
    private readonly ConcurrentBag<(string Name, Location Place)> _kernels = []; // the order of the analysis is not defined

    public void Add(string name, Location place) => _kernels.Add((name, place));

    public void Report(Action<Diagnostic> report)
    {
        if (_kernels.IsEmpty) return;
        var (name, place) = _kernels.OrderBy(kernel => kernel.Place.SourceTree?.FilePath, StringComparer.Ordinal)
            .ThenBy(kernel => kernel.Place.SourceSpan.Start).First();
        string which = _kernels.Count switch
        {
            1 => $"'{name}'",
            2 => $"'{name}' and another kernel",
            var count => $"'{name}' and {count - 1} other kernels",
        };
        report(Diagnostic.Create(Rules.DebugBuild, place, which));
    }
}
