using System.Collections.Concurrent;
using System.Globalization;
using System.Runtime.Loader;
using AttentionGen.Generator.Emit.Dispatch;
using AttentionGen.Generator.Emit.Walks;
using AttentionGen.Generator.Planning;
using AttentionGen.Generator.Syntax;
using AttentionGen.Generator.Tests.Harness;
using AttentionGen.Generator.Validation;
using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.CSharp;
using Xunit;

namespace AttentionGen.Generator.Tests;

/// <summary>
/// What is written and said does not depend on the culture of a build. All tests of this assembly run under sv-SE (<see cref="CultureOfTests"/>), whose minus is no ASCII; here are
/// the others.
/// </summary>
public class CultureTests
{
    [Fact]
    public async Task The_tests_run_under_a_culture_that_writes_numbers_in_its_own_way()
    {
        Assert.True(CultureInfo.CurrentCulture.Name == CultureOfTests.Name, $"These tests need ICU (on Linux libicu) and no DOTNET_SYSTEM_GLOBALIZATION_INVARIANT: the culture is '{CultureInfo.CurrentCulture.Name}'.");
        Assert.Equal("\u2212", CultureInfo.CurrentCulture.NumberFormat.NegativeSign);
        Assert.Equal("\u22121,5", string.Format(CultureInfo.CurrentCulture, "{0}", -1.5));
        Assert.Equal("sv-SE", await Task.Run(() => CultureInfo.CurrentCulture.Name, TestContext.Current.CancellationToken)); // where Roslyn works
    }

    private static CultureInfo[] Cultures
    {
        get
        {
            var all = CultureInfo.GetCultures(CultureTypes.AllCultures);
            Assert.True(all.Length > 700, $"This process knows {all.Length} cultures: it needs ICU, and InvariantGlobalization off.");
            Assert.Equal("\u2212", CultureInfo.GetCultureInfo("sv-SE").NumberFormat.NegativeSign);
            return all;
        }
    }

    [Fact]
    public void Snapshots_are_the_same_in_every_culture()
    {
        var declarations = SnapshotTests.Declarations.Select(it => (it.File, Kernels: Declared(new Project(it.Source).Compilation()))).ToList();
        AssertSame(() => declarations.SelectMany(it => Photographed(it.Kernels, it.File)));
    }

    [Fact]
    public void What_stands_in_for_a_kernel_in_error_is_the_same_in_every_culture()
    {
        var projects = new[] { false, true }.Select(runs => new Project(Sample.Documented("Attention(heads: -4, headDim: 8, Scale = -0f, Isas = (AttentionIsas)(-16), Mask = (AttentionMask)(-1))"))
        {
            Properties = runs ? [] : new() { ["build_property.AttentionGenSkipsAnalyzers"] = "true" },
        }).Select(project => (Project: project, Compilation: project.Compilation())).ToList();
        AssertSame(() => projects.SelectMany(it => Generation.Of(it.Project.Driver(), it.Compilation).Sources.Select(source => $"{source.Key}\n{source.Value}")));
    }

    [Fact]
    public void Messages_are_the_same_in_every_culture()
    {
        var cases = DiagnosticTests.Cases.Select(row => DiagnosticTests.Unmarked(row.Data.Item2)).Distinct();
        var kernels = cases.SelectMany(source => Declared(new Project(source).Compilation())).ToList();
        Assert.True(kernels.Count > 150, $"Only {kernels.Count} declarations.");
        AssertSame(() => kernels.SelectMany(kernel => KernelParser.Parse(kernel.Method, kernel.Attribute, kernel.Compilation) is { } spec
            ? KernelRules.Violations(spec).Select(violation => Diagnostic.Create(violation.Rule, Location.None, violation.Arguments).GetMessage(CultureInfo.CurrentCulture)) : []));
    }

    /// <summary>Of messages that hold negative numbers, fractions and what has no name, the words are known.</summary>
    [Theory]
    [InlineData("heads: -4, headDim: 8", "heads is -4, but must be from 1 to 4096")]
    [InlineData("heads: 4, headDim: 8, SoftCap = -1.5f", "SoftCap is -1.5, but must be positive and finite: use the value of the model, such as 50f, or remove it for no cap")]
    [InlineData("heads: 4, headDim: 8, Mask = (AttentionMask)(-7)", "Mask is -7, which is not an AttentionMask: use None or Causal")]
    public async Task A_message_has_the_numbers_as_C_sharp_writes_them(string arguments, string message)
    {
        var found = Assert.Single(await new Project(Sample.Documented($"Attention({arguments})")).Generate().BuildAsync());
        Assert.Equal(message, found.GetMessage(CultureInfo.CurrentCulture));
        Assert.Equal(message, found.GetMessage(CultureInfo.InvariantCulture));
    }

    [Fact]
    public void Nothing_that_the_generator_calls_depends_on_the_culture() => Assert.Empty(CallsOfCulture.In(typeof(AttentionGenerator).Assembly));

