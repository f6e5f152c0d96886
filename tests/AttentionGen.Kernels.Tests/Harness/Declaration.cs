using System.Globalization;
using System.Text.RegularExpressions;

namespace AttentionGen.Kernels.Tests;

/// <summary>The parameters that a kernel has beside its tensors.</summary>
[Flags]
public enum Roles
{
    None = 0,
    QueryStart = 1,
    QueryStarts = 2,
    KeyLengths = 4,
    MaxThreads = 8,
    Scratch = 16,

    /// <summary>The batch beside tensor spans, whose shapes say it; beside spans it is always there.</summary>
    Batch = 32,
    Slopes = 64,
    Sinks = 128,
    LogSumExp = 256,
    PrefixLength = 512,
    PrefixLengths = 1024,
    DocumentStarts = 2048,
    KeyDocumentStarts = 4096,
    Scales = 8192,
    Scores = 16384,
    MaxScore = 32768,
    Entropy = 65536,
    ArgMax = 131072,
    QueryNormWeight = 262144,
    KeyNormWeight = 524288,
}

/// <summary>Where keys and values lie.</summary>
public enum KeyStore
{
    Spans,

    /// <summary>In a <see cref="KeyValueCache{T}"/>.</summary>
    Cache,

    /// <summary>In a <see cref="PagedKeyValueCache{T}"/>, a sequence for each document.</summary>
    Pages,
}

/// <summary>A declaration of a kernel, as a user would write it.</summary>
public sealed record Declaration(int Heads, int HeadDim)
{
    /// <summary>The parameters of kernels that their own masks and scores can take, as every call gives them, and as a reference gets them.</summary>
    private static readonly (string Name, string Type, string Given, string Value)[] s_captured =
    [
        ("width", "int", $"{Own.Width}", $"{Own.Width}"), ("slope", "float", $"{Text(Own.Slope)}f", $"{Text(Own.Slope)}f"),
        ("table", "ReadOnlySpan<float>", "a.Table", "Own.Table"), ("segment", "ReadOnlySpan<int>", "a.Segment", "Own.Segment"),
    ];

    /// <summary>What a call of a function of floats begins with.</summary>
    private static readonly Regex s_floatFunction = new(@"\b(MathF|float)\.(?=[A-Za-z0-9]+\()");

    public int KeyValueHeads { get; init; } = Heads;

    public int ValueDim { get; init; } = HeadDim;

    /// <summary>How a query and a key give a score.</summary>
    public AttentionScore PairScore { get; init; }

    /// <summary>The elements of a key of general scores; 0 where it is not given.</summary>
    public int GivenKeyDim { get; init; }

    public int KeyDim => GivenKeyDim == 0 ? HeadDim : GivenKeyDim;

    /// <summary>Whether the value is the first elements of the key. <see cref="Inputs"/> has a copy of them, which references and bounds read.</summary>
    public bool ValueFromKey { get; init; }

    public AttentionMask Mask { get; init; }

    /// <summary>Keys that a query sees before and behind its position, -1 where that side is open.</summary>
    public (int Left, int Right) Window { get; init; } = (-1, -1);

    /// <summary>Whether it matters where the queries stand.</summary>
    public bool HasPositions => Mask == AttentionMask.Causal || Window != (-1, -1) || ChunkLength > 0 || Dilation > 1 || Rotary != AttentionRotary.None || Uses("query");

    /// <summary>Keys that the left side of the window does not hide; 0 for none, as for the next.</summary>
    public int FirstKeys { get; init; }

    public int PrefixLength { get; init; }

    public int ChunkLength { get; init; }

    public int Dilation { get; init; } = 1;

    /// <summary>Sizes of the blocks of a block-sparse mask and the axes of its lists; none where they are 0.</summary>
    public (int Queries, int Keys, AttentionAxes Axes) Blocks { get; init; }

    /// <summary>0 where none is given.</summary>
    public float Scale { get; init; }

    public bool Batched { get; init; }

    public Roles Roles { get; init; } = Roles.MaxThreads;

    public AttentionIsas Isas { get; init; } = AttentionIsas.All;

    public AttentionLayout Layout { get; init; }

    /// <summary>Query heads of a key-value head.</summary>
    public int Group => Heads / KeyValueHeads;

