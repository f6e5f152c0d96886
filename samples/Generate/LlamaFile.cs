using System.Buffers.Binary;
using System.Numerics.Tensors;
using System.Runtime.InteropServices;

namespace Generate;

/// <summary>
/// A model file of llama2.c (version 0): seven little-endian int32, then float32 tensors one after the other. The length of the file is
/// compared with these numbers before anything is allocated for them.
/// </summary>
internal sealed class LlamaFile
{
    /// <summary>The most bytes that one array of bytes may hold, as which the weights are read.</summary>
    private const long MaxBytes = int.MaxValue;

    private readonly ReadOnlyMemory<float> _weights;
    private int _next;

    private LlamaFile(LlamaShape shape, float[] weights)
    {
        Shape = shape;
        _weights = weights;
    }

    public LlamaShape Shape { get; }

    /// <exception cref="InvalidDataException">The file is damaged, or the model has another shape than the kernel.</exception>
    public static LlamaFile Read(string path)
    {
        using var stream = InputFile.Open(path);
        try
        {
            long length = stream.Length;
            if (length < LlamaShape.Bytes)
                throw new InvalidDataException($"is damaged: it has {length} bytes, its first seven numbers alone take {LlamaShape.Bytes}");

            Span<byte> header = stackalloc byte[LlamaShape.Bytes];
            stream.ReadExactly(header);
            var shape = LlamaShape.Read(header);
            var expected = LlamaShape.Bytes + sizeof(float) * shape.Weights;
            if (length != expected)
                throw new InvalidDataException($"is damaged: it has {length} bytes, a model of {shape} has {expected}");
            if (length > MaxBytes) throw new InvalidDataException($"has {length} bytes, this program reads {MaxBytes} at most");
            shape.CheckKernel();

            float[] weights = new float[(int)shape.Weights];
            stream.ReadExactly(MemoryMarshal.AsBytes(weights.AsSpan()));
            var words = MemoryMarshal.Cast<float, int>(weights.AsSpan());
            if (!BitConverter.IsLittleEndian) BinaryPrimitives.ReverseEndianness(words, words);
            return new LlamaFile(shape, weights);
        }
        catch (InvalidDataException e)
        {
            throw new InvalidDataException($"{Path.GetFileName(path)} {e.Message}.", e);
        }
    }

    /// <summary>The next tensor.</summary>
    /// <exception cref="InvalidDataException">Not all of its elements are finite.</exception>
    public Matrix Next(int rows, int columns)
    {
        var elements = _weights.Slice(_next, rows * columns);
        if (!TensorPrimitives.IsFiniteAll(elements.Span))
            throw new InvalidDataException("The model file is damaged: not all of its weights are finite.");
        _next += elements.Length;
        return new Matrix(elements, columns);
    }

    /// <summary>The same tensor of each layer.</summary>
    public Matrix[] NextOfLayers(int rows, int columns)
    {
        var layers = new Matrix[Shape.Layers];
        foreach (ref var layer in layers.AsSpan()) layer = Next(rows, columns);
        return layers;
    }

    /// <summary>Elements that nobody reads.</summary>
    public void Skip(int elements) => _next += elements;
}

/// <param name="Dim">Elements of a token between layers.</param>
/// <param name="Hidden">Elements of a token inside the feed-forward part.</param>
/// <param name="Layers">The number of layers.</param>
/// <param name="Heads">Query heads.</param>
/// <param name="KeyValueHeads">Heads of keys and values.</param>
/// <param name="Vocabulary">The number of tokens that exist.</param>
/// <param name="Sequence">The most tokens of a sequence.</param>
/// <param name="OwnClassifier">Whether the classifier is a tensor of its own; otherwise it is the embedding.</param>
internal sealed record LlamaShape(
    int Dim, int Hidden, int Layers, int Heads, int KeyValueHeads, int Vocabulary, int Sequence, bool OwnClassifier)
{
    public const int Bytes = 7 * sizeof(int);

    public int HeadDim => Dim / Heads;

    public int KeyValueDim => KeyValueHeads * HeadDim;

    /// <summary>The float32 in the file. The product of three int32 fits, whatever a damaged file says.</summary>
    public Int128 Weights
    {
        get
        {
            Int128 dim = Dim, attention = 2 * dim * dim + 2 * dim * KeyValueDim, feedForward = 3 * dim * Hidden;
            return Vocabulary * dim * (OwnClassifier ? 2 : 1) + Layers * (2 * dim + attention + feedForward) + dim + Tables;
        }
    }

    /// <summary>Elements of the two tables of rotary positions, which are computed instead.</summary>
    public Int128 Tables => (Int128)Sequence * (HeadDim / 2) * 2;

    /// <exception cref="InvalidDataException">Numbers that no model has.</exception>
    public static LlamaShape Read(ReadOnlySpan<byte> header)
    {
        Span<int> numbers = stackalloc int[Bytes / sizeof(int)];
        for (int i = 0; i < numbers.Length; i++) numbers[i] = BinaryPrimitives.ReadInt32LittleEndian(header[(sizeof(int) * i)..]);

        // The sign of the vocabulary says where the classifier is.
        bool ownClassifier = numbers[5] < 0;
        if (ownClassifier && numbers[5] != int.MinValue) numbers[5] = -numbers[5];
        foreach (int number in numbers)
            if (number <= 0) throw new InvalidDataException($"is damaged: its seven numbers are {string.Join(", ", numbers.ToArray())}");
        if (numbers[0] % numbers[3] != 0)
            throw new InvalidDataException($"is damaged: {numbers[0]} elements of a token cannot be {numbers[3]} heads");
        if (numbers[3] % numbers[4] != 0)
            throw new InvalidDataException($"is damaged: {numbers[3]} heads cannot share {numbers[4]} key-value heads");
        return new LlamaShape(numbers[0], numbers[1], numbers[2], numbers[3], numbers[4], numbers[5], numbers[6], ownClassifier);
    }

    /// <summary>The shape of attention is a number of the compiler's: a kernel is generated for one shape.</summary>
    /// <exception cref="InvalidDataException">The kernel has another shape.</exception>
    public void CheckKernel()
    {
        if ((Heads, HeadDim, KeyValueHeads) != (LayerCache.Heads, LayerCache.HeadDim, LayerCache.KeyValueHeads))
            throw new InvalidDataException(
                $"has {Heads} heads of {HeadDim} elements and {KeyValueHeads} key-value heads: "
                + $"declare [Attention(heads: {Heads}, headDim: {HeadDim}, KeyValueHeads = {KeyValueHeads})] in samples/Generate/Cache.cs, "
                + $"where {LayerCache.Heads}, {LayerCache.HeadDim} and {LayerCache.KeyValueHeads} stand");
    }

    public override string ToString() =>
        $"{Layers} layers, {Dim} and {Hidden} elements, {Heads} heads, {KeyValueHeads} key-value heads, {Vocabulary} tokens "
        + $"and a sequence of {Sequence}";
}