    /// <summary>What the test above finds: every line of them.</summary>
    [Theory]
    [InlineData("$\"{number}\"")]
    [InlineData("$\"{fraction} of {text}\"")]
    [InlineData("text + number")]
    [InlineData("text + fraction")]
    [InlineData("text + (object)number")]
    [InlineData("number.ToString()")]
    [InlineData("((object)number).ToString() + string.Concat(text, (object)number)")]
    [InlineData("fraction.ToString(\"R\")")]
    [InlineData("string.Format(text, number)")]
    [InlineData("string.Join(text, new[] { 1, 2 })")]
    [InlineData("string.Join(text, (object)number, text)")]
    [InlineData("new System.Text.StringBuilder().Append(number).ToString()")]
    [InlineData("new System.Text.StringBuilder().Append((object)number).ToString()")]
    [InlineData("System.Convert.ToString(number)")]
    [InlineData("int.Parse(text) == 0 ? text : \"\"")]
    [InlineData("text.ToLower()")]
    [InlineData("char.ToUpper(text[0]) == 'I' ? text : \"\"")]
    [InlineData("text.StartsWith(\"I\") ? text : \"\"")]
    [InlineData("text.IndexOf(\"I\") == 0 ? text : \"\"")]
    [InlineData("string.Compare(text, \"I\") == 0 ? text : \"\"")]
    [InlineData("System.Linq.Enumerable.First(System.Linq.Enumerable.OrderBy(new[] { text }, each => each))")]
    [InlineData("new System.Collections.Generic.SortedSet<string> { text }.Min!")]
    [InlineData("System.Globalization.CultureInfo.CurrentCulture.Name")]
    [InlineData("Generic(number)")]
    public void Calls_that_depend_on_the_culture_are_found(string expression)
    {
        string source = $$"""
            public static class Code
            {
                public static string Text(string text, int number, float fraction) => {{expression}};
                private static string Generic<T>(T value) where T : notnull => {{(expression.StartsWith("Generic", StringComparison.Ordinal) ? "value.ToString()!" : "\"\"")}};
            }
            """;
        var image = new MemoryStream();
        var emitted = CSharpCompilation.Create("Code", [CSharpSyntaxTree.ParseText(source, cancellationToken: TestContext.Current.CancellationToken)], Basic.References, new(OutputKind.DynamicallyLinkedLibrary, nullableContextOptions: NullableContextOptions.Enable))
            .Emit(image, cancellationToken: TestContext.Current.CancellationToken);
        Assert.True(emitted.Success, string.Join('\n', emitted.Diagnostics));
        image.Position = 0;
        var context = new AssemblyLoadContext(null, isCollectible: true);
        Assert.NotEmpty(CallsOfCulture.In(context.LoadFromStream(image)));
        context.Unload();
    }

    private static class Basic
    {
        public static IEnumerable<MetadataReference> References { get; } =
            [.. ((string)AppContext.GetData("TRUSTED_PLATFORM_ASSEMBLIES")!).Split(Path.PathSeparator).Where(path => Path.GetFileName(path).StartsWith("System.", StringComparison.Ordinal)).Select(path => MetadataReference.CreateFromFile(path))];
    }

    /// <summary>The annotated methods of a project's first source.</summary>
    private static List<(IMethodSymbol Method, AttributeData Attribute, Compilation Compilation)> Declared(Compilation compilation)
    {
        var model = compilation.GetSemanticModel(compilation.SyntaxTrees.First());
        return
        [
            .. from node in model.SyntaxTree.GetRoot(TestContext.Current.CancellationToken).DescendantNodes()
               let method = model.GetDeclaredSymbol(node, TestContext.Current.CancellationToken) as IMethodSymbol
               where method is { PartialDefinitionPart: null }
               from attribute in method.GetAttributes().Where(it => it.AttributeClass?.ToDisplayString() == KernelParser.AttributeName)
               select (method, attribute, compilation),
        ];
    }

    /// <summary>What the generator writes, step by step, of what the snapshots show.</summary>
    private static IEnumerable<string> Photographed(List<(IMethodSymbol Method, AttributeData Attribute, Compilation Compilation)> kernels, string file)
    {
        var plans = kernels.Select(kernel => KernelDeclaration.Parse(kernel.Method, kernel.Attribute, kernel.Compilation)!).Where(declaration => declaration.IsValid)
            .Select(declaration => KernelPlanner.Plan(declaration.Spec!)).ToList();
        var layout = SourceLayout.Of([.. plans]);
        foreach (var plan in plans)
        {
            var placed = layout.Place(plan);
            if (placed.HintName.Contains(file, StringComparison.Ordinal)) yield return $"{placed.HintName}\n{KernelEmitter.Emit(placed.Plan)}";
            foreach (var core in layout.CoresOf(plan).Where(core => core.HintName.Contains(file, StringComparison.Ordinal))) yield return $"{core.HintName}\n{CoreEmitter.Emit(core.Plan)}";
        }
    }

    /// <summary>Fails unless texts are in every culture what they are in the invariant one.</summary>
    private static void AssertSame(Func<IEnumerable<string>> texts)
    {
        var expected = In(CultureInfo.InvariantCulture);
        Assert.NotEmpty(expected);
        var different = new ConcurrentBag<string>();
        Parallel.ForEach(Cultures, culture =>
        {
            var found = In(culture);
            if (found.Count != expected.Count) different.Add($"{culture.Name}: {found.Count} texts, not {expected.Count}");
            foreach (var (text, other) in expected.Zip(found))
                if (!string.Equals(text, other, StringComparison.Ordinal)) different.Add($"{culture.Name}: {FirstDifference(text, other)}");
        });
        Assert.True(different.IsEmpty, $"{different.Count} texts differ.\n{string.Join('\n', different.Order(StringComparer.Ordinal).Take(20))}");

        List<string> In(CultureInfo culture)
        {
            var before = (CultureInfo.CurrentCulture, CultureInfo.CurrentUICulture);
            (CultureInfo.CurrentCulture, CultureInfo.CurrentUICulture) = (culture, culture);
            try
            {
                return [.. texts()];
            }
            finally
            {
                (CultureInfo.CurrentCulture, CultureInfo.CurrentUICulture) = before;
            }
        }
    }

    private static string FirstDifference(string expected, string found) =>
        expected.Split('\n').Zip(found.Split('\n')).Where(pair => pair.First != pair.Second).Select(pair => $"{pair.Second.Trim()} (not {pair.First.Trim()})").FirstOrDefault() ?? "another length";
}
