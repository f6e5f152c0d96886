using static System.FormattableString;

namespace AttentionGen.Views;

/// <summary>
/// The attention weights of all layers and heads of a model for one text. Kernels of AttentionGen give them: <c>scores</c> at the stage
/// <c>AttentionStage.Weights</c>, <c>entropy</c>, and <c>maxScore</c> and <c>logSumExp</c> for <see cref="LargestWeights"/>.
/// </summary>
/// <example><code>
/// var maps = new AttentionMaps(tokens, layers: 6, heads: 12) { Separators = [tokens.Length - 1] };
/// for (int layer = 0; layer &lt; 6; layer++)
/// {
///     Attend(query, key, value, output, weights, entropy, maxScore, logSumExp);
///     AttentionMaps.LargestWeights(maxScore, logSumExp, largest);
///     maps.SetLayer(layer, weights, entropy, largest);
/// }
/// AttentionPage.Write(file, maps);
/// </code></example>
public sealed class AttentionMaps
{
    /// <summary>How much the weights of a row may add up to beyond 1, and an entropy beyond that of even weights: rounding, also of 16-bit numbers.</summary>
    private const double Tolerance = 0.01;

    private readonly MapLayer?[] _layers;

    /// <summary>Makes room for the maps of self-attention: queries and keys are the same tokens.</summary>
    /// <param name="tokens">The texts of the tokens.</param>
    /// <param name="layers">The number of layers.</param>
    /// <param name="heads">The number of query heads of each layer.</param>
    /// <exception cref="ArgumentNullException">There are no tokens, or one of them is null.</exception>
    /// <exception cref="ArgumentException"><paramref name="tokens"/> is empty.</exception>
    /// <exception cref="ArgumentOutOfRangeException">A number is less than 1.</exception>
    public AttentionMaps(IReadOnlyList<string> tokens, int layers, int heads)
        : this(Texts(tokens, nameof(tokens)), tokens, layers, heads)
    {
    }

    /// <summary>Makes room for maps of queries and keys that are different tokens: the last tokens against all, or one text against another.</summary>
    /// <param name="queries">The texts of the queries' tokens.</param>
    /// <param name="keys">The texts of the keys' tokens.</param>
    /// <param name="layers">The number of layers.</param>
    /// <param name="heads">The number of query heads of each layer.</param>
    /// <exception cref="ArgumentNullException">There are no tokens, or one of them is null.</exception>
    /// <exception cref="ArgumentException"><paramref name="queries"/> or <paramref name="keys"/> is empty.</exception>
    /// <exception cref="ArgumentOutOfRangeException">A number is less than 1.</exception>
    public AttentionMaps(IReadOnlyList<string> queries, IReadOnlyList<string> keys, int layers, int heads)
    {
        Queries = Texts(queries, nameof(queries));
        Keys = Texts(keys, nameof(keys));
        ArgumentOutOfRangeException.ThrowIfLessThan(layers, 1);
        ArgumentOutOfRangeException.ThrowIfLessThan(heads, 1);
        Heads = heads;
        _layers = new MapLayer?[layers];
        QueryStart = Keys.Count >= Queries.Count ? Keys.Count - Queries.Count : null;
    }

    /// <summary>The texts of the queries' tokens.</summary>
    public IReadOnlyList<string> Queries { get; }

    /// <summary>The texts of the keys' tokens.</summary>
    public IReadOnlyList<string> Keys { get; }

    /// <summary>The number of layers.</summary>
    public int Layers => _layers.Length;

    /// <summary>The number of query heads of each layer.</summary>
    public int Heads { get; }

    /// <summary>
    /// The index of the key at which the first query stands. As in a kernel, the last query stands at the last key unless this says otherwise. Null means that
    /// queries and keys are different texts: no head is called local or said to attend to the previous token.
    /// </summary>
    public int? QueryStart
    {
        get;
        init => field = value is null or >= 0 ? value : throw new ArgumentOutOfRangeException(nameof(QueryStart), value, "The position of the first query is 0 or more.");
    }

