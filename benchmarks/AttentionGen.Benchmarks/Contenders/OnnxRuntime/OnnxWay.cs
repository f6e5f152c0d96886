using System.Runtime.InteropServices;
using AttentionGen.Benchmarks.Shapes;
using TensorPrimitives = System.Numerics.Tensors.TensorPrimitives;

namespace AttentionGen.Benchmarks.Contenders.OnnxRuntime;

/// <summary>An operator that computes a shape, and what its output is.</summary>
internal sealed record OnnxWay(string Path, OnnxNode Node, Tensor Output, bool HeadMajorOutput)
{
    private const string Contrib = "com.microsoft";

    /// <summary>How its cache stores keys and values; null where it is no cache.</summary>
    public string? Storage { get; private init; }

    /// <summary>The bytes of an element of keys and values.</summary>
    public int ElementBytes { get; private init; } = sizeof(float);

    /// <summary>The error of a result whose keys and values are rounded so.</summary>
    public double Tolerance { get; private init; } = 1e-3;

    /// <summary>
    /// All operators for such heads, each with the tensors in the order that it wants them; one that cannot do what the shape asks for says so
    /// with a <see cref="PeerException"/>.
    /// </summary>
    public static IEnumerable<(string Name, Func<OnnxWay> Way)> Of(Inputs inputs)
    {
        var shape = inputs.Shape;
        if (shape.Heads == shape.KeyValueHeads && shape.WindowLeft < 0)
        {
            yield return ("MultiHeadAttention", () => MultiHead(inputs, headMajorKeys: false));
            if (shape.ReadsCache) yield return ("MultiHeadAttention", () => MultiHead(inputs, headMajorKeys: true));
        }

        yield return ("Attention", () => Attention(inputs));
        yield return ("GroupQueryAttention", () => shape.ReadsCache ? GroupQueryWithCache(inputs) : GroupQuery(inputs));
    }

    /// <summary>The operator that keeps a cache in place, with each type of cache.</summary>
    public static IEnumerable<(string Storage, Func<OnnxWay> Way)> OfCache(Inputs inputs)
    {
        yield return ("float", () => GroupQueryWithCache(inputs) with { Storage = "float" });
        yield return ("int8", () => GroupQueryWithBytes(inputs));
    }

    private static void Cannot(bool asked, string what)
    {
        if (asked) throw new PeerException($"it has no {what}");
    }

    private static void CheckVariant(Variant? variant)
    {
        Cannot(variant is { Score: not null }, "score of one's own");
        Cannot(variant is { LogSumExp: true }, "log-sum-exp");
    }

    /// <summary>What it takes beside the scores; null where nothing differs from pair to pair but what its own masks know.</summary>
    private static OnnxTensor? AttentionBias(Inputs inputs) => inputs.Shape.Variant is { Sees: not null } or { HasBias: true }
        ? OnnxTensor.Of("attention_bias", inputs.Bias, [1, inputs.MaskHeads, inputs.Shape.Queries, inputs.Shape.Keys])
        : null;

    private static Dictionary<string, float> SoftCap(Shape shape) => shape.Variant is { SoftCap: > 0 and var cap } ? new() { ["softcap"] = cap } : [];

    private static OnnxWay MultiHead(Inputs inputs, bool headMajorKeys)
    {
        var shape = inputs.Shape;
        CheckVariant(shape.Variant);
        Cannot(shape.Variant is { SoftCap: > 0 }, "soft cap");
        Cannot(shape.Variant is { Sinks: not null }, "sinks");
        var output = new Tensor(shape.QueryElements);
        long hidden = (long)shape.Heads * shape.HeadDim;
        long[] queries = [shape.Batch, shape.Queries, hidden];
        long[] keys = headMajorKeys ? [shape.Batch, shape.Heads, shape.Keys, shape.HeadDim] : [shape.Batch, shape.Keys, hidden];
        var node = new OnnxNode(
            Contrib, 1, "MultiHeadAttention",
            new Dictionary<string, int> { ["num_heads"] = shape.Heads, ["unidirectional"] = shape is { Causal: true, Queries: > 1 } ? 1 : 0 },
            [
                OnnxTensor.Of("query", inputs.Query, queries),
                OnnxTensor.Of("key", headMajorKeys ? inputs.HeadMajorKey : inputs.Key, keys),
                OnnxTensor.Of("value", headMajorKeys ? inputs.HeadMajorValue : inputs.Value, keys),
                .. AttentionBias(inputs) is { } bias ? (OnnxTensor?[])[null, null, bias] : [],
            ],
            [OnnxTensor.Of("output", output, queries)]);
        return new OnnxWay(headMajorKeys ? "MultiHeadAttention, head-major keys" : "MultiHeadAttention", node, output, HeadMajorOutput: false);
    }

