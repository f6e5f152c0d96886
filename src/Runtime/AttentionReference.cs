using System.Diagnostics.CodeAnalysis;
using System.Reflection;

namespace AttentionGen;

/// <summary>
/// Attention in plain loops and double precision, for tests. A kernel with the same declaration approximates its results. The code favours readability over
/// speed.
/// </summary>
/// <param name="heads">The number of query heads.</param>
/// <param name="headDim">The number of elements of a query or key head.</param>
/// <example><code>
/// var reference = new AttentionReference(heads: 32, headDim: 128) { KeyValueHeads = 8, Mask = AttentionMask.Causal };
/// reference.Attend(query, key, value, expected);
/// </code></example>
public sealed class AttentionReference(int heads, int headDim)
{
    private readonly int _keyValueHeads = heads;
    private readonly int _valueDim = headDim;
    private readonly int _keyDim = headDim;
    private readonly double? _scale;

    /// <inheritdoc cref="AttentionAttribute.Heads"/>
    public int Heads { get; } = Positive(heads, nameof(heads));

    /// <inheritdoc cref="AttentionAttribute.HeadDim"/>
    public int HeadDim { get; } = Positive(headDim, nameof(headDim));

    /// <inheritdoc cref="AttentionAttribute.KeyValueHeads"/>
    public int KeyValueHeads
    {
        get => _keyValueHeads;
        init => _keyValueHeads = Positive(value, nameof(KeyValueHeads)) is var count && Heads % count == 0
            ? count
            : throw new ArgumentException($"{Heads} heads cannot share {value} key-value heads evenly.", nameof(KeyValueHeads));
    }

    /// <inheritdoc cref="AttentionAttribute.ValueDim"/>
    public int ValueDim { get => _valueDim; init => _valueDim = Positive(value, nameof(ValueDim)); }

    /// <inheritdoc cref="AttentionAttribute.ValueFromKey"/>
    public bool ValueFromKey { get; init; }

    /// <summary>The property <see cref="AttentionAttribute.Score"/> of the kernel: how a query and a key give a score.</summary>
    public AttentionScore PairScore { get; init; }

    /// <inheritdoc cref="AttentionAttribute.KeyDim"/>
    public int KeyDim { get => _keyDim; init => _keyDim = Positive(value, nameof(KeyDim)); }

    /// <inheritdoc cref="AttentionAttribute.Mask"/>
    public AttentionMask Mask { get; init; }

    /// <inheritdoc cref="AttentionAttribute.WindowLeft"/>
    public int WindowLeft { get; init; } = -1;

    /// <inheritdoc cref="AttentionAttribute.WindowRight"/>
    public int WindowRight { get; init; } = -1;

    /// <inheritdoc cref="AttentionAttribute.FirstKeys"/>
    public int FirstKeys { get; init; }

    /// <inheritdoc cref="AttentionAttribute.PrefixLength"/>
    public int PrefixLength { get; init; }

    /// <inheritdoc cref="AttentionAttribute.ChunkLength"/>
    public int ChunkLength { get; init; }

    /// <inheritdoc cref="AttentionAttribute.Dilation"/>
    public int Dilation { get; init; } = 1;

    /// <inheritdoc cref="AttentionAttribute.QueryBlockSize"/>
    public int QueryBlockSize { get; init; }

    /// <inheritdoc cref="AttentionAttribute.KeyBlockSize"/>
    public int KeyBlockSize { get; init; }

    /// <inheritdoc cref="AttentionAttribute.BlockAxes"/>
    public AttentionAxes BlockAxes { get; init; } = AttentionAxes.Query;

    /// <inheritdoc cref="AttentionAttribute.Scale"/>
    public double Scale { get => _scale ?? (PairScore == AttentionScore.Dot ? 1 / Math.Sqrt(HeadDim) : 1); init => _scale = value; }

    /// <inheritdoc cref="AttentionAttribute.SoftCap"/>
    public double SoftCap { get; init; }

    /// <inheritdoc cref="AttentionAttribute.QueryKeyNorm"/>
    public AttentionNorm QueryKeyNorm { get; init; }

