namespace AttentionGen.Kernels.Tests;

/// <summary>Appends tokens to a layer of several sequences and attends.</summary>
public delegate void PagedStep<T>(
    ReadOnlySpan<float> query, ReadOnlySpan<float> key, ReadOnlySpan<float> value, ReadOnlySpan<int> documentStarts, PagedKeyValueCache<T> cache, ReadOnlySpan<SequenceId> sequences, int layer,
    int maxThreads, Span<float> output)
    where T : unmanaged;

/// <summary>Attends to a layer of several sequences.</summary>
public delegate void PagedRead<T>(
    ReadOnlySpan<float> query, ReadOnlySpan<int> documentStarts, PagedKeyValueCache<T> cache, ReadOnlySpan<SequenceId> sequences, int layer, int maxThreads, Span<float> output)
    where T : unmanaged;

/// <summary>Appends tokens to a layer of one sequence and attends.</summary>
public delegate void PagedOne<T>(
    ReadOnlySpan<float> query, ReadOnlySpan<float> key, ReadOnlySpan<float> value, PagedKeyValueCache<T> cache, ReadOnlySpan<SequenceId> sequences, int layer, int maxThreads, Span<float> output)
    where T : unmanaged;

/// <summary>The kernels of a declaration whose keys and values lie in a paged cache of a type.</summary>
public sealed record PagedKernel<T>(Declaration Declaration, PagedStep<T> Step, PagedRead<T> Read, PagedOne<T> One)
    where T : unmanaged;

/// <summary>Kernels with a paged cache, compiled together: declarations as <see cref="KernelGroup"/> has them, with a cache and sequences in place of keys and values.</summary>
public sealed class PagedKernels(IEnumerable<Declaration> declarations)
{
    private readonly Lazy<Type> _kernels = new(() => Load([.. declarations]));

    public PagedKernel<T> Of<T>(Declaration declaration)
        where T : unmanaged
    {
        string name = Name<T>(declaration);
        return new(
            declaration, _kernels.Value.GetMethod(name)!.CreateDelegate<PagedStep<T>>(), _kernels.Value.GetMethod("Read_" + name)!.CreateDelegate<PagedRead<T>>(),
            _kernels.Value.GetMethod("One_" + name)!.CreateDelegate<PagedOne<T>>());
    }

    private static Type Load(Declaration[] declarations)
    {
        var type = KernelGroup.CompileSource($$"""
            using System;
            using AttentionGen;
            using AttentionGen.Kernels.Tests;

            public static partial class Kernels
            {
            {{string.Concat(declarations.SelectMany(declaration => new[] { Source<float>(declaration), Source<Half>(declaration), Source<BFloat16>(declaration), Source<sbyte>(declaration), declaration.OwnMethods }))}}
            }
            """).GetType("Kernels", throwOnError: true)!;
        foreach (var declaration in declarations) Own.Add(declaration, type);
        return type;
    }

    private static string Name<T>(Declaration declaration) => $"{declaration}_{typeof(T).Name}";

    private static string Source<T>(Declaration declaration)
        where T : unmanaged
    {
        string type = Stored.Name<T>(), attribute = declaration.Source.Split('\n')[0].Trim();
        const string Query = "ReadOnlySpan<float> query", Tensors = $"{Query}, ReadOnlySpan<float> key, ReadOnlySpan<float> value", Documents = "ReadOnlySpan<int> documentStarts";
        string rest = $"PagedKeyValueCache<{type}> cache, ReadOnlySpan<SequenceId> sequences, int layer, int maxThreads, Span<float> output";
        return $"""
                {attribute}
                public static partial void {Name<T>(declaration)}({Tensors}, {Documents}, {rest});
                {attribute}
                public static partial void Read_{Name<T>(declaration)}({Query}, {Documents}, {rest});
                {attribute}
                public static partial void One_{Name<T>(declaration)}({Tensors}, {rest});

            """;
    }
}
