namespace AttentionGen.Kernels.Tests;

/// <summary>Appends tokens to a layer of a cache and attends.</summary>
public delegate void CachedStep<T>(ReadOnlySpan<float> query, ReadOnlySpan<float> key, ReadOnlySpan<float> value, KeyValueCache<T> cache, int layer, int maxThreads, Span<float> output)
    where T : unmanaged;

/// <summary>Attends to a layer of a cache.</summary>
public delegate void CachedRead<T>(ReadOnlySpan<float> query, KeyValueCache<T> cache, int layer, int maxThreads, Span<float> output)
    where T : unmanaged;

/// <summary>The kernels of a declaration whose keys and values lie in a cache of a type.</summary>
public sealed record CachedKernel<T>(Declaration Declaration, CachedStep<T> Step, CachedRead<T> Read)
    where T : unmanaged;

/// <summary>Kernels with a cache, compiled together: declarations as <see cref="KernelGroup"/> has them, with a cache in place of keys and values.</summary>
public sealed class CachedKernels(IEnumerable<Declaration> declarations)
{
    private readonly Lazy<Type> _kernels = new(() => Load([.. declarations]));

    public CachedKernel<T> Of<T>(Declaration declaration)
        where T : unmanaged => new(
            declaration, _kernels.Value.GetMethod(Name<T>(declaration))!.CreateDelegate<CachedStep<T>>(), _kernels.Value.GetMethod("Read_" + Name<T>(declaration))!.CreateDelegate<CachedRead<T>>());

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
        return $"""
                {attribute}
                public static partial void {Name<T>(declaration)}(ReadOnlySpan<float> query, ReadOnlySpan<float> key, ReadOnlySpan<float> value, KeyValueCache<{type}> cache, int layer, int maxThreads, Span<float> output);
                {attribute}
                public static partial void Read_{Name<T>(declaration)}(ReadOnlySpan<float> query, KeyValueCache<{type}> cache, int layer, int maxThreads, Span<float> output);

            """;
    }
}