    /// <summary>Elements of a token in query, key, value and output, or of one of its heads where heads come first: strides are at least that.</summary>
    public (int Query, int Key, int Value, int Output) Widths => Layout == AttentionLayout.HeadMajor
        ? (HeadDim, KeyDim, ValueDim, ValueDim)
        : (Heads * HeadDim, KeyValueHeads * KeyDim, KeyValueHeads * ValueDim, Heads * ValueDim);

    /// <summary>Elements from token to token in query, key, value and output; 0 where none is given.</summary>
    public (int Query, int Key, int Value, int Output) Strides { get; init; }

    /// <summary>Whether the tensors are tensor spans; the strides above are then those of the tensors.</summary>
    public bool TensorSpans { get; init; }

    /// <summary>Where keys and values lie. A cache holds them as they are in the inputs: nothing is appended.</summary>
    public KeyStore KeysIn { get; init; }

    /// <summary>The type of the elements of keys and values.</summary>
    public Storage Storage { get; init; }

    /// <summary>Whether queries and outputs have elements of that type, too.</summary>
    public (bool Query, bool Output) Narrow { get; init; }

    /// <summary>0 where it is not fixed.</summary>
    public int QueryLength { get; init; }

    public int KeyLength { get; init; }

    /// <summary>Whether the tensors lie in memory as <see cref="Inputs"/> has them.</summary>
    public bool IsPlain => Layout == AttentionLayout.TokenMajor && Strides == default && !TensorSpans;

    /// <summary>0 for none.</summary>
    public float SoftCap { get; init; }

    public bool Alibi { get; init; }

    /// <summary>Buckets of relative positions; 0 where there is no bias for them.</summary>
    public int Buckets { get; init; }

    /// <summary>0 where it is not given.</summary>
    public int MaxDistance { get; init; }

    public bool Bidirectional { get; init; } = true;

    /// <summary>The user's own mask, an expression of query, key, head, batch, `width`, `slope` and the spans `table` and `segment`; empty where there is none.</summary>
    public string MaskText { get; init; } = "";

    /// <summary>The user's own score, an expression of score, query, key, head, batch, the same; empty where there is none.</summary>
    public string ScoreText { get; init; } = "";

    /// <summary>The axes of the bias; None where there is none.</summary>
    public AttentionAxes Bias { get; init; }

    /// <summary>The axes of the mask of keys; None where there is none.</summary>
    public AttentionAxes Keep { get; init; }

    public AttentionNorm Norm { get; init; }

    /// <summary>0 for the default.</summary>
    public float NormEpsilon { get; init; }

    public AttentionRotary Rotary { get; init; }

    /// <summary>The rotated elements: how many, 0 where it is not given, and the first.</summary>
    public (int Dim, int Start) Rotated { get; init; }

    /// <summary>The number of rotated elements, given or not.</summary>
    public int RotaryDim => Rotated.Dim == 0 ? HeadDim - Rotated.Start : Rotated.Dim;

    /// <summary>How rows combine values.</summary>
    public AttentionSelection Selection { get; init; }

    /// <summary>The declaration with rows that choose a key, without what needs weights; tests want to know the key.</summary>
    public Declaration Hard => this with
    {
        Selection = AttentionSelection.Hard, Roles = (Roles & ~(Roles.Sinks | Roles.LogSumExp | Roles.Entropy)) | Roles.ArgMax,
        ScoresStage = Has(Roles.Scores) && ScoresStage == AttentionStage.Weights ? AttentionStage.Masked : ScoresStage,
    };

    /// <summary>What the score matrix holds.</summary>
    public AttentionStage ScoresStage { get; init; } = AttentionStage.Weights;

    /// <summary>Whether a key can be hidden beside the bounds of the rows.</summary>
    public bool Hides => FirstKeys > 0 || PrefixLength > 0 || Has(Roles.PrefixLength | Roles.PrefixLengths | Roles.DocumentStarts) || ChunkLength > 0 || Dilation > 1 || Blocks.Keys > 0 || Bias != 0 || Keep != 0 || MaskText.Length > 0 || ScoreText.Length > 0;

    /// <summary>Whether scores are more than scaled products.</summary>
    public bool IsScored => SoftCap != 0 || Alibi || Buckets != 0 || Bias != 0 || ScoreText.Length > 0 || Has(Roles.Slopes | Roles.Sinks | Roles.Scales);

    public bool Has(Roles role) => (Roles & role) != 0;

    /// <summary>What the scale is, given or not.</summary>
    public float Factor => Scale != 0 ? Scale : PairScore == AttentionScore.Dot ? (float)(1 / Math.Sqrt(HeadDim)) : 1;