    /// <inheritdoc cref="AttentionAttribute.NormEpsilon"/>
    public double NormEpsilon { get; init; } = 1e-6f;

    /// <inheritdoc cref="AttentionAttribute.Rotary"/>
    public AttentionRotary Rotary { get; init; }

    /// <summary>The number of rotated elements of a head. 0, the default, means all from <see cref="RotaryStart"/> on.</summary>
    public int RotaryDim { get; init; }

    /// <inheritdoc cref="AttentionAttribute.RotaryStart"/>
    public int RotaryStart { get; init; }

    /// <summary>
    /// The kernel's <see cref="AttentionAttribute.MaskMethod"/> as a function of query (a position), key, head and batch item; null if there is none. With
    /// documents, the last argument is the document.
    /// </summary>
    public Func<int, int, int, int, bool>? Visible { get; init; }

    /// <summary>
    /// The kernel's <see cref="AttentionAttribute.ScoreMethod"/> as a function of score, query (a position), key, head and batch item; null if there is
    /// none. With documents, the last argument is the document.
    /// </summary>
    public Func<double, int, int, int, int, double>? Score { get; init; }

    /// <inheritdoc cref="AttentionAttribute.Alibi"/>
    public bool Alibi { get; init; }

    /// <inheritdoc cref="AttentionAttribute.RelativeBuckets"/>
    public int RelativeBuckets { get; init; }

    /// <inheritdoc cref="AttentionAttribute.RelativeMaxDistance"/>
    public int RelativeMaxDistance { get; init; } = 128;

    /// <inheritdoc cref="AttentionAttribute.RelativeBidirectional"/>
    public bool RelativeBidirectional { get; init; } = true;

    /// <inheritdoc cref="AttentionAttribute.BiasAxes"/>
    public AttentionAxes BiasAxes { get; init; } = AttentionAxes.Query | AttentionAxes.Key;

    /// <inheritdoc cref="AttentionAttribute.KeepAxes"/>
    public AttentionAxes KeepAxes { get; init; } = AttentionAxes.Query | AttentionAxes.Key;

    /// <inheritdoc cref="AttentionAttribute.Selection"/>
    public AttentionSelection Selection { get; init; }

    /// <inheritdoc cref="AttentionAttribute.ScoresStage"/>
    public AttentionStage ScoresStage { get; init; } = AttentionStage.Weights;

    /// <inheritdoc cref="AttentionAttribute.Layout"/>
    public AttentionLayout Layout { get; init; }

    /// <inheritdoc cref="AttentionAttribute.QueryStride"/>
    public int QueryStride { get; init; }

    /// <inheritdoc cref="AttentionAttribute.KeyStride"/>
    public int KeyStride { get; init; }

    /// <inheritdoc cref="AttentionAttribute.ValueStride"/>
    public int ValueStride { get; init; }

    /// <inheritdoc cref="AttentionAttribute.OutputStride"/>
    public int OutputStride { get; init; }