    private static OnnxWay Attention(Inputs inputs)
    {
        var shape = inputs.Shape;
        CheckVariant(shape.Variant);
        Cannot(shape.Variant is { Sinks: not null }, "sinks");
        var output = new Tensor(shape.QueryElements);
        long[] queries = [shape.Batch, shape.Heads, shape.Queries, shape.HeadDim], keys = [shape.Batch, shape.KeyValueHeads, shape.Keys, shape.HeadDim];

        // Its causal mask starts at key 0; queries that follow older keys, or have a window, take a mask.
        bool masked = (shape.IsMasked && (shape.Queries < shape.Keys || shape.WindowLeft >= 0)) || shape.Variant is { Sees: not null } or { HasBias: true };
        var node = new OnnxNode(
            "", 23, "Attention",
            new Dictionary<string, int> { ["is_causal"] = shape.Causal && !masked && shape.Queries == shape.Keys ? 1 : 0 },
            [
                OnnxTensor.Of("Q", inputs.HeadMajorQuery, queries),
                OnnxTensor.Of("K", inputs.HeadMajorKey, keys),
                OnnxTensor.Of("V", inputs.HeadMajorValue, keys),
                masked ? Mask(inputs) : null,
            ],
            [OnnxTensor.Of("Y", output, queries)])
        {
            FloatAttributes = SoftCap(shape),
        };
        return new OnnxWay("Attention-23", node, output, HeadMajorOutput: true);
    }

    private static OnnxTensor Mask(Inputs inputs)
    {
        long[] shape = [1, inputs.MaskHeads, inputs.Shape.Queries, inputs.Shape.Keys];
        return inputs.Shape.Variant is { HasBias: true }
            ? OnnxTensor.Of("attn_mask", inputs.Bias, shape)
            : OnnxTensor.Of("attn_mask", OnnxElement.Bool, inputs.Keep, shape);
    }

    // It always gives keys and values back head-major, for a cache.
    private static OnnxWay GroupQuery(Inputs inputs)
    {
        var shape = inputs.Shape;
        long[] keys = [shape.Batch, shape.Keys, shape.KeyValueHeads * shape.HeadDim];
        long[] present = [shape.Batch, shape.KeyValueHeads, shape.Keys, shape.HeadDim];
        var node = GroupQuery(
            inputs, OnnxTensor.Of("key", inputs.Key, keys), OnnxTensor.Of("value", inputs.Value, keys), null, null,
            OnnxTensor.Of("present_key", new Tensor(shape.KeyElements), present), OnnxTensor.Of("present_value", new Tensor(shape.KeyElements), present),
            out var output);
        return new OnnxWay("GroupQueryAttention", node, output, HeadMajorOutput: false);
    }

    // The cache is filled in place: past and present are the same memory, and the newest keys, which it writes there, are there already.
    private static OnnxWay GroupQueryWithCache(Inputs inputs)
    {
        var (key, value, cache) = (Padded(inputs, inputs.HeadMajorKey), Padded(inputs, inputs.HeadMajorValue), CacheShape(inputs));
        var node = GroupQuery(
            inputs, Newest(inputs, "key", inputs.Key), Newest(inputs, "value", inputs.Value),
            OnnxTensor.Of("past_key", key, cache), OnnxTensor.Of("past_value", value, cache),
            OnnxTensor.Of("present_key", key, cache), OnnxTensor.Of("present_value", value, cache),
            out var output);
        return new OnnxWay("GroupQueryAttention, cache in place", node, output, HeadMajorOutput: false);
    }

    // The same with a byte for each element, and a scale for all keys and one for all values.
    private static OnnxWay GroupQueryWithBytes(Inputs inputs)
    {
        long[] cache = CacheShape(inputs);
        var (key, value) = (Bytes(Padded(inputs, inputs.HeadMajorKey), out float keyScale), Bytes(Padded(inputs, inputs.HeadMajorValue), out float valueScale));
        var node = GroupQuery(
            inputs, Newest(inputs, "key", inputs.Key), Newest(inputs, "value", inputs.Value),
            OnnxTensor.OfBytes("past_key", key, cache), OnnxTensor.OfBytes("past_value", value, cache),
            OnnxTensor.OfBytes("present_key", key, cache), OnnxTensor.OfBytes("present_value", value, cache),
            out var output,
            [OnnxTensor.Of("k_scale", OnnxElement.Float, new[] { keyScale }, [1]), OnnxTensor.Of("v_scale", OnnxElement.Float, new[] { valueScale }, [1])]);
        node = node with
        {
            Attributes = new Dictionary<string, int>(node.Attributes) { ["kv_cache_bit_width"] = 8 },
            TextAttributes = new Dictionary<string, string> { ["k_quant_type"] = "PER_TENSOR", ["v_quant_type"] = "PER_TENSOR" },
        };
        return new OnnxWay("GroupQueryAttention, cache of int8 in place", node, output, HeadMajorOutput: false) { Storage = "int8", ElementBytes = 1, Tolerance = 5e-2 };
    }