    public AttentionReference Reference => new(Heads, HeadDim)
    {
        KeyValueHeads = KeyValueHeads,
        ValueDim = ValueDim,
        Mask = Mask,
        WindowLeft = Window.Left,
        WindowRight = Window.Right,
        FirstKeys = FirstKeys,
        PrefixLength = PrefixLength,
        ChunkLength = ChunkLength,
        Dilation = Dilation,
        QueryBlockSize = Blocks.Queries,
        KeyBlockSize = Blocks.Keys,
        BlockAxes = Blocks.Axes,
        PairScore = PairScore,
        KeyDim = KeyDim,
        Scale = Scale != 0 ? Scale : PairScore == AttentionScore.Dot ? 1 / Math.Sqrt(HeadDim) : 1,
        SoftCap = SoftCap,
        Visible = MaskText.Length > 0 ? Own.Of(this).Visible : null,
        Score = ScoreText.Length > 0 ? Own.Of(this).Score is var score ? (value, query, key, head, batch) => score((float)value, query, key, head, batch) : null : null,
        Alibi = Alibi,
        RelativeBuckets = Buckets,
        RelativeMaxDistance = MaxDistance == 0 ? 128 : MaxDistance,
        RelativeBidirectional = Bidirectional,
        BiasAxes = Bias,
        KeepAxes = Keep,
        Selection = Selection,
        ScoresStage = ScoresStage,
        QueryKeyNorm = Norm,
        NormEpsilon = NormEpsilon == 0 ? 1e-6f : NormEpsilon,
        Rotary = Rotary,
        RotaryDim = Rotated.Dim,
        RotaryStart = Rotated.Start,
    };

    /// <summary>How a tensor lies in memory.</summary>
    public Placement Place(int batch, int tokens, int heads, int dim, int stride) => new(Layout, Batched, batch, tokens, heads, dim, stride);

    /// <summary>A name that is also that of the method: <c>h4kv2d64v24_causal_batched_keyLengths</c>.</summary>
    public override string ToString()
    {
        string name = $"h{Heads}kv{KeyValueHeads}d{HeadDim}v{ValueDim}";
        if (PairScore != AttentionScore.Dot) name += $"_{PairScore}{(GivenKeyDim == 0 ? "" : $"{GivenKeyDim}")}";
        if (ValueFromKey) name += "_valueFromKey";
        if (Mask == AttentionMask.Causal) name += "_causal";
        if (Window.Left >= 0) name += $"_left{Window.Left}";
        if (Window.Right >= 0) name += $"_right{Window.Right}";
        if (FirstKeys > 0) name += $"_first{FirstKeys}";
        if (PrefixLength > 0) name += $"_prefix{PrefixLength}";
        if (ChunkLength > 0) name += $"_chunk{ChunkLength}";
        if (Dilation > 1) name += $"_every{Dilation}";
        if (Blocks.Keys > 0) name += $"_blocks{Blocks.Queries}x{Blocks.Keys}of{(int)Blocks.Axes}";
        if (Batched) name += "_batched";
        if (Layout == AttentionLayout.HeadMajor) name += "_headMajor";
        if (Strides != default) name += $"_strides{Strides.Query}_{Strides.Key}_{Strides.Value}_{Strides.Output}";
        if (TensorSpans) name += "_tensors";
        if (Storage != Storage.Wide) name += $"_{Storage}{(Narrow.Query ? "Q" : "")}{(Narrow.Output ? "O" : "")}";
        if (KeysIn != KeyStore.Spans) name += $"_{KeysIn}";
        if (QueryLength != 0) name += $"_m{QueryLength}";
        if (KeyLength != 0) name += $"_n{KeyLength}";
        if (Scale != 0) name += "_scale" + Text(Scale).Replace('.', 'p').Replace('-', 'm').Replace("+", "", StringComparison.Ordinal);
        if (SoftCap != 0) name += "_cap" + Text(SoftCap).Replace('.', 'p');
        if (MaskText.Length > 0) name += $"_mask{Hash(MaskText)}";
        if (ScoreText.Length > 0) name += $"_score{Hash(ScoreText)}";
        if (Alibi) name += "_alibi";
        if (Buckets != 0) name += $"_relative{Buckets}{(MaxDistance != 0 ? $"to{MaxDistance}" : "")}{(Bidirectional ? "" : "before")}";
        if (Bias != 0) name += $"_bias{(int)Bias}";
        if (Keep != 0) name += $"_keep{(int)Keep}";
        if (Norm != AttentionNorm.None) name += $"_{Norm}" + (NormEpsilon == 0 ? "" : Text(NormEpsilon).Replace('.', 'p').Replace('-', 'm').Replace("+", "", StringComparison.Ordinal));
        if (Rotary != AttentionRotary.None) name += $"_{Rotary}{(Rotated == default ? "" : $"{Rotated.Dim}at{Rotated.Start}")}";
        if (Selection != AttentionSelection.Softmax) name += $"_{Selection}";
        if (ScoresStage != AttentionStage.Weights) name += $"_{ScoresStage}";
        foreach (var role in Enum.GetValues<Roles>())
            if (role is not (Roles.None or Roles.MaxThreads) && Has(role)) name += $"_{role}";
        if (!Has(Roles.MaxThreads)) name += "_anyThreads";
        if (Isas != AttentionIsas.All) name += "_" + Isas.ToString().Replace(", ", "_", StringComparison.Ordinal);
        return name;
    }

