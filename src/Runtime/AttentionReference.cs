using System.Reflection;

namespace AttentionGen;

/// <summary>
/// Attention in plain loops and double precision, for tests: what a kernel with the same declaration approximates. It is slow, and written to
/// be read.
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
    private readonly double _scale = 1 / Math.Sqrt(headDim);

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

    /// <inheritdoc cref="AttentionAttribute.Mask"/>
    public AttentionMask Mask { get; init; }

    /// <inheritdoc cref="AttentionAttribute.Scale"/>
    public double Scale { get => _scale; init => _scale = value; }

    /// <summary>The reference of a generated kernel, from its declaration.</summary>
    /// <param name="kernel">The kernel: the method itself.</param>
    /// <exception cref="ArgumentException">The method has no <see cref="AttentionAttribute"/>.</exception>
    public static AttentionReference Of(Delegate kernel)
    {
        ArgumentNullException.ThrowIfNull(kernel);
        var declaration = kernel.Method.GetCustomAttribute<AttentionAttribute>()
            ?? throw new ArgumentException($"{kernel.Method.Name} has no [Attention] attribute.", nameof(kernel));
        int headDim = declaration.HeadDim;
        return new AttentionReference(declaration.Heads, headDim)
        {
            KeyValueHeads = declaration.KeyValueHeads == 0 ? declaration.Heads : declaration.KeyValueHeads,
            ValueDim = declaration.ValueDim == 0 ? headDim : declaration.ValueDim,
            Mask = declaration.Mask,
            Scale = declaration.Scale == 0 ? 1 / Math.Sqrt(headDim) : declaration.Scale,
        };
    }

    /// <summary>Computes the output, and the weights where they are asked for.</summary>
    /// <param name="query">[batch, queries, heads, headDim].</param>
    /// <param name="key">[batch, keys, keyValueHeads, headDim].</param>
    /// <param name="value">[batch, keys, keyValueHeads, valueDim].</param>
    /// <param name="output">[batch, queries, heads, valueDim].</param>
    /// <param name="batch">The number of batch items.</param>
    /// <param name="queryStarts">The position of the first query: of each batch item, one for all, or none for the default (the last query sees the last key).</param>
    /// <param name="keyLengths">The number of visible keys of each batch item, or none: all keys.</param>
    /// <param name="weights">[batch, heads, queries, keys], or empty.</param>
    /// <exception cref="ArgumentException">A length does not fit the others.</exception>
    public void Attend(
        ReadOnlySpan<float> query, ReadOnlySpan<float> key, ReadOnlySpan<float> value, Span<double> output,
        int batch = 1, ReadOnlySpan<int> queryStarts = default, ReadOnlySpan<int> keyLengths = default, Span<double> weights = default)
    {
        Positive(batch, nameof(batch));
        int queries = Tokens(query.Length, batch, Heads * HeadDim, nameof(query));
        int keys = Tokens(key.Length, batch, KeyValueHeads * HeadDim, nameof(key));
        Expect(value.Length, batch * keys * KeyValueHeads * ValueDim, nameof(value));
        Expect(output.Length, batch * queries * Heads * ValueDim, nameof(output));
        if (!weights.IsEmpty) Expect(weights.Length, batch * Heads * queries * keys, nameof(weights));
        if (!keyLengths.IsEmpty) Expect(keyLengths.Length, batch, nameof(keyLengths));
        if (queryStarts.Length > 1) Expect(queryStarts.Length, batch, nameof(queryStarts));

        double[] row = new double[keys];
        for (int b = 0; b < batch; b++)
        {
            int length = keyLengths.IsEmpty ? keys : keyLengths[b];
            int start = queryStarts.Length switch { 0 => length - queries, 1 => queryStarts[0], _ => queryStarts[b] };
            for (int h = 0; h < Heads; h++)
            {
                int keyHead = h / (Heads / KeyValueHeads);
                for (int i = 0; i < queries; i++)
                {
                    int visible = VisibleKeys((long)start + i, length);
                    for (int j = 0; j < keys; j++)
                        row[j] = j < visible ? Score(query, ((b * queries + i) * Heads + h) * HeadDim, key, ((b * keys + j) * KeyValueHeads + keyHead) * HeadDim) : 0;
                    Softmax(row, visible);

                    var to = output.Slice(((b * queries + i) * Heads + h) * ValueDim, ValueDim);
                    to.Clear();
                    for (int j = 0; j < visible; j++)
                        for (int d = 0; d < ValueDim; d++)
                            to[d] += row[j] * value[((b * keys + j) * KeyValueHeads + keyHead) * ValueDim + d];
                    if (!weights.IsEmpty) row.CopyTo(weights.Slice(((b * Heads + h) * queries + i) * keys, keys));
                }
            }
        }
    }

    /// <summary>The keys that the query at a position sees are 0 to this number, exclusively.</summary>
    private int VisibleKeys(long position, int length) =>
        Mask == AttentionMask.Causal ? (int)Math.Clamp(position + 1, 0, length) : length;

    private double Score(ReadOnlySpan<float> query, int queryOffset, ReadOnlySpan<float> key, int keyOffset)
    {
        double sum = 0;
        for (int d = 0; d < HeadDim; d++) sum += (double)query[queryOffset + d] * key[keyOffset + d];
        return Scale * sum;
    }

    private static void Softmax(Span<double> row, int visible)
    {
        double max = double.NegativeInfinity, sum = 0;
        foreach (double s in row[..visible]) max = Math.Max(max, s);
        foreach (ref double s in row[..visible]) sum += s = Math.Exp(s - max);
        foreach (ref double s in row[..visible]) s /= sum;
    }

    private static int Tokens(int length, int batch, int width, string name) =>
        length % (batch * width) == 0
            ? length / (batch * width)
            : throw new ArgumentException($"{name} has {length} elements, which is not a multiple of {batch} batch items of tokens of {width}.", name);

    private static void Expect(int length, int expected, string name)
    {
        if (length != expected) throw new ArgumentException($"{name} has {length} elements, {expected} are needed.", name);
    }

    private static int Positive(int value, string name) =>
        value > 0 ? value : throw new ArgumentOutOfRangeException(name, value, $"{name} must be positive.");
}