    /// <summary>Creates the reference of a generated kernel from its declaration.</summary>
    /// <param name="kernel">The kernel: the method itself.</param>
    /// <returns>A reference with the properties of the declaration.</returns>
    /// <exception cref="ArgumentNullException"><paramref name="kernel"/> is null.</exception>
    /// <exception cref="ArgumentException">
    /// The method has no <see cref="AttentionAttribute"/>, or its mask or score method uses parameters of the kernel. The reference does not know their
    /// values.
    /// </exception>
    public static AttentionReference Of(Delegate kernel)
    {
        ArgumentNullException.ThrowIfNull(kernel);
        var declaration = kernel.Method.GetCustomAttribute<AttentionAttribute>()
            ?? throw new ArgumentException($"{kernel.Method.Name} has no [Attention] attribute.", nameof(kernel));
        int headDim = declaration.HeadDim;
        var mask = Own(kernel.Method, declaration.MaskMethod);
        var score = Own(kernel.Method, declaration.ScoreMethod);
        return new AttentionReference(declaration.Heads, headDim)
        {
            KeyValueHeads = declaration.KeyValueHeads == 0 ? declaration.Heads : declaration.KeyValueHeads,
            ValueDim = declaration.ValueDim == 0 ? headDim : declaration.ValueDim,
            ValueFromKey = declaration.ValueFromKey,
            Mask = declaration.Mask,
            WindowLeft = declaration.WindowLeft,
            WindowRight = declaration.WindowRight,
            FirstKeys = declaration.FirstKeys,
            PrefixLength = declaration.PrefixLength,
            ChunkLength = declaration.ChunkLength,
            Dilation = declaration.Dilation,
            QueryBlockSize = declaration.QueryBlockSize,
            KeyBlockSize = declaration.KeyBlockSize,
            BlockAxes = declaration.BlockAxes,
            PairScore = declaration.Score,
            KeyDim = declaration.KeyDim == 0 ? headDim : declaration.KeyDim,
            Scale = declaration.Scale != 0 ? declaration.Scale : declaration.Score == AttentionScore.Dot ? 1 / Math.Sqrt(headDim) : 1,
            Visible = mask is null ? null : (query, key, head, batch) => (bool)mask(0, query, key, head, batch),
            Score = score is null ? null : (value, query, key, head, batch) => (float)score((float)value, query, key, head, batch),
            QueryKeyNorm = declaration.QueryKeyNorm,
            NormEpsilon = declaration.NormEpsilon,
            Rotary = declaration.Rotary,
            RotaryDim = declaration.RotaryDim,
            RotaryStart = declaration.RotaryStart,
            SoftCap = declaration.SoftCap,
            Alibi = declaration.Alibi,
            RelativeBuckets = declaration.RelativeBuckets,
            RelativeMaxDistance = declaration.RelativeMaxDistance,
            RelativeBidirectional = declaration.RelativeBidirectional,
            BiasAxes = declaration.BiasAxes,
            KeepAxes = declaration.KeepAxes,
            Selection = declaration.Selection,
            ScoresStage = declaration.ScoresStage,
            Layout = declaration.Layout,
            QueryStride = declaration.QueryStride,
            KeyStride = declaration.KeyStride,
            ValueStride = declaration.ValueStride,
            OutputStride = declaration.OutputStride,
        };
    }

    /// <summary>Returns a mask or score method of the kernel as a function of score, query, key, head and batch item, or null if the name is null.</summary>
    [UnconditionalSuppressMessage("Trimming", "IL2075", Justification = "For tests, which are not trimmed; a method that is gone is said to be.")]
    private static Func<float, int, int, int, int, object>? Own(MethodInfo kernel, string? name)
    {
        if (name is null) return null;
        const BindingFlags Any = BindingFlags.Static | BindingFlags.Public | BindingFlags.NonPublic;
        var method = kernel.DeclaringType!.GetMethod(name, Any) ?? throw new ArgumentException($"{kernel.DeclaringType.Name} has no method {name}.", nameof(kernel));
        string[] names = [.. method.GetParameters().Select(parameter => parameter.Name!)];
        if (names.FirstOrDefault(parameter => parameter is not ("score" or "query" or "key" or "head" or "batch")) is { } other)
            throw new ArgumentException($"{name} takes {other} of the kernel, whose value is not known here: make the reference with 'new', and give it Visible and Score.", nameof(kernel));
        return (score, query, key, head, batch) => method.Invoke(null, [.. names.Select(parameter => parameter switch
        {
            "score" => (object)score,
            "query" => query,
            "key" => key,
            "head" => head,
            _ => batch,
        })])!;
    }