    /// <summary>The partial method, and beside it the same behind <see cref="KernelBody"/> and as a delegate of its own type.</summary>
    public string Source
    {
        get
        {
            var parameters = new List<(string Declared, string Given)>
            {
                Tensor("ReadOnly", "Query"), Tensor("", "Output"),
            };
            if (KeysIn == KeyStore.Spans) parameters.AddRange(ValueFromKey ? [Tensor("ReadOnly", "Key")] : [Tensor("ReadOnly", "Key"), Tensor("ReadOnly", "Value")]);
            else parameters.AddRange([Cached(KeysIn == KeyStore.Pages ? "PagedKeyValueCache" : "KeyValueCache"), ("int layer", $"{FilledCache.Layer}")]);
            if (KeysIn == KeyStore.Pages) parameters.Add(("ReadOnlySpan<SequenceId> sequences", "a.Sequences"));
            if (PairScore == AttentionScore.Additive) parameters.Add(("ReadOnlySpan<float> scoreVector", "a.ScoreVector"));
            if (PairScore == AttentionScore.General) parameters.Add(("ReadOnlySpan<float> queryKeyWeight", "a.QueryKeyWeight"));
            if (Batched && (!TensorSpans || Has(Roles.Batch))) parameters.Add(("int batch", "a.Batch"));
            if (Has(Roles.QueryStart)) parameters.Add(("int queryStart", "a.QueryStart"));
            if (Has(Roles.QueryStarts)) parameters.Add(("ReadOnlySpan<int> queryStarts", "a.QueryStarts"));
            if (Has(Roles.KeyLengths)) parameters.Add(("ReadOnlySpan<int> keyLengths", "a.KeyLengths"));
            if (Has(Roles.PrefixLength)) parameters.Add(("int prefixLength", "a.PrefixLengths[0]"));
            if (Has(Roles.PrefixLengths)) parameters.Add(("ReadOnlySpan<int> prefixLengths", "a.PrefixLengths"));
            if (Has(Roles.DocumentStarts)) parameters.Add(("ReadOnlySpan<int> documentStarts", "a.DocumentStarts"));
            if (Has(Roles.KeyDocumentStarts)) parameters.Add(("ReadOnlySpan<int> keyDocumentStarts", "a.KeyDocumentStarts"));
            if (Blocks.Keys > 0) parameters.Add(("ReadOnlySpan<int> keyBlockStarts", "a.KeyBlockStarts"));
            if (Blocks.Keys > 0) parameters.Add(("ReadOnlySpan<int> keyBlocks", "a.KeyBlocks"));
            foreach (var (name, type, given, _) in s_captured)
                if (Uses(name)) parameters.Add(($"{type} {name}", given));
            if (Buckets != 0) parameters.Add(("ReadOnlySpan<float> relativeBias", "a.RelativeBias"));
            if (Has(Roles.Scales)) parameters.Add(("ReadOnlySpan<float> scales", "a.Scales"));
            if (Bias != 0) parameters.Add(("ReadOnlySpan<float> bias", "a.Bias"));
            if (Keep != 0) parameters.Add(("ReadOnlySpan<bool> keep", "a.Keep"));
            if (Has(Roles.Slopes)) parameters.Add(("ReadOnlySpan<float> slopes", "a.Slopes"));
            if (Has(Roles.Sinks)) parameters.Add(("ReadOnlySpan<float> sinks", "a.Sinks"));
            if (Has(Roles.LogSumExp)) parameters.Add(("Span<float> logSumExp", "a.LogSumExp"));
            if (Has(Roles.Scores)) parameters.Add(("Span<float> scores", "a.Scores"));
            if (Has(Roles.MaxScore)) parameters.Add(("Span<float> maxScore", "a.MaxScore"));
            if (Has(Roles.Entropy)) parameters.Add(("Span<float> entropy", "a.Entropy"));
            if (Has(Roles.ArgMax)) parameters.Add(("Span<int> argmax", "a.ArgMax"));
            if (Has(Roles.QueryNormWeight)) parameters.Add(("ReadOnlySpan<float> queryNormWeight", "a.QueryNormWeight"));
            if (Has(Roles.KeyNormWeight)) parameters.Add(("ReadOnlySpan<float> keyNormWeight", "a.KeyNormWeight"));
            if (Rotary != AttentionRotary.None) parameters.Add(("RotaryTable rotary", "a.Rotary"));
            if (Has(Roles.MaxThreads)) parameters.Add(("int maxThreads", "a.MaxThreads"));
            if (Has(Roles.Scratch)) parameters.Add(("Span<byte> scratch", "a.Scratch"));

            string attribute = $"heads: {Heads}, headDim: {HeadDim}";
            if (KeyValueHeads != Heads) attribute += $", KeyValueHeads = {KeyValueHeads}";
            if (ValueDim != HeadDim) attribute += $", ValueDim = {ValueDim}";
            if (PairScore != AttentionScore.Dot) attribute += $", Score = AttentionScore.{PairScore}";
            if (GivenKeyDim != 0) attribute += $", KeyDim = {GivenKeyDim}";
            if (ValueFromKey) attribute += ", ValueFromKey = true";
            if (Mask != AttentionMask.None) attribute += $", Mask = AttentionMask.{Mask}";
            if (Window.Left >= 0) attribute += $", WindowLeft = {Window.Left}";
            if (Window.Right >= 0) attribute += $", WindowRight = {Window.Right}";
            if (FirstKeys > 0) attribute += $", FirstKeys = {FirstKeys}";
            if (PrefixLength > 0) attribute += $", PrefixLength = {PrefixLength}";
            if (ChunkLength > 0) attribute += $", ChunkLength = {ChunkLength}";
            if (Dilation > 1) attribute += $", Dilation = {Dilation}";
            if (Blocks.Keys > 0) attribute += $", QueryBlockSize = {Blocks.Queries}, KeyBlockSize = {Blocks.Keys}, BlockAxes = {Axes(Blocks.Axes)}";
            if (Scale != 0) attribute += $", Scale = {Text(Scale)}f";
            if (SoftCap != 0) attribute += $", SoftCap = {Text(SoftCap)}f";
            if (MaskText.Length > 0) attribute += $", MaskMethod = nameof(Visible_{this})";
            if (ScoreText.Length > 0) attribute += $", ScoreMethod = nameof(Score_{this})";
            if (Alibi) attribute += ", Alibi = true";
            if (Buckets != 0) attribute += $", RelativeBuckets = {Buckets}";
            if (MaxDistance != 0) attribute += $", RelativeMaxDistance = {MaxDistance}";
            if (!Bidirectional) attribute += ", RelativeBidirectional = false";
            if (Bias != 0) attribute += $", BiasAxes = {Axes(Bias)}";
            if (Keep != 0) attribute += $", KeepAxes = {Axes(Keep)}";
            if (Norm != AttentionNorm.None) attribute += $", QueryKeyNorm = AttentionNorm.{Norm}";
            if (NormEpsilon != 0) attribute += $", NormEpsilon = {Text(NormEpsilon)}f";
            if (Rotary != AttentionRotary.None) attribute += $", Rotary = AttentionRotary.{Rotary}";
            if (Rotated.Dim != 0) attribute += $", RotaryDim = {Rotated.Dim}";
            if (Rotated.Start != 0) attribute += $", RotaryStart = {Rotated.Start}";
            if (Selection != AttentionSelection.Softmax) attribute += $", Selection = AttentionSelection.{Selection}";
            if (ScoresStage != AttentionStage.Weights) attribute += $", ScoresStage = AttentionStage.{ScoresStage}";
            if (Batched) attribute += ", Batched = true";
            if (Layout == AttentionLayout.HeadMajor) attribute += ", Layout = AttentionLayout.HeadMajor";
            if (!TensorSpans)
                foreach (var (role, stride) in new[] { ("Query", Strides.Query), ("Key", Strides.Key), ("Value", Strides.Value), ("Output", Strides.Output) })
                    if (stride != 0) attribute += $", {role}Stride = {stride}";
            if (QueryLength != 0) attribute += $", QueryLength = {QueryLength}";
            if (KeyLength != 0) attribute += $", KeyLength = {KeyLength}";
            if (Isas != AttentionIsas.All) attribute += $", Isas = (AttentionIsas){(int)Isas}";

            return $"""
                    [Attention({attribute})]
                    public static partial void {this}({string.Join(", ", parameters.Select(p => p.Declared))});
                    public static void Call_{this}(in KernelArguments a) => {this}({string.Join(", ", parameters.Select(p => p.Given))});
                    public static Delegate Method_{this}() => {this};
                {OwnMethods}

                """;
        }
    }

