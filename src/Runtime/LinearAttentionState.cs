using AttentionGen.CompilerServices;

namespace AttentionGen;

/// <summary>
/// The states of linear attention (<see cref="LinearAttentionAttribute"/>) of some layers and sequences: zeros at first. Pass <see cref="StateOf"/> as <c>state</c> and <see cref="NormalizerOf"/> as
/// <c>normalizer</c>. Calls on one layer must not run at the same time.
/// </summary>
public sealed class LinearAttentionState
{
    private readonly CacheShape _shape;
    private readonly float[][] _states, _normalizers;

    /// <summary>Makes states of zeros.</summary>
    /// <param name="keyValueHeads">The number of key-value heads, from 1 to 4096.</param>
    /// <param name="headDim">The elements of a key head, from 1 to 512.</param>
    /// <param name="valueDim">The elements of a value head, from 1 to 512; 0 for as many.</param>
    /// <param name="layers">The number of layers, 1 or more.</param>
    /// <param name="batch">The sequences of a call, batch items or documents, 1 or more.</param>
    /// <param name="hasNormalizer">Whether there are sums of keys, for kernels with <see cref="LinearAttentionAttribute.Normalize"/>.</param>
    /// <exception cref="ArgumentOutOfRangeException">A number is out of range.</exception>
    /// <exception cref="OverflowException">A layer has more than 2^31 - 1 numbers.</exception>
    public LinearAttentionState(int keyValueHeads, int headDim, int valueDim = 0, int layers = 1, int batch = 1, bool hasNormalizer = false)
    {
        _shape = CacheShape.Of<float>(keyValueHeads, headDim, valueDim, valueFromKey: false);
        ArgumentOutOfRangeException.ThrowIfLessThan(layers, 1);
        ArgumentOutOfRangeException.ThrowIfLessThan(batch, 1);
        Batch = batch;
        int state = checked(batch * keyValueHeads * headDim * _shape.ValueDim);
        _states = [.. Enumerable.Range(0, layers).Select(_ => new float[state])];
        _normalizers = hasNormalizer ? [.. _states.Select(_ => new float[batch * keyValueHeads * headDim])] : [];
    }

    private LinearAttentionState(CacheShape shape, int batch, float[][] states, float[][] normalizers) => (_shape, Batch, _states, _normalizers) = (shape, batch, states, normalizers);

    /// <summary>The number of key-value heads.</summary>
    public int KeyValueHeads => _shape.Heads;

    /// <summary>The elements of a key head.</summary>
    public int HeadDim => _shape.HeadDim;

    /// <summary>The elements of a value head.</summary>
    public int ValueDim => _shape.ValueDim;

    /// <summary>The number of layers.</summary>
    public int Layers => _states.Length;

    /// <summary>The sequences of a call.</summary>
    public int Batch { get; }

    /// <summary>Whether there are sums of keys.</summary>
    public bool HasNormalizer => _normalizers.Length > 0;

    /// <summary>The states of a layer, [batch, keyValueHeads, headDim, valueDim].</summary>
    /// <exception cref="ArgumentOutOfRangeException">There is no such layer.</exception>
    public Span<float> StateOf(int layer = 0)
    {
        if ((uint)layer >= (uint)Layers) ThrowHelper.BadIndex(nameof(layer), layer, Layers);
        return _states[layer];
    }

    /// <summary>The sums of the keys of a layer, [batch, keyValueHeads, headDim].</summary>
    /// <exception cref="ArgumentOutOfRangeException">There is no such layer.</exception>
    /// <exception cref="InvalidOperationException">There are no sums.</exception>
    public Span<float> NormalizerOf(int layer = 0)
    {
        if ((uint)layer >= (uint)Layers) ThrowHelper.BadIndex(nameof(layer), layer, Layers);
        if (!HasNormalizer) throw new InvalidOperationException("These states have no normaliser: create them with hasNormalizer: true.");
        return _normalizers[layer];
    }

    /// <summary>Forgets all tokens.</summary>
    public void Clear()
    {
        foreach (float[] numbers in _states.Concat(_normalizers)) numbers.AsSpan().Clear();
    }

    /// <summary>Copies the states.</summary>
    public LinearAttentionState Clone() => new(_shape, Batch, [.. _states.Select(state => state.ToArray())], [.. _normalizers.Select(normalizer => normalizer.ToArray())]);

    /// <summary>Writes the states with a checksum.</summary>
    public void Save(Stream stream)
    {
        ArgumentNullException.ThrowIfNull(stream);
        using var writer = new CacheWriter(stream, CacheKind.Recurrent, _shape, Layers);
        writer.Number(Batch);
        writer.Number(HasNormalizer ? 1 : 0);
        foreach (float[] numbers in _states.Concat(_normalizers)) writer.Floats(numbers);
        writer.End();
    }

    /// <summary>
    /// Reads states that <see cref="Save"/> has written. The stream may have more behind them, where it is left. A file is not trusted: memory is taken as its numbers arrive.
    /// </summary>
    /// <exception cref="InvalidDataException">The file is damaged, or has something else.</exception>
    public static LinearAttentionState Load(Stream stream)
    {
        ArgumentNullException.ThrowIfNull(stream);
        using var reader = new CacheReader(stream, CacheKind.Recurrent, ElementType.Float);
        var shape = reader.Shape;
        if (shape.ValueFromKey) throw new InvalidDataException("The valueDim is negative: a state of linear attention has values of their own.");
        int keys = shape.Heads * shape.HeadDim, batch = reader.Number("batch", 1, Array.MaxLength / (keys * shape.ValueDim)); // a head has at most 2^18 numbers, all heads 2^30
        bool hasNormalizer = reader.Number("mark of a normaliser", 0, 1) == 1;
        List<float[]> states = [], normalizers = [];
        for (int layer = 0; layer < reader.Layers; layer++) states.Add(reader.Floats(batch * keys * shape.ValueDim));
        for (int layer = 0; hasNormalizer && layer < reader.Layers; layer++) normalizers.Add(reader.Floats(batch * keys));
        reader.End();
        return new(shape, batch, [.. states], [.. normalizers]);
    }
}
