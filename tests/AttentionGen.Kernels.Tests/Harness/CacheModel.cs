using System.Runtime.InteropServices;
using Xunit;
using static AttentionGen.Kernels.Tests.ProgramKernels;

namespace AttentionGen.Kernels.Tests;

/// <summary>A sequence of the model: the keys and values of each layer, as they are stored.</summary>
internal sealed class CacheModel<T>
    where T : unmanaged
{
    private ModelTokens<T>[] Keys { get; init; } = [.. Enumerable.Range(0, Layers).Select(_ => new ModelTokens<T>(KeyDim))];

    private ModelTokens<T>[] Values { get; init; } = [.. Enumerable.Range(0, Layers).Select(_ => new ModelTokens<T>(ValueDim))];

    public bool IsFreed { get; set; }

    public int Longest => Enumerable.Range(0, Layers).Max(LengthOf);

    public int LengthOf(int layer) => Keys[layer].Count;

    public void Append(int layer, ReadOnlySpan<float> keys, ReadOnlySpan<float> values)
    {
        Keys[layer].Add(Stored.Round<T>(keys, KeyDim));
        Values[layer].Add(Stored.Round<T>(values, ValueDim));
    }

    public CacheModel<T> Fork() => new() { Keys = [.. Keys.Select(keys => keys.Copy())], Values = [.. Values.Select(values => values.Copy())] };

    public void Truncate(int length)
    {
        for (int layer = 0; layer < Layers; layer++)
        {
            int kept = Math.Min(length, LengthOf(layer));
            Keys[layer].Truncate(kept);
            Values[layer].Truncate(kept);
        }
    }

    /// <summary>Checks that rows are those of the tokens from one to another.</summary>
    public void Check(int layer, int first, int end, Rows<T> keys, Rows<T> values)
    {
        Assert.True(Keys[layer].AreAt(first, end, keys), "keys");
        Assert.True(Values[layer].AreAt(first, end, values), "values");
    }

    /// <summary>Checks the result of queries at the last tokens.</summary>
    public void Check(Declaration declaration, int layer, ReadOnlySpan<float> query, ReadOnlySpan<float> output)
    {
        var all = new Inputs(new Problem(declaration, query.Length / (declaration.Heads * declaration.HeadDim), LengthOf(layer)));
        query.CopyTo(all.Query);
        Keys[layer].Floats.CopyTo(all.Key, 0);
        Values[layer].Floats.CopyTo(all.Value, 0);
        Bound.Check(all, output.ToArray());
    }
}

/// <summary>The keys of tokens, or their values: elements, and scales where they are integers.</summary>
internal sealed class ModelTokens<T>(int dim)
    where T : unmanaged
{
    private const int Heads = 2;

    private readonly List<T> _elements = [];
    private readonly List<float> _scales = [];

    public int Count => _elements.Count / (Heads * dim);

    public float[] Floats => new Rows<T>([.. _elements], [.. _scales], dim).Floats;

    public void Add(Rows<T> rows)
    {
        _elements.AddRange(rows.Elements);
        _scales.AddRange(rows.Scales);
    }

    public ModelTokens<T> Copy()
    {
        var copy = new ModelTokens<T>(dim);
        copy.Add(new([.. _elements], [.. _scales], dim));
        return copy;
    }

    public void Truncate(int count)
    {
        _elements.RemoveRange(count * Heads * dim, _elements.Count - count * Heads * dim);
        if (_scales.Count > 0) _scales.RemoveRange(count * Heads, _scales.Count - count * Heads);
    }

    /// <summary>Whether rows have the bits of the tokens from one to another.</summary>
    public bool AreAt(int first, int end, Rows<T> rows) => Same(_elements, rows.Elements, Heads * dim, first, end) && (rows.Scales.Length == 0 || Same(_scales, rows.Scales, Heads, first, end));

    private static bool Same<TElement>(List<TElement> all, TElement[] rows, int width, int first, int end)
        where TElement : unmanaged => MemoryMarshal.AsBytes(CollectionsMarshal.AsSpan(all)[(first * width)..(end * width)]).SequenceEqual(MemoryMarshal.AsBytes(rows.AsSpan()));
}
