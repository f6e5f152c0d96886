namespace AttentionGen.Kernels.Tests;

/// <summary>Numbers and rows in the types of caches, by the conversions of the types themselves, and those of integers by their definition.</summary>
internal static class Stored
{
    /// <summary>The name of a type in C#.</summary>
    public static string Name<T>()
        where T : unmanaged => typeof(T) == typeof(float) ? "float" : typeof(T) == typeof(sbyte) ? "sbyte" : typeof(T).Name;

    /// <summary>Rounds a number to a type.</summary>
    public static T Round<T>(float x)
        where T : unmanaged => typeof(T) == typeof(float) ? (T)(object)x : typeof(T) == typeof(Half) ? (T)(object)(Half)x : (T)(object)(BFloat16)x;

    /// <summary>A stored number as a float.</summary>
    public static float Float<T>(T x)
        where T : unmanaged => x is Half half ? (float)half : x is BFloat16 bfloat ? (float)bfloat : x is sbyte integer ? integer : (float)(object)x;

    /// <summary>Rounds rows of so many elements.</summary>
    public static Rows<T> Round<T>(ReadOnlySpan<float> rows, int dim)
        where T : unmanaged
    {
        var rounded = Empty<T>(rows.Length, dim);
        if (typeof(T) != typeof(sbyte))
        {
            for (int i = 0; i < rows.Length; i++) rounded.Elements[i] = Round<T>(rows[i]);
            return rounded;
        }

        for (int i = 0; i < rounded.Scales.Length; i++)
        {
            float largest = 0;
            foreach (float x in rows.Slice(i * dim, dim)) largest = MathF.Max(largest, MathF.Abs(x)); // NaN for NaN
            float scale = rounded.Scales[i] = float.IsFinite(largest) ? largest / 127 : float.NaN;
            for (int d = 0; d < dim && scale > 0; d++) rounded.Elements[i * dim + d] = (T)(object)(sbyte)MathF.Round(rows[i * dim + d] / scale, MidpointRounding.ToEven);
        }

        return rounded;
    }

    /// <summary>Room for rows.</summary>
    public static Rows<T> Empty<T>(int elements, int dim)
        where T : unmanaged => new(new T[elements], typeof(T) == typeof(sbyte) ? new float[elements / dim] : [], dim);

    /// <summary>Rows that are NaN, in memory whose integers are not 0.</summary>
    public static Rows<T> NaN<T>(int elements, int dim)
        where T : unmanaged
    {
        var rows = Empty<T>(elements, dim);
        rows.Elements.AsSpan().Fill(typeof(T) == typeof(sbyte) ? (T)(object)(sbyte)99 : Round<T>(float.NaN));
        rows.Scales.AsSpan().Fill(float.NaN);
        return rows;
    }

    public static void Append<T>(this KeyValueCache<T> cache, Rows<T> keys, Rows<T> values, int layer = 0)
        where T : unmanaged => cache.Append(keys.Elements, values.Elements, keys.Scales, values.Scales, layer);

    /// <summary>Tokens of a layer as floats.</summary>
    public static (float[] Keys, float[] Values) Floats<T>(this KeyValueCache<T> cache, int first, int tokens, int layer)
        where T : unmanaged
    {
        var (keys, values) = Tokens<T>(cache.KeyValueHeads, cache.HeadDim, cache.ValueDim, tokens);
        cache.Read(first, keys.Elements, values.Elements, keys.Scales, values.Scales, layer);
        return (keys.Floats, values.Floats);
    }

    /// <inheritdoc cref="Floats{T}(KeyValueCache{T}, int, int, int)"/>
    public static (float[] Keys, float[] Values) Floats<T>(this RingKeyValueCache<T> cache, int first, int tokens, int layer)
        where T : unmanaged
    {
        var (keys, values) = Tokens<T>(cache.KeyValueHeads, cache.HeadDim, cache.ValueDim, tokens);
        cache.Read(first, keys.Elements, values.Elements, keys.Scales, values.Scales, layer);
        return (keys.Floats, values.Floats);
    }

    /// <inheritdoc cref="Floats{T}(KeyValueCache{T}, int, int, int)"/>
    public static (float[] Keys, float[] Values) Floats<T>(this PagedKeyValueCache<T> cache, SequenceId id, int first, int tokens, int layer)
        where T : unmanaged
    {
        var (keys, values) = Tokens<T>(cache.KeyValueHeads, cache.HeadDim, cache.ValueDim, tokens);
        cache.Read(id, first, keys.Elements, values.Elements, keys.Scales, values.Scales, layer);
        return (keys.Floats, values.Floats);
    }

    private static (Rows<T> Keys, Rows<T> Values) Tokens<T>(int heads, int headDim, int valueDim, int tokens)
        where T : unmanaged => (Empty<T>(tokens * heads * headDim, headDim), Empty<T>(tokens * heads * valueDim, valueDim));
}

/// <summary>Rows as a cache stores them; integers have scales.</summary>
internal sealed record Rows<T>(T[] Elements, float[] Scales, int Dim)
    where T : unmanaged
{
    /// <summary>Their elements as floats.</summary>
    public float[] Floats => [.. Elements.Select((x, i) => Stored.Float(x) * (Scales.Length > 0 ? Scales[i / Dim] : 1))];
}