    /// <summary>The indices of the keys that separate parts of the text, such as [SEP]. They are given before <see cref="SetLayer"/>.</summary>
    public IReadOnlyList<int> Separators
    {
        get;
        init
        {
            ArgumentNullException.ThrowIfNull(value);
            foreach (int key in value)
                if (key < 0 || key >= Keys.Count) throw new ArgumentOutOfRangeException(nameof(Separators), key, $"A separator is the index of one of {Keys.Count} keys.");
            field = [.. value.Distinct().Order()];
        }
    } = [];

    /// <summary>The thresholds by which heads get names.</summary>
    public HeadRules Rules { get; init => field = value ?? throw new ArgumentNullException(nameof(Rules)); } = new();

    /// <summary>Sets the maps of a layer. Nothing refers to the spans after the call.</summary>
    /// <param name="layer">The layer, from 0 on.</param>
    /// <param name="weights">[heads, queries, keys]: the operand <c>scores</c> of a kernel, at the stage of weights. A hidden key has 0.</param>
    /// <param name="entropy">[heads, queries], natural: the operand <c>entropy</c>. If empty, it is computed from the weights.</param>
    /// <param name="largest">[heads, queries]: the largest weight of each row, from <see cref="LargestWeights"/>. If empty, it is computed from the weights.</param>
    /// <exception cref="ArgumentOutOfRangeException">There is no such layer.</exception>
    /// <exception cref="ArgumentException">A length does not fit, or a number is not one of weights.</exception>
    public void SetLayer(int layer, ReadOnlySpan<float> weights, ReadOnlySpan<float> entropy = default, ReadOnlySpan<float> largest = default)
    {
        if (layer < 0 || layer >= Layers) throw new ArgumentOutOfRangeException(nameof(layer), layer, $"There are {Layers} layers, from 0 on.");
        int queries = Queries.Count, keys = Keys.Count;
        CheckLength(weights.Length, (long)Heads * queries * keys, $"{Heads} heads x {queries} queries x {keys} keys", nameof(weights));
        if (!entropy.IsEmpty) CheckLength(entropy.Length, (long)Heads * queries, $"{Heads} heads x {queries} queries", nameof(entropy));
        if (!largest.IsEmpty) CheckLength(largest.Length, (long)Heads * queries, $"{Heads} heads x {queries} queries", nameof(largest));
        CheckWeights(weights, layer);
        CheckRows(entropy, Math.Log(keys + 1), layer, nameof(entropy));
        CheckRows(largest, 1, layer, nameof(largest));

        if (entropy.IsEmpty) entropy = Entropies(weights);
        if (largest.IsEmpty) largest = Maxima(weights);
        var visible = new VisibleRows(weights, queries, keys);
        var measuring = new HeadMeasuring(visible, queries, keys, QueryStart, Separators, Rules.LocalDistance);
        var measures = new HeadMeasures[Heads];
        for (int head = 0; head < Heads; head++)
            measures[head] = measuring.Of(weights.Slice(head * queries * keys, queries * keys), entropy.Slice(head * queries, queries), largest.Slice(head * queries, queries));
        _layers[layer] = new MapLayer(Parts.Of(weights, Parts.OfWeight), Parts.Of(entropy, Parts.OfEntropy), Parts.Of(largest, Parts.OfWeight), measures);
    }

    /// <summary>What was measured of a head.</summary>
    /// <param name="layer">The layer, from 0 on.</param>
    /// <param name="head">The head, from 0 on.</param>
    /// <returns>The measures; <see cref="HeadMeasures.Patterns"/> names the head by them.</returns>
    /// <exception cref="ArgumentOutOfRangeException">There is no such layer or head.</exception>
    /// <exception cref="InvalidOperationException">The layer has no weights yet.</exception>
    public HeadMeasures Measures(int layer, int head)
    {
        if (layer < 0 || layer >= Layers) throw new ArgumentOutOfRangeException(nameof(layer), layer, $"There are {Layers} layers, from 0 on.");
        if (head < 0 || head >= Heads) throw new ArgumentOutOfRangeException(nameof(head), head, $"There are {Heads} heads, from 0 on.");
        return Layer(layer).Heads[head];
    }