    /// <summary>It has one length of memory for all sequences.</summary>
    private static long[] CacheShape(Inputs inputs) => [inputs.Shape.Batch, inputs.Shape.KeyValueHeads, inputs.Shape.Keys, inputs.Shape.HeadDim];

    /// <summary>The tokens of the queries, of each sequence.</summary>
    private static OnnxTensor Newest(Inputs inputs, string name, Tensor tensor)
    {
        var shape = inputs.Shape;
        int width = shape.KeyValueHeads * shape.HeadDim;
        long[] newest = [shape.Batch, shape.Queries, width];
        if (shape.Batch == 1) return OnnxTensor.Of(name, tensor, newest, (shape.Keys - shape.Queries) * width);
        var copy = new Tensor(shape.Batch * shape.Queries * width);
        for (int batch = 0; batch < shape.Batch; batch++)
        {
            tensor.Span.Slice((shape.FirstKeyOf(batch + 1) - shape.Queries) * width, shape.Queries * width)
                .CopyTo(copy.Span[(batch * shape.Queries * width)..]);
        }

        return OnnxTensor.Of(name, copy, newest);
    }

    /// <summary>Head-major keys or values of sequences, each with the memory of the longest.</summary>
    private static Tensor Padded(Inputs inputs, Tensor headMajor)
    {
        var shape = inputs.Shape;
        if (shape.Lengths is null) return headMajor;
        int heads = shape.KeyValueHeads, dim = shape.HeadDim;
        var padded = new Tensor(shape.Batch * heads * shape.Keys * dim);
        padded.Span.Clear();
        for (int batch = 0; batch < shape.Batch; batch++)
        {
            for (int head = 0; head < heads; head++)
            {
                int length = shape.KeysOf(batch) * dim;
                headMajor.Span.Slice(shape.FirstKeyOf(batch) * heads * dim + head * length, length).CopyTo(padded.Span[((batch * heads + head) * shape.Keys * dim)..]);
            }
        }

        return padded;
    }

    private static Tensor Bytes(Tensor tensor, out float scale)
    {
        var numbers = tensor.Span;
        scale = Math.Abs(TensorPrimitives.MaxMagnitude<float>(numbers)) / sbyte.MaxValue;
        var rounded = new Tensor((tensor.Length + sizeof(float) - 1) / sizeof(float));
        var bytes = MemoryMarshal.Cast<float, sbyte>(rounded.Span);
        for (int i = 0; i < numbers.Length; i++) bytes[i] = (sbyte)MathF.Round(numbers[i] / scale);
        return rounded;
    }

    private static OnnxNode GroupQuery(
        Inputs inputs, OnnxTensor key, OnnxTensor value, OnnxTensor? pastKey, OnnxTensor? pastValue, OnnxTensor presentKey, OnnxTensor presentValue,
        out Tensor output, OnnxTensor[]? scales = null)
    {
        var shape = inputs.Shape;
        CheckVariant(shape.Variant);
        var bias = AttentionBias(inputs);
        float[]? sinks = shape.Variant?.Sinks;
        output = new Tensor(shape.QueryElements);
        long[] queries = [shape.Batch, shape.Queries, shape.Heads * shape.HeadDim];
        int[] lastKeys = [.. Enumerable.Range(0, shape.Batch).Select(batch => shape.KeysOf(batch) - 1)];
        return new OnnxNode(
            Contrib, 1, "GroupQueryAttention",
            new Dictionary<string, int>
            {
                ["num_heads"] = shape.Heads, ["kv_num_heads"] = shape.KeyValueHeads, ["causal"] = shape.Causal ? 1 : 0,
                // Counted with the query's own key; -1 is none.
                ["local_window_size"] = shape.WindowLeft < 0 ? -1 : shape.WindowLeft + 1,
            },
            [
                OnnxTensor.Of("query", inputs.Query, queries), key, value, pastKey, pastValue,
                OnnxTensor.Of("seqlens_k", OnnxElement.Int32, lastKeys, [shape.Batch]),
                OnnxTensor.Of("total_sequence_length", OnnxElement.Int32, new[] { shape.Keys }, [1]),
                .. bias is null && sinks is null ? (OnnxTensor?[])[] : [null, null, null, bias],
                .. sinks is null ? (OnnxTensor?[])[] : [OnnxTensor.Of("head_sink", OnnxElement.Float, sinks, [shape.Heads])],
                .. scales is null ? (OnnxTensor?[])[] : [null, null, null, null, null, .. scales], // a cache with them has neither bias nor sinks here
            ],
            [OnnxTensor.Of("output", output, queries), presentKey, presentValue])
        {
            FloatAttributes = SoftCap(shape),
        };
    }
}
