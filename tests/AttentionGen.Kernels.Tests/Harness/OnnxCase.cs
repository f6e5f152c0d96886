using System.Text.Json;

namespace AttentionGen.Kernels.Tests;

/// <summary>A recorded case of the operator tests of ONNX for Attention, and the call that it is here.</summary>
internal sealed class OnnxCase
{
    private const string Prefix = "test_attention_";

    /// <summary>What a case can ask for and a kernel does not have: each row is the reason why the cases that need it are not run.</summary>
    private static readonly (string Feature, Func<OnnxCase, bool> IsNeeded)[] s_missing = [];

    /// <summary>All that is looked at here. softmax_precision asks for no more than single precision gives within the tolerance.</summary>
    private static readonly string[] s_known =
    [
        "q_num_heads", "kv_num_heads", "is_causal", "scale", "softcap", "left_window_size", "qk_matmul_output_mode", "softmax_precision",
        "Q", "K", "V", "attn_mask", "past_key", "past_value", "nonpad_kv_seqlen",
        "Y", "present_key", "present_value", "qk_matmul_output",
    ];

    private static readonly Safetensors s_file = new(Path.Combine(AppContext.BaseDirectory, "data", "onnx-attention.safetensors"));

    private readonly string _recordedName;
    private readonly Dictionary<string, double> _attributes;
    private readonly string[] _inputs;
    private readonly string[] _outputs;

    private OnnxCase(JsonElement recorded)
    {
        _recordedName = recorded.GetProperty("name").GetString()!;
        _attributes = recorded.GetProperty("attributes").EnumerateObject().ToDictionary(attribute => attribute.Name, attribute => attribute.Value.GetDouble());
        _inputs = [.. recorded.GetProperty("inputs").EnumerateArray().Select(input => input.GetString()!)];
        _outputs = [.. recorded.GetProperty("outputs").EnumerateArray().Select(output => output.GetString()!)];
    }

    public static IReadOnlyList<OnnxCase> All { get; } =
        [.. JsonDocument.Parse(s_file.Metadata("cases")).RootElement.EnumerateArray().Select(recorded => new OnnxCase(recorded))];

    /// <summary>As recorded, without what all names begin with.</summary>
    public string Name => _recordedName[Prefix.Length..];

    /// <summary>Attributes, inputs and outputs that would be ignored.</summary>
    public IEnumerable<string> Unknown => _attributes.Keys.Concat(_inputs).Concat(_outputs).Except(s_known);

    /// <summary>What the case needs and the library does not have; nothing where the case can be run.</summary>
    public IReadOnlyList<string> Missing => [.. s_missing.Where(row => row.IsNeeded(this)).Select(row => row.Feature)];

    public Problem Problem
    {
        get
        {
            var query = Dimensions("Q", "q_num_heads");
            var key = Dimensions("K", "kv_num_heads");
            bool causal = Attribute("is_causal", 0) != 0;
            var declaration = new Declaration(query.Heads, query.Dim)
            {
                KeyValueHeads = key.Heads,
                ValueDim = Dimensions("V", "kv_num_heads").Dim,
                Mask = causal ? AttentionMask.Causal : AttentionMask.None,
                Window = ((int)Attribute("left_window_size", -1), -1),
                Scale = (float)Attribute("scale", 0),
                SoftCap = (float)Attribute("softcap", 0),
                Bias = HasBias ? MaskAxes : 0,
                Keep = HasKeep ? MaskAxes : 0,
                Batched = true,
                Layout = Layout,
                Storage = IsHalf ? Storage.Half : Storage.Wide,
                Narrow = (IsHalf, IsHalf),
                Roles = Roles.MaxThreads | (KeyLengths is not null ? Roles.KeyLengths : 0) | (Gives("qk_matmul_output") ? Roles.Scores : 0),
                ScoresStage = Gives("qk_matmul_output") ? (AttentionStage)(int)Attribute("qk_matmul_output_mode", 0) : AttentionStage.Weights,
            };
            if (declaration.HasPositions && Start is not null) declaration = declaration with { Roles = declaration.Roles | Roles.QueryStart };
            return new Problem(declaration, query.Tokens, PastLength + key.Tokens)
            {
                Batch = query.Batch,
                QueryStarts = declaration.Has(Roles.QueryStart) ? [Start!.Value] : null,
                KeyLengths = KeyLengths,
            };
        }
    }

    /// <summary>Whether the tensors have elements of 16 bits.</summary>
    public bool IsHalf => Type("Q") == "F16";

    public float[] Query => Floats("Q");

    public float[] Key => AfterPast("past_key", "K");

    public float[] Value => AfterPast("past_value", "V");

    /// <summary>An additive mask; empty where there is none.</summary>
    public float[] Bias => HasBias ? Padded(s_file.Floats(Tensor("attn_mask"), s_file.Shape(Tensor("attn_mask")))) : [];