    /// <summary>Whether the user's own mask or score takes parameters of the kernel.</summary>
    public bool UsesParameters => Captured(MaskText).Declared.Length + Captured(ScoreText).Declared.Length > 0;

    /// <summary>The methods beside the kernel, and delegates of them that need no more than the pair.</summary>
    public string OwnMethods
    {
        get
        {
            string text = "";
            if (MaskText.Length > 0)
            {
                var (declared, given) = Captured(MaskText);
                text += $"""
                        private static bool Visible_{this}(int query, int key, int head, int batch{declared}) => {MaskText};
                        public static Func<int, int, int, int, bool> OwnMask_{this}() => (query, key, head, batch) => Visible_{this}(query, key, head, batch{given});

                    """;
            }

            if (ScoreText.Length > 0)
            {
                var (declared, given) = Captured(ScoreText);
                text += $"""
                        private static float Score_{this}(float score, int query, int key, int head, int batch{declared}) => {ScoreText};
                        public static Func<float, int, int, int, int, float> OwnScore_{this}() => (score, query, key, head, batch) => Score_{this}(score, query, key, head, batch{given});
                        private static Traced Traced_{this}(Traced score, int query, int key, int head, int batch{declared}) => {s_floatFunction.Replace(ScoreText, "Traced.").Replace("score is ", "score.Value is ", StringComparison.Ordinal)};
                        public static Func<Traced, int, int, int, int, Traced> OwnTraced_{this}() => (score, query, key, head, batch) => Traced_{this}(score, query, key, head, batch{given});

                    """;
            }

            return text;
        }
    }

