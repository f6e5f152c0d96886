using AttentionGen.Benchmarks.Shapes;

namespace AttentionGen.Benchmarks.Contenders.OnnxRuntime;

/// <summary>An operator that computes a shape, and what its output is.</summary>
internal sealed record OnnxWay(string Path, OnnxNode Node, Tensor Output, bool HeadMajorOutput)
{
    private const string Contrib = "com.microsoft";

    /// <summary>All operators that can do the shape, each with the tensors in the order that it wants them.</summary>
    public static IEnumerable<OnnxWay> Of(Inputs inputs)
    {
        var shape = inputs.Shape;
        if (shape.Heads == shape.KeyValueHeads && shape.WindowLeft < 0)
        {
            yield return MultiHead(inputs, headMajorKeys: false);
            if (shape.ReadsCache) yield return MultiHead(inputs, headMajorKeys: true);
        }

        yield return Attention(inputs);
        yield return shape.ReadsCache ? GroupQueryWithCache(inputs) : GroupQuery(inputs);
    }

    private static OnnxWay MultiHead(Inputs inputs, bool headMajorKeys)
    {
        var shape = inputs.Shape;
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
            ],
            [OnnxTensor.Of("output", output, queries)]);
        return new OnnxWay(headMajorKeys ? "MultiHeadAttention, head-major keys" : "MultiHeadAttention", node, output, HeadMajorOutput: false);
    }

    private static OnnxWay Attention(Inputs inputs)
    {
        var shape = inputs.Shape;
        var output = new Tensor(shape.QueryElements);
        long[] queries = [shape.Batch, shape.Heads, shape.Queries, shape.HeadDim], keys = [shape.Batch, shape.KeyValueHeads, shape.Keys, shape.HeadDim];

        // Its causal mask starts at key 0; queries that follow older keys, or have a window, take a mask.
        bool masked = shape.IsMasked && (shape.Queries < shape.Keys || shape.WindowLeft >= 0);
        var node = new OnnxNode(
            "", 23, "Attention",
            new Dictionary<string, int> { ["is_causal"] = shape.Causal && !masked && shape.Queries == shape.Keys ? 1 : 0 },
            [
                OnnxTensor.Of("Q", inputs.HeadMajorQuery, queries),
                OnnxTensor.Of("K", inputs.HeadMajorKey, keys),
                OnnxTensor.Of("V", inputs.HeadMajorValue, keys),
                masked ? Mask(shape) : null,
            ],
            [OnnxTensor.Of("Y", output, queries)]);
        return new OnnxWay("Attention-23", node, output, HeadMajorOutput: true);
    }

    private static OnnxTensor Mask(Shape shape)
    {
        bool[] mask = new bool[shape.Queries * shape.Keys];
        for (int i = 0; i < shape.Queries; i++)
        {
            var (first, end) = shape.Visible(i);
            mask.AsSpan(i * shape.Keys + first, end - first).Fill(true);
        }

        return OnnxTensor.Of("attn_mask", OnnxElement.Bool, mask, [shape.Queries, shape.Keys]);
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
        var shape = inputs.Shape;
        int width = shape.KeyValueHeads * shape.HeadDim, newest = (shape.Keys - shape.Queries) * width;
        long[] keys = [1, shape.Queries, width], cache = [1, shape.KeyValueHeads, shape.Keys, shape.HeadDim];
        var node = GroupQuery(
            inputs, OnnxTensor.Of("key", inputs.Key, keys, newest), OnnxTensor.Of("value", inputs.Value, keys, newest),
            OnnxTensor.Of("past_key", inputs.HeadMajorKey, cache), OnnxTensor.Of("past_value", inputs.HeadMajorValue, cache),
            OnnxTensor.Of("present_key", inputs.HeadMajorKey, cache), OnnxTensor.Of("present_value", inputs.HeadMajorValue, cache),
            out var output);
        return new OnnxWay("GroupQueryAttention, cache in place", node, output, HeadMajorOutput: false);
    }

    private static OnnxNode GroupQuery(
        Inputs inputs, OnnxTensor key, OnnxTensor value, OnnxTensor? pastKey, OnnxTensor? pastValue, OnnxTensor presentKey, OnnxTensor presentValue,
        out Tensor output)
    {
        var shape = inputs.Shape;
        output = new Tensor(shape.QueryElements);
        long[] queries = [shape.Batch, shape.Queries, shape.Heads * shape.HeadDim];
        int[] lastKeys = [.. Enumerable.Repeat(shape.Keys - 1, shape.Batch)];
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
            ],
            [OnnxTensor.Of("output", output, queries), presentKey, presentValue]);
    }
}
