using Xunit;

namespace AttentionGen.Kernels.Tests;

/// <summary>Appends tokens to a layer of a ring and attends.</summary>
public delegate void RingStep<T>(ReadOnlySpan<float> query, ReadOnlySpan<float> key, ReadOnlySpan<float> value, RingKeyValueCache<T> cache, int layer, int maxThreads, Span<float> output)
    where T : unmanaged;

/// <summary>Attends to a layer of a ring.</summary>
public delegate void RingRead<T>(ReadOnlySpan<float> query, RingKeyValueCache<T> cache, int layer, int maxThreads, Span<float> output)
    where T : unmanaged;

/// <summary>What tests of rings share: kernels, and all tokens that were ever appended.</summary>
internal static class RingCalls
{
    public static readonly Declaration Plain = new(4, 32) { KeyValueHeads = 2, ValueDim = 24, Mask = AttentionMask.Causal, Window = (20, -1) };
    public static readonly Declaration First = Plain with { Window = (13, -1), FirstKeys = 5 };
    public static readonly Declaration Small = new(2, 8) { Mask = AttentionMask.Causal, Window = (6, -1) };

    /// <summary>In two pages: the last one is not full.</summary>
    public static readonly Declaration Large = Small with { Window = (700, -1), FirstKeys = 3 };

    /// <summary>These have kernels for all types, the others for floats.</summary>
    public static readonly Declaration[] Typed = [Plain, First];

    public static readonly Declaration[] Declarations =
    [
        .. Typed,
        Small,
        Small with { FirstKeys = 3 },
        Large,
        new(3, 20) { Mask = AttentionMask.Causal, ValueDim = 7, Window = (40, -1), FirstKeys = 70, Alibi = true },
        Plain with { Mask = AttentionMask.None, Window = (7, -1) },
        Plain with { Window = (0, -1) },
        Plain with { Window = (30, -1), MaskText = "query - key < 9" },
        Plain with { Window = (24, -1), Dilation = 3, FirstKeys = 4 },
        Plain with { Window = (30, -1), ChunkLength = 50, FirstKeys = 60 },
        Plain with { Window = (12, -1), PrefixLength = 20, SoftCap = 20 },
        new(4, 64) { KeyValueHeads = 2, Mask = AttentionMask.Causal, Window = (150, -1), FirstKeys = 4 },
    ];

    private static readonly Lazy<Type> s_kernels = new(Load);

    public static RingKeyValueCache<T> Create<T>(Declaration declaration, int slack, int layers = 1)
        where T : unmanaged => new(declaration.KeyValueHeads, declaration.HeadDim, declaration.Window.Left, slack, declaration.ValueDim, layers, declaration.FirstKeys);

    public static (RingStep<T> Step, RingRead<T> Read) Of<T>(Declaration declaration)
        where T : unmanaged =>
        (s_kernels.Value.GetMethod(Name<T>(declaration))!.CreateDelegate<RingStep<T>>(), s_kernels.Value.GetMethod("Read_" + Name<T>(declaration))!.CreateDelegate<RingRead<T>>());

    private static Type Load()
    {
        var type = KernelGroup.CompileSource($$"""
            using System;
            using AttentionGen;
            using AttentionGen.Kernels.Tests;

            public static partial class Kernels
            {
            {{string.Concat(Declarations.SelectMany(declaration => new[] { Source<float>(declaration), declaration.OwnMethods }))}}
            {{string.Concat(Typed.SelectMany(declaration => new[] { Source<Half>(declaration), Source<BFloat16>(declaration), Source<sbyte>(declaration) }))}}
            }
            """).GetType("Kernels", throwOnError: true)!;
        foreach (var declaration in Declarations) Own.Add(declaration, type);
        return type;
    }

    private static string Name<T>(Declaration declaration) => $"{declaration}_{typeof(T).Name}";

    private static string Source<T>(Declaration declaration)
        where T : unmanaged
    {
        string type = Stored.Name<T>(), attribute = declaration.Source.Split('\n')[0].Trim();
        return $"""
                {attribute}
                public static partial void {Name<T>(declaration)}(ReadOnlySpan<float> query, ReadOnlySpan<float> key, ReadOnlySpan<float> value, RingKeyValueCache<{type}> cache, int layer, int maxThreads, Span<float> output);
                {attribute}
                public static partial void Read_{Name<T>(declaration)}(ReadOnlySpan<float> query, RingKeyValueCache<{type}> cache, int layer, int maxThreads, Span<float> output);

            """;
    }
}

/// <summary>All tokens that were ever appended to a layer, as they are stored.</summary>
internal sealed class RingHistory<T>(Declaration declaration)
    where T : unmanaged
{
    private readonly List<float> _keys = [], _values = [];

    private int KeyWidth => declaration.KeyValueHeads * declaration.HeadDim;

    private int ValueWidth => declaration.KeyValueHeads * declaration.ValueDim;

    public int Length => _keys.Count / KeyWidth;

    public void Add(Inputs inputs) => Add(inputs.Key, inputs.Value);

    public void Add(float[] keys, float[] values)
    {
        _keys.AddRange(Stored.Round<T>(keys, declaration.HeadDim).Floats);
        _values.AddRange(Stored.Round<T>(values, declaration.ValueDim).Floats);
    }

    public void Truncate(int length)
    {
        if (length >= Length) return;
        _keys.RemoveRange(length * KeyWidth, _keys.Count - length * KeyWidth);
        _values.RemoveRange(length * ValueWidth, _values.Count - length * ValueWidth);
    }

    /// <summary>Checks the result of queries at the last tokens.</summary>
    public void Check(float[] query, float[] output)
    {
        var all = new Inputs(new Problem(declaration, query.Length / declaration.Heads / declaration.HeadDim, Length));
        query.CopyTo(all.Query, 0);
        _keys.CopyTo(all.Key);
        _values.CopyTo(all.Value);
        Bound.Check(all, output);
    }

    /// <summary>Checks that a ring has what it says.</summary>
    public void Check(RingKeyValueCache<T> cache, int layer)
    {
        var (first, end) = (cache.RetainedOf(layer).Start.Value, cache.RetainedOf(layer).End.Value);
        Check(cache, layer, first, end);
        Check(cache, layer, 0, Math.Min(cache.FirstKeys, end));
    }

    private void Check(RingKeyValueCache<T> cache, int layer, int first, int end)
    {
        var (keys, values) = cache.Floats(first, end - first, layer);
        Assert.Equal(_keys.GetRange(first * KeyWidth, keys.Length), keys);
        Assert.Equal(_values.GetRange(first * ValueWidth, values.Length), values);
    }
}