    /// <summary>Whether one of the methods has it in its text.</summary>
    private bool Uses(string name) => MaskText.Contains(name) || ScoreText.Contains(name);

    /// <summary>The parameters of the kernel that a method takes, and their values.</summary>
    private static (string Declared, string Given) Captured(string text)
    {
        var captured = s_captured.Where(parameter => text.Contains(parameter.Name)).ToList();
        return (string.Concat(captured.Select(parameter => $", {parameter.Type} {parameter.Name}")), string.Concat(captured.Select(parameter => $", {parameter.Value}")));
    }

    private static string Hash(string text) => Convert.ToHexString(System.Security.Cryptography.SHA256.HashData(System.Text.Encoding.UTF8.GetBytes(text)))[..10];

    private (string Declared, string Given) Tensor(string access, string role)
    {
        string name = role.ToLowerInvariant();
        bool isNarrow = Storage != Storage.Wide && role switch { "Query" => Narrow.Query, "Output" => Narrow.Output, _ => true };
        if (isNarrow) return ($"{access}Span<{Storage}> {name}", $"MemoryMarshal.Cast<byte, {Storage}>(a.Narrow{role})");
        return TensorSpans ? ($"{access}TensorSpan<float> {name}", $"a.{role}Tensor") : ($"{access}Span<float> {name}", $"a.{role}");
    }

    private (string Declared, string Given) Cached(string cache) => ($"{cache}<{Storage.TypeName()}> cache", $"({cache}<{Storage.TypeName()}>)a.Cache!");

    private static string Axes(AttentionAxes axes) => string.Join(" | ", axes.ToString().Split(", ").Select(axis => $"AttentionAxes.{axis}"));

    private static string Text(float value) => value.ToString("R", CultureInfo.InvariantCulture);
}