    /// <summary>Computes the output, and the weights if the caller passes memory for them.</summary>
    /// <param name="query">
    /// [batch, queries, heads, headDim], unless <see cref="Layout"/> or strides say otherwise. The same applies to key, value and output.
    /// </param>
    /// <param name="key">[batch, keys, keyValueHeads, headDim].</param>
    /// <param name="value">[batch, keys, keyValueHeads, valueDim]; empty with <see cref="ValueFromKey"/>.</param>
    /// <param name="output">[batch, queries, heads, valueDim].</param>
    /// <param name="batch">The number of batch items.</param>
    /// <param name="queryStarts">The position of the first query: one for each batch item, or one for all. If empty, the last query sees the last key.</param>
    /// <param name="keyLengths">The number of visible keys of each batch item. If empty, all keys are visible.</param>
    /// <param name="weights">[batch, heads, queries, keys], or empty.</param>
    /// <param name="operands">The optional operands.</param>
    /// <exception cref="ArgumentException">A length does not match the other lengths.</exception>
    /// <exception cref="ArgumentOutOfRangeException"><paramref name="batch"/> is negative.</exception>
    public void Attend(
        ReadOnlySpan<float> query, ReadOnlySpan<float> key, ReadOnlySpan<float> value, Span<double> output,
        int batch = 1, ReadOnlySpan<int> queryStarts = default, ReadOnlySpan<int> keyLengths = default, Span<double> weights = default,
        AttentionOperands operands = default)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(batch);
        var queryTensor = Tensor(query.Length, batch, Heads, HeadDim, QueryStride, nameof(query));
        var keyTensor = Tensor(key.Length, batch, KeyValueHeads, KeyDim, KeyStride, nameof(key));
        if (ValueFromKey) Expect(value.Length, 0, "elements", nameof(value));
        var valueTensor = ValueFromKey ? keyTensor : Tensor(value.Length, batch, KeyValueHeads, ValueDim, ValueStride, nameof(value));
        if (ValueFromKey) value = key; // its first elements
        var outputTensor = Tensor(output.Length, batch, Heads, ValueDim, OutputStride, nameof(output));
        int queries = queryTensor.Tokens, keys = keyTensor.Tokens;
        Expect(valueTensor.Tokens, keys, "tokens", nameof(value));
        Expect(outputTensor.Tokens, queries, "tokens", nameof(output));
        if (!weights.IsEmpty) Expect(weights.Length, batch * Heads * queries * keys, "elements", nameof(weights));
        int items = operands.Items(batch);
        if (!keyLengths.IsEmpty) Expect(keyLengths.Length, items, "elements", nameof(keyLengths));
        if (queryStarts.Length > 1) Expect(queryStarts.Length, items, "elements", nameof(queryStarts));