    /// <summary>A boolean mask; empty where there is none.</summary>
    public bool[] Keep => HasKeep ? Padded(s_file.Bools(Tensor("attn_mask"), s_file.Shape(Tensor("attn_mask")))) : [];

    public float[] Expected => Floats("Y");

    /// <summary>The score matrix [batch, heads, queries, keys] at the stage that the case asks for; null where it does not.</summary>
    public float[]? Scores => Gives("qk_matmul_output") ? s_file.Floats(Tensor("qk_matmul_output"), s_file.Shape(Tensor("qk_matmul_output"))) : null;

    /// <summary>The keys and values that the operator gives back for the next call; null where the case does not ask for them.</summary>
    public (float[] Key, float[] Value)? Present => Gives("present_key") ? (Floats("present_key"), Floats("present_value")) : null;

    /// <summary>
    /// The position of the first query: behind the past, and 0 without one. With lengths, none is given: they include the tokens of this
    /// call, so that the last query sees the last of them.
    /// </summary>
    private int? Start => KeyLengths is null ? PastLength : null;

    /// <summary>Tensors of rank 4 are [batch, heads, tokens, dim], those of rank 3 are [batch, tokens, heads * dim].</summary>
    private AttentionLayout Layout => s_file.Shape(Tensor("Q")).Length == 4 ? AttentionLayout.HeadMajor : AttentionLayout.TokenMajor;

    private bool HasBias => Takes("attn_mask") && Type("attn_mask") != "BOOL";

    private bool HasKeep => Takes("attn_mask") && Type("attn_mask") == "BOOL";

    /// <summary>The axes of a mask [batch, heads, queries, keys], or of the last of these: those along which it is not broadcast.</summary>
    private AttentionAxes MaskAxes
    {
        get
        {
            int[] shape = s_file.Shape(Tensor("attn_mask"));
            var axes = AttentionAxes.Key;
            for (int i = 0; i < shape.Length - 1; i++)
                if (shape[i] > 1) axes |= (AttentionAxes)(1 << (4 - shape.Length + i));
            return axes;
        }
    }

    /// <summary>A mask may end before the keys where no batch item is longer: ours has an element for each key, which is not looked at behind the length.</summary>
    private T[] Padded<T>(T[] mask)
    {
        int given = s_file.Shape(Tensor("attn_mask"))[^1], keys = PastLength + Dimensions("K", "kv_num_heads").Tokens;
        return [.. mask.Chunk(given).SelectMany(row => row.Concat(new T[keys - given]))];
    }

    private int PastLength => Takes("past_key") ? Dimensions("past_key", "kv_num_heads").Tokens : 0;

    private int[]? KeyLengths => Takes("nonpad_kv_seqlen")
        ? [.. s_file.Longs(Tensor("nonpad_kv_seqlen"), Dimensions("Q", "q_num_heads").Batch).Select(length => checked((int)length))]
        : null;

    private string Type(string tensor) => s_file.Type(Tensor(tensor));

    private double Attribute(string name, double otherwise) => _attributes.GetValueOrDefault(name, otherwise);

    private bool Takes(string input) => _inputs.Contains(input);

    private bool Gives(string output) => _outputs.Contains(output);

    private string Tensor(string name) => $"{_recordedName}/{name}";

    private (int Batch, int Heads, int Tokens, int Dim) Dimensions(string tensor, string headsOfRank3) => s_file.Shape(Tensor(tensor)) switch
    {
        [int batch, int heads, int tokens, int dim] => (batch, heads, tokens, dim),
        [int batch, int tokens, int width] when (int)Attribute(headsOfRank3, 0) is var heads => (batch, heads, tokens, width / heads),
        var shape => throw new InvalidDataException($"{Tensor(tensor)} is of rank {shape.Length}."),
    };

    /// <summary>A tensor in the layout of the case. What is cached is of rank 4 in every case.</summary>
    private float[] Floats(string tensor)
    {
        int[] shape = s_file.Shape(Tensor(tensor));
        float[] values = s_file.Floats(Tensor(tensor), shape);
        return Layout == AttentionLayout.TokenMajor && shape is [int batch, int heads, int tokens, int dim]
            ? new Placement(AttentionLayout.HeadMajor, Batched: true, batch, tokens, heads, dim, GivenStride: 0).Gather(values)
            : values;
    }

    /// <summary>Keys or values with those of the past before them, in each batch item or each head of it: a caller of ours keeps them together.</summary>
    private float[] AfterPast(string past, string tensor)
    {
        float[] now = Floats(tensor);
        if (!Takes(past)) return now;
        float[] before = Floats(past);
        var (batch, heads, _, _) = Dimensions(past, "kv_num_heads");
        int parts = Layout == AttentionLayout.HeadMajor ? batch * heads : batch;
        return [.. before.Chunk(before.Length / parts).Zip(now.Chunk(now.Length / parts)).SelectMany(part => part.First.Concat(part.Second))];
    }
}