    /// <summary>The largest weight of each row from what a kernel writes: the exponential of the largest score less the log-sum-exp.</summary>
    /// <param name="maxScore">The operand <c>maxScore</c>. A row that sees no key has -infinity, and the largest weight 0.</param>
    /// <param name="logSumExp">The operand <c>logSumExp</c>.</param>
    /// <param name="largest">The largest weights, of the same length.</param>
    /// <exception cref="ArgumentException">The lengths differ.</exception>
    public static void LargestWeights(ReadOnlySpan<float> maxScore, ReadOnlySpan<float> logSumExp, Span<float> largest)
    {
        CheckLength(logSumExp.Length, maxScore.Length, $"as {nameof(maxScore)}", nameof(logSumExp));
        CheckLength(largest.Length, maxScore.Length, $"as {nameof(maxScore)}", nameof(largest));
        for (int i = 0; i < largest.Length; i++)
            largest[i] = float.IsNegativeInfinity(maxScore[i]) ? 0 : (float)Math.Min(Math.Exp((double)maxScore[i] - logSumExp[i]), 1);
    }

    internal MapLayer Layer(int layer) => _layers[layer] ?? throw new InvalidOperationException($"Layer {layer} of {Layers} has no weights: call {nameof(SetLayer)} for each layer.");

    private static string[] Texts(IReadOnlyList<string> tokens, string name)
    {
        ArgumentNullException.ThrowIfNull(tokens, name);
        if (tokens.Count == 0) throw new ArgumentException("There are no tokens.", name);
        for (int i = 0; i < tokens.Count; i++)
            if (tokens[i] is null) throw new ArgumentNullException(name, $"Token {i} of {tokens.Count} is null.");
        return [.. tokens];
    }

    private static void CheckLength(int length, long expected, string shape, string name)
    {
        if (length != expected) throw new ArgumentException($"{name} has {length} numbers, but should have {expected}: {shape}.", name);
    }

    private void CheckWeights(ReadOnlySpan<float> weights, int layer)
    {
        int queries = Queries.Count, keys = Keys.Count;
        for (int row = 0; row < Heads * queries; row++)
        {
            double sum = 0;
            for (int key = 0; key < keys; key++)
            {
                float weight = weights[row * keys + key];
                string Place() => $"layer {layer}, head {row / queries}, query {row % queries}, key {key}";
                if (!float.IsFinite(weight)) throw new ArgumentException(Invariant($"The weight of {Place()} is {weight}: it is not finite."), nameof(weights));
                if (weight < 0) throw new ArgumentException(Invariant($"The weight of {Place()} is {weight}: it is negative. The kernel's operand scores has weights at the stage AttentionStage.Weights."), nameof(weights));
                sum += weight;
            }

            if (sum > 1 + Tolerance)
                throw new ArgumentException(Invariant($"The weights of layer {layer}, head {row / queries}, query {row % queries} add up to {sum:0.####}, which is more than 1."), nameof(weights));
        }
    }

    private void CheckRows(ReadOnlySpan<float> numbers, double most, int layer, string name)
    {
        for (int row = 0; row < numbers.Length; row++)
            if (!(numbers[row] >= -Tolerance && numbers[row] <= most + Tolerance))
                throw new ArgumentException(Invariant($"{name} of layer {layer}, head {row / Queries.Count}, query {row % Queries.Count} is {numbers[row]}, but must be between 0 and {most:0.###}."), name);
    }

    private float[] Entropies(ReadOnlySpan<float> weights)
    {
        float[] entropies = new float[Heads * Queries.Count];
        for (int row = 0; row < entropies.Length; row++)
        {
            double entropy = 0;
            foreach (float weight in weights.Slice(row * Keys.Count, Keys.Count)) entropy -= weight > 0 ? weight * Math.Log(weight) : 0;
            entropies[row] = (float)Math.Max(entropy, 0);
        }

        return entropies;
    }

    private float[] Maxima(ReadOnlySpan<float> weights)
    {
        float[] maxima = new float[Heads * Queries.Count];
        for (int row = 0; row < maxima.Length; row++)
            foreach (float weight in weights.Slice(row * Keys.Count, Keys.Count)) maxima[row] = Math.Max(maxima[row], weight);
        return maxima;
    }
}