        var extent = new Extent(batch, Heads, queries, keys);
        operands.Expect(extent, BiasAxes, KeepAxes, RelativeBuckets);
        if (!operands.QueryNormWeight.IsEmpty) Expect(operands.QueryNormWeight.Length, HeadDim, "elements", nameof(operands.QueryNormWeight));
        if (!operands.KeyNormWeight.IsEmpty) Expect(operands.KeyNormWeight.Length, HeadDim, "elements", nameof(operands.KeyNormWeight));
        Expect(operands.ScoreVector.Length, PairScore == AttentionScore.Additive ? Heads * HeadDim : 0, "elements", nameof(operands.ScoreVector));
        Expect(operands.QueryKeyWeight.Length, PairScore == AttentionScore.General ? Heads * HeadDim * KeyDim : 0, "elements", nameof(operands.QueryKeyWeight));
        if (PairScore != AttentionScore.General && KeyDim != HeadDim) throw new ArgumentException($"KeyDim is {KeyDim}, but keys of dot products and additive scores have the {HeadDim} elements of queries.");
        if (Rotary != AttentionRotary.None) CheckRotary(operands.Rotary);
        double[]? slopes = Slopes(operands.Slopes);
        double[] row = new double[keys];
        bool[] hidden = new bool[keys];
        bool hides = !operands.Bias.IsEmpty || !operands.Keep.IsEmpty || Visible is not null || Score is not null; // -infinity hides a key
        for (int item = 0; item < items; item++)
        {
            var (b, firstQuery, itemQueries, firstKey, itemKeys) = operands.Item(item, queries, keys);
            int length = keyLengths.IsEmpty ? itemKeys : keyLengths[item];
            int start = queryStarts.Length switch { 0 => length - itemQueries, 1 => queryStarts[0], _ => queryStarts[item] };
            int prefix = operands.PrefixLengths.Length switch { 0 => PrefixLength, 1 => operands.PrefixLengths[0], _ => operands.PrefixLengths[item] };
            for (int h = 0; h < Heads; h++)
            {
                int keyHead = h / (Heads / KeyValueHeads);
                double[][] normalizedKeys = [.. from j in Enumerable.Range(0, itemKeys) select new double[KeyDim]];
                for (int j = 0; j < itemKeys; j++) Normalize(key.Slice(keyTensor.Row(b, firstKey + j, keyHead), KeyDim), operands.KeyNormWeight, normalizedKeys[j]);
                for (int j = 0; j < length; j++) Rotate(normalizedKeys[j], operands.Rotary, j); // those after the length are invisible
                double[] normalizedQuery = new double[HeadDim];
                double[] projectedQuery = PairScore == AttentionScore.General ? new double[KeyDim] : normalizedQuery;
                for (int i = 0; i < itemQueries; i++)
                {
                    long position = (long)start + i;
                    int rowOfQuery = firstQuery + i; // Key j of the item is key firstKey + j of the tensors.
                    var (first, end) = VisibleKeys(position, length, prefix);
                    Normalize(query.Slice(queryTensor.Row(b, rowOfQuery, h), HeadDim), operands.QueryNormWeight, normalizedQuery);
                    if (position >= 0 && first < end) Rotate(normalizedQuery, operands.Rotary, position);
                    if (PairScore == AttentionScore.General) Project(normalizedQuery, operands.QueryKeyWeight.Slice(h * HeadDim * KeyDim, HeadDim * KeyDim), projectedQuery);
                    row.AsSpan().Clear();
                    hidden.AsSpan().Clear();
                    var matrix = operands.Scores.IsEmpty ? [] : operands.Scores.Slice(((b * Heads + h) * queries + rowOfQuery) * keys, keys);
                    matrix.Fill(ScoresStage == AttentionStage.Weights ? 0 : double.NegativeInfinity);
                    for (int j = first; j < end; j++)
                    {
                        bool seen = (Visible is null || Visible((int)position, j, h, item)) && Sees(position, j, prefix) && IsListed(operands, b, keyHead, rowOfQuery, firstKey + j, queries);
                        var pair = new AttentionOperands.Pair(b, h, rowOfQuery, firstKey + j);
                        double score = operands.Scaled(PairScore == AttentionScore.Additive ? Sum(operands.ScoreVector.Slice(h * HeadDim, HeadDim), normalizedQuery, normalizedKeys[j]) : Product(projectedQuery, normalizedKeys[j]), Scale, pair);
                        if (!matrix.IsEmpty && ScoresStage == AttentionStage.Scaled && seen) matrix[firstKey + j] = score;
                        if (SoftCap > 0) score = SoftCap * Math.Tanh(score / SoftCap);
                        if (!matrix.IsEmpty && ScoresStage == AttentionStage.Capped && seen) matrix[firstKey + j] = score;
                        if (Score is not null) score = Score(score, (int)position, j, h, item);
                        if (!operands.Bias.IsEmpty) score = operands.Biased(score, extent, BiasAxes, pair);
                        if (slopes is not null) score -= slopes[h] * Math.Abs(position - j);
                        if (!operands.RelativeBias.IsEmpty) score += operands.RelativeBias[Bucket(j - position) * Heads + h];
                        if (!operands.Keeps(extent, KeepAxes, pair)) score = double.NegativeInfinity;
                        if (!seen) (score, hidden[j]) = (double.NegativeInfinity, true);
                        if (!matrix.IsEmpty && ScoresStage == AttentionStage.Masked) matrix[firstKey + j] = score;
                        row[j] = score;
                    }

                    double? sink = operands.Sinks.IsEmpty ? null : operands.Sinks[h];
                    for (int j = first; j < end && hides; j++) hidden[j] |= double.IsNegativeInfinity(row[j]);
                    double[] softmaxed = [.. row];
                    double sum = Selection == AttentionSelection.Hard
                        ? Choose(row.AsSpan(first, end - first), hidden.AsSpan(first, end - first))
                        : Softmax(row.AsSpan(first, end - first), hidden.AsSpan(first, end - first), sink);
                    if (!operands.LogSumExp.IsEmpty) operands.LogSumExp[(b * Heads + h) * queries + rowOfQuery] = sum;

                    operands.WriteStatistics((b * Heads + h) * queries + rowOfQuery, softmaxed.AsSpan(first, end - first), hidden.AsSpan(first, end - first), row.AsSpan(first, end - first), firstKey + first, sum, sink);
                    if (!matrix.IsEmpty && ScoresStage == AttentionStage.Weights) row.AsSpan(0, itemKeys).CopyTo(matrix[firstKey..]);

                    var to = output.Slice(outputTensor.Row(b, rowOfQuery, h), ValueDim);
                    to.Clear();
                    for (int j = first; j < end; j++)
                    {
                        var from = value.Slice(valueTensor.Row(b, firstKey + j, keyHead), ValueDim);
                        if (Selection == AttentionSelection.Hard && row[j] == 0) continue; // others do not count, whatever their values are
                        for (int d = 0; d < ValueDim && !hidden[j]; d++) to[d] += row[j] * from[d];
                    }

                    if (weights.IsEmpty) continue;
                    var weightsOfRow = weights.Slice(((b * Heads + h) * queries + rowOfQuery) * keys, keys);
                    weightsOfRow.Clear();
                    row.AsSpan(0, itemKeys).CopyTo(weightsOfRow[firstKey..]);
                }
            }
        }
    }

    /// <summary>The first key that the query at a position may see, and the end (exclusive) of these keys.</summary>
    private (int First, int End) VisibleKeys(long position, int length, int prefix)
    {
        long first = WindowLeft < 0 || FirstKeys > 0 ? 0 : position - WindowLeft, end = WindowRight < 0 ? length : position + WindowRight + 1;
        if (Mask == AttentionMask.Causal) end = Math.Min(end, Math.Max(position + 1, prefix));
        end = Math.Clamp(end, 0, length);
        return ((int)Math.Clamp(first, 0, end), (int)end);
    }

    /// <summary>Whether the query at a position sees the key under chunks, dilation and the causal mask.</summary>
    private bool Sees(long position, int key, int prefix) =>
        (WindowLeft < 0 || key < FirstKeys || position - key <= WindowLeft) && (ChunkLength == 0 || position / ChunkLength == key / ChunkLength) && (position - key) % Dilation == 0
        && (Mask != AttentionMask.Causal || key <= position || key < prefix);

    /// <summary>Whether the lists of a block-sparse mask contain the block of the key for the query.</summary>
    private bool IsListed(AttentionOperands operands, int batch, int keyHead, int query, int key, int queries)
    {
        if (KeyBlockSize == 0) return true;
        int rows = (queries + QueryBlockSize - 1) / QueryBlockSize, list = (BlockAxes & AttentionAxes.Batch) != 0 ? batch : 0;
        if ((BlockAxes & AttentionAxes.Head) != 0) list = list * KeyValueHeads + keyHead;
        list = list * rows + query / QueryBlockSize;
        return operands.KeyBlocks[operands.KeyBlockStarts[list]..operands.KeyBlockStarts[list + 1]].Contains(key / KeyBlockSize);
    }

    /// <summary>Divides a query or key by its norm and multiplies it by its weights. Without a norm, the divisor is 1.</summary>
    private void Normalize(ReadOnlySpan<float> from, ReadOnlySpan<float> weight, Span<double> to)
    {
        double squares = 0;
        foreach (float x in from) squares += (double)x * x;
        double norm = QueryKeyNorm switch
        {
            AttentionNorm.Rms => Math.Sqrt(squares / from.Length + NormEpsilon),
            AttentionNorm.L2 => Math.Max(Math.Sqrt(squares), NormEpsilon),
            _ => 1,
        };
        for (int d = 0; d < from.Length; d++) to[d] = from[d] / norm * (weight.IsEmpty ? 1 : weight[d]);
    }

    private void CheckRotary(RotaryTable? table)
    {
        ArgumentNullException.ThrowIfNull(table, nameof(AttentionOperands.Rotary));
        Expect(table.RotaryDim, RotaryDim == 0 ? HeadDim - RotaryStart : RotaryDim, "rotated elements", nameof(AttentionOperands.Rotary));
    }

    /// <summary>Rotates the pairs of a row by the angles of its position.</summary>
    private void Rotate(Span<double> row, RotaryTable? table, long position)
    {
        if (Rotary == AttentionRotary.None) return;
        ReadOnlySpan<float> cos = table!.Cos((int)position), sin = table.Sin((int)position);
        for (int i = 0; i < cos.Length; i++)
        {
            var (x, y) = Rotary == AttentionRotary.Halves ? (RotaryStart + i, RotaryStart + i + cos.Length) : (RotaryStart + 2 * i, RotaryStart + 2 * i + 1);
            (row[x], row[y]) = (row[x] * cos[i] - row[y] * sin[i], row[x] * sin[i] + row[y] * cos[i]);
        }
    }

    private double Product(ReadOnlySpan<double> query, ReadOnlySpan<double> key)
    {
        double sum = 0;
        for (int d = 0; d < KeyDim; d++) sum += query[d] * key[d];
        return sum;
    }

    /// <summary>The score v^T tanh(q + k).</summary>
    private double Sum(ReadOnlySpan<float> vector, ReadOnlySpan<double> query, ReadOnlySpan<double> key)
    {
        double sum = 0;
        for (int d = 0; d < HeadDim; d++) sum += vector[d] * Math.Tanh(query[d] + key[d]);
        return sum;
    }

    /// <summary>W^T q, with which a key has the product q^T W k.</summary>
    private void Project(ReadOnlySpan<double> query, ReadOnlySpan<float> weight, Span<double> projected)
    {
        projected.Clear();
        for (int d = 0; d < HeadDim; d++)
            for (int e = 0; e < KeyDim; e++) projected[e] += query[d] * weight[d * KeyDim + e];
    }

    /// <summary>The bucket of a distance, from the query to the key (T5).</summary>
    private int Bucket(long relative)
    {
        int buckets = RelativeBidirectional ? RelativeBuckets / 2 : RelativeBuckets, exact = buckets / 2, first = RelativeBidirectional && relative > 0 ? buckets : 0;
        long distance = RelativeBidirectional ? Math.Abs(relative) : Math.Max(-relative, 0);
        if (distance < exact) return first + (int)distance;

        // A distance on the border between two buckets belongs to the upper one. Rounding errors must not move it to the lower one.
        double steps = Math.Log((double)distance / exact) / Math.Log((double)RelativeMaxDistance / exact) * (buckets - exact) + 1e-9;
        return first + (int)Math.Min(exact + steps, buckets - 1);
    }

    /// <summary>Replaces scores by weights: 1 for the first of the largest, 0 for all others; NaN where a score is NaN.</summary>
    /// <returns>The score; -infinity if all keys are hidden.</returns>
    private static double Choose(Span<double> scores, ReadOnlySpan<bool> hidden)
    {
        double highest = double.NegativeInfinity;
        int chosen = -1;
        for (int j = 0; j < scores.Length; j++)
        {
            if (hidden[j] || (chosen >= 0 && !double.IsNaN(scores[j]) && !(scores[j] > highest))) continue;
            (highest, chosen) = (scores[j], j);
            if (double.IsNaN(highest)) break;
        }

        scores.Fill(double.IsNaN(highest) ? double.NaN : 0);
        if (chosen >= 0 && !double.IsNaN(highest)) scores[chosen] = 1;
        return highest;
    }

    /// <summary>Replaces scores by weights. Hidden keys have the weight 0.</summary>
    /// <returns>The natural logarithm of the sum of the exponentials of all scores, including the sink.</returns>
    private static double Softmax(Span<double> scores, ReadOnlySpan<bool> hidden, double? sink)
    {
        double max = sink ?? double.NegativeInfinity, sum = 0;
        foreach (double s in scores) max = Math.Max(max, s);
        if (!hidden.Contains(false) && sink is null or double.NegativeInfinity)
        {
            scores.Clear();
            return double.NegativeInfinity;
        }

        for (int j = 0; j < scores.Length; j++) sum += scores[j] = hidden[j] ? 0 : Math.Exp(scores[j] - max);
        if (sink is { } logit) sum += Math.Exp(logit - max);
        for (int j = 0; j < scores.Length; j++) scores[j] = hidden[j] ? 0 : scores[j] / sum;
        return max + Math.Log(sum);
    }

    /// <summary>The given slopes, or the standard slopes (ALiBi), or null if the scores have none.</summary>
    private double[]? Slopes(ReadOnlySpan<float> given)
    {
        if (given.IsEmpty && !Alibi) return null;
        double[] slopes = new double[Heads];
        int n = 1;
        while (2 * n <= Heads) n *= 2;
        for (int h = 0; h < Heads; h++)
            slopes[h] = !given.IsEmpty ? given[h] : Math.Pow(2, h < n ? -8.0 * (h + 1) / n : -4.0 * (2 * (h - n) + 1) / n);
        return slopes;
    }

    /// <summary>Computes the number of tokens of a tensor, and its strides.</summary>
    private IndexedTensor Tensor(int length, int batch, int tensorHeads, int dim, int stride, string name)
    {
        bool headMajor = Layout == AttentionLayout.HeadMajor;
        int width = headMajor ? dim : tensorHeads * dim, perItem = headMajor ? tensorHeads : 1;
        if (stride == 0) stride = width;
        int rows = length == 0 ? 0 : (length - width) / stride + 1;
        if (stride < width || (length > 0 && (length < width || (length - width) % stride > stride - width)) || (batch == 0 ? rows > 0 : rows % (batch * perItem) != 0))
            throw new ArgumentException($"{name} has {length} elements, which are no whole tokens of {batch} batch items ({width} elements, {stride} apart).", name);
        int tokens = batch == 0 ? 0 : rows / (batch * perItem);
        return headMajor
            ? new IndexedTensor(tokens, tensorHeads * tokens * stride, stride, tokens * stride)
            : new IndexedTensor(tokens, tokens * stride, stride, dim);
    }

    private readonly record struct IndexedTensor(int Tokens, int BatchStride, int TokenStride, int HeadStride)
    {
        public int Row(int batch, int token, int head) => batch * BatchStride + token * TokenStride + head * HeadStride;
    }

    /// <summary>The lengths of the axes that bias, keep and results may have.</summary>
    internal readonly record struct Extent(int Batch, int Heads, int Queries, int Keys)
    {
        public int Index(AttentionAxes axes, int batch, int head, int query, int key)
        {
            int index = 0;
            if ((axes & AttentionAxes.Batch) != 0) index = batch;
            if ((axes & AttentionAxes.Head) != 0) index = index * Heads + head;
            if ((axes & AttentionAxes.Query) != 0) index = index * Queries + query;
            if ((axes & AttentionAxes.Key) != 0) index = index * Keys + key;
            return index;
        }

        public int Length(AttentionAxes axes) =>
            ((axes & AttentionAxes.Batch) != 0 ? Batch : 1) * ((axes & AttentionAxes.Head) != 0 ? Heads : 1) * ((axes & AttentionAxes.Query) != 0 ? Queries : 1) * ((axes & AttentionAxes.Key) != 0 ? Keys : 1);
    }

    internal static void Expect(int length, int expected, string what, string name)
    {
        if (length != expected) throw new ArgumentException($"{name} has {length} {what}, {expected} are needed.", name);
    }

    private static int Positive(int value, string name) =>
        value > 0 ? value : throw new ArgumentOutOfRangeException(name, value, $"{name} must be positive.");
}
