using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.CSharp;
using Xunit;

namespace AttentionGen.Generator.Tests.Harness;

/// <summary>What the pipeline computed again after an edit.</summary>
internal static class Incremental
{
    /// <summary>Edits that change no kernel: what a generation gives after each of them is the same, and nothing is computed or written again.</summary>
    public static void AssertUnrelatedEditsChangeNothing(Project project)
    {
        var compilation = project.Compilation();
        var first = Generation.Of(project.Driver(), compilation);
        var tree = compilation.SyntaxTrees[0];
        string text = tree.ToString();
        Compilation[] edited =
        [
            compilation.AddSyntaxTrees(project.Tree("// a comment", "Comment.cs")),
            compilation.AddSyntaxTrees(project.Tree("class Elsewhere { void Method(int key) { } }", "Elsewhere.cs")),
            compilation.ReplaceSyntaxTree(tree, tree.WithChangedText(Microsoft.CodeAnalysis.Text.SourceText.From("// above\n" + text + "\n// below"))),
            compilation.ReplaceSyntaxTree(tree, tree.WithChangedText(Microsoft.CodeAnalysis.Text.SourceText.From(text + "\nclass Below { void Method() { } }"))),
        ];
        foreach (var edit in edited) AssertNothingIsDoneAgain(first, first.Again(edit));
    }

    private static void AssertNothingIsDoneAgain(Generation before, Generation after)
    {
        Assert.Equal(before.Sources, after.Sources);
        foreach (var (name, steps) in OurSteps(after))
            foreach (var (_, reason) in steps.SelectMany(step => step.Outputs))
                Assert.True(reason is IncrementalStepRunReason.Cached or IncrementalStepRunReason.Unchanged, $"An output of {name} is {reason}.");
        Assert.Empty(Rewritten(after));
    }

    /// <summary>The steps that we name, by their names.</summary>
    public static IEnumerable<(string Name, IReadOnlyList<IncrementalGeneratorRunStep> Steps)> OurSteps(Generation run) =>
        from name in AttentionGenerator.Steps.All
        where run.Result.TrackedSteps.ContainsKey(name)
        select (name, (IReadOnlyList<IncrementalGeneratorRunStep>)run.Result.TrackedSteps[name]);

    /// <summary>The hint names of the sources that were written in the run, not kept from the one before.</summary>
    public static IReadOnlyList<string> Rewritten(Generation run)
    {
        var outputs = run.Result.TrackedOutputSteps.Values.SelectMany(steps => steps).SelectMany(step => step.Outputs);
        return [.. outputs.Where(output => output.Reason is IncrementalStepRunReason.New or IncrementalStepRunReason.Modified).SelectMany(output => HintNames(output.Value))];
    }

    /// <summary>The value of an output step is (sources, diagnostics), of types that are internal to Roslyn.</summary>
    private static IEnumerable<string> HintNames(object value)
    {
        var sources = (System.Collections.IEnumerable)((System.Runtime.CompilerServices.ITuple)value)[0]!;
        foreach (object source in sources) yield return (string)source.GetType().GetProperty("HintName")!.GetValue(source)!;
    }
}
