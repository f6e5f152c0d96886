using AttentionGen.CompilerServices;

namespace AttentionGen;

/// <summary>
/// A linear layer: output = activation(input * weights + bias) + residual, for rows of floats. The weights are packed once, for the processor that runs, in native memory.
/// </summary>
/// <typeparam name="T">
/// The type in which weights are stored: <see cref="float"/>, <see cref="BFloat16"/> (half of the memory, 8 bits of precision), or <see cref="sbyte"/> (a quarter, with a scale for each output element). Sums
/// are in single precision for all of them.
/// </typeparam>
/// <remarks>
/// A row of the output depends on its input row alone: it has the same bits in any call, with any other rows, on any number of threads. A sum is made of partial sums of at most 256 products.
/// Sums with integers get their scale at the end: they overflow where the result divided by the scale does.
/// Any thread may call at any time; a call allocates nothing. <see cref="Dispose"/> frees the memory when the last running call ends.
/// </remarks>
public sealed unsafe class AttentionLinear<T> : IDisposable
    where T : unmanaged
{
    private readonly PackedWeights _weights;

    /// <summary>Packs the weights of a layer.</summary>
    /// <param name="inputDim">The number of elements of an input row.</param>
    /// <param name="outputDim">The number of elements of an output row.</param>
    /// <param name="weights">
    /// [outputDim, inputDim], or [inputDim, outputDim] with <see cref="AttentionWeightOrder.InputOutput"/>. With <see cref="AttentionActivation.SiluGate"/> there are twice as many output elements, 2 * outputDim:
    /// those of the gate, then those that it multiplies.
    /// </param>
    /// <param name="bias">[outputDim], 2 * outputDim with a gate, or nothing.</param>
    /// <param name="order">The order of the weights.</param>
    /// <param name="activation">What becomes of sums and biases.</param>
    /// <exception cref="ArgumentException">A length does not fit.</exception>
    /// <exception cref="ArgumentOutOfRangeException">A number is not positive, or an enum has no such value.</exception>
    /// <exception cref="NotSupportedException"><typeparamref name="T"/> is another type.</exception>
    public AttentionLinear(
        int inputDim, int outputDim, ReadOnlySpan<float> weights, ReadOnlySpan<float> bias = default,
        AttentionWeightOrder order = AttentionWeightOrder.OutputInput, AttentionActivation activation = AttentionActivation.None)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(inputDim);
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(outputDim);
        CheckOrder(order);
        if (!Enum.IsDefined(activation)) throw new ArgumentOutOfRangeException(nameof(activation), activation, $"{nameof(activation)} is {activation}, which is no {nameof(AttentionActivation)}.");
        var type = PackedWeights.TypeOf<T>();
        int parts = activation == AttentionActivation.SiluGate ? 2 : 1;
        long rows = (long)parts * outputDim, elements = rows * inputDim;
        string output = parts == 2 ? "2 * outputDim" : "outputDim";
        if (weights.Length != elements)
        {
            string shape = order == AttentionWeightOrder.OutputInput ? $"[{output}, inputDim] = [{rows}, {inputDim}]" : $"[inputDim, {output}] = [{inputDim}, {rows}]";
            throw new ArgumentException($"{nameof(weights)} has {weights.Length} elements, but its shape {shape} needs {elements}.", nameof(weights));
        }

        if (!bias.IsEmpty && bias.Length != rows) throw new ArgumentException($"{nameof(bias)} has {bias.Length} elements, but its shape [{output}] needs {rows}, or it is empty.", nameof(bias));
        (InputDim, OutputDim, Activation) = (inputDim, outputDim, activation);
        _weights = new PackedWeights(type, inputDim, outputDim, parts, !bias.IsEmpty);
        try
        {
            _weights.Pack(weights, order, bias);
        }
        catch
        {
            _weights.Dispose();
            throw;
        }
    }

    /// <summary>The number of elements of an input row.</summary>
    public int InputDim { get; }

    /// <summary>The number of elements of an output row.</summary>
    public int OutputDim { get; }

    /// <summary>What becomes of sums and biases.</summary>
    public AttentionActivation Activation { get; }

    /// <summary>Whether there are biases.</summary>
    public bool HasBias => _weights.HasBias;

    internal PackedWeights Packed => _weights;

    /// <summary>The bytes of native memory.</summary>
    public long Bytes => _weights.Bytes;

    /// <summary>Applies the layer to rows.</summary>
    /// <param name="input">[rows, inputDim].</param>
    /// <param name="output">[rows, outputDim]. It may not overlap the input.</param>
    /// <param name="residual">[rows, outputDim], added after the activation, or nothing. It may be the output itself, which is then added to.</param>
    /// <param name="maxThreads">The most threads, the caller's included; 0 for <see cref="AttentionOptions.MaxDegreeOfParallelism"/>.</param>
    /// <exception cref="ArgumentException">A length does not fit, or the output overlaps the input or a part of the residual. Nothing is written.</exception>
    /// <exception cref="ArgumentOutOfRangeException"><paramref name="maxThreads"/> is negative.</exception>
    /// <exception cref="ObjectDisposedException">The layer is disposed.</exception>
    public void Apply(ReadOnlySpan<float> input, Span<float> output, ReadOnlySpan<float> residual = default, int maxThreads = 0)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(maxThreads);
        int rows = input.Length / InputDim;
        if (input.Length % InputDim != 0) throw new ArgumentException($"{nameof(input)} has {input.Length} elements, which is not a multiple of inputDim = {InputDim}.", nameof(input));
        if (output.Length != (long)rows * OutputDim) throw new ArgumentException($"{nameof(output)} has {output.Length} elements, but its shape [rows, outputDim] = [{rows}, {OutputDim}] needs {(long)rows * OutputDim}.", nameof(output));
        if (!residual.IsEmpty && residual.Length != output.Length) throw new ArgumentException($"{nameof(residual)} has {residual.Length} elements, but its shape [rows, outputDim] = [{rows}, {OutputDim}] needs {output.Length}, or it is empty.", nameof(residual));
        if (input.Overlaps(output)) ThrowHelper.Overlap(nameof(output), nameof(input));
        if (residual.Overlaps(output, out int offset) && offset != 0) throw new ArgumentException($"{nameof(output)} overlaps a part of {nameof(residual)}: it may be the same span or lie elsewhere.", nameof(output));
        var target = _weights.Enter(this);
        try
        {
            fixed (float* from = input, to = output, added = residual)
            {
                target.Activation = Activation;
                target.Output = to;
                target.Residual = added;
                target.OutputStride = target.ResidualStride = OutputDim;
                LinearJob.Run(new LinearCall
                {
                    Input = from, InputStride = InputDim, Rows = rows, Targets = &target, TargetCount = 1,
                    MaxThreads = maxThreads == 0 ? AttentionOptions.MaxDegreeOfParallelism : maxThreads,
                });
            }
        }
        finally
        {
            _weights.Exit();
        }
    }

    /// <summary>Copies the weights as they are stored: narrow types give back what they rounded.</summary>
    /// <param name="weights">As many elements as the constructor was given.</param>
    /// <param name="order">The order in which they are written.</param>
    /// <exception cref="ArgumentException">The length does not fit.</exception>
    /// <exception cref="ArgumentOutOfRangeException">There is no such order.</exception>
    /// <exception cref="ObjectDisposedException">The layer is disposed.</exception>
    public void CopyWeightsTo(Span<float> weights, AttentionWeightOrder order = AttentionWeightOrder.OutputInput)
    {
        CheckOrder(order);
        long elements = (long)_weights.Parts * OutputDim * InputDim;
        if (weights.Length != elements) throw new ArgumentException($"{nameof(weights)} has {weights.Length} elements, {elements} are needed.", nameof(weights));
        _weights.Enter(this);
        try
        {
            _weights.Unpack(weights, order);
        }
        finally
        {
            _weights.Exit();
        }
    }

    /// <summary>Copies the biases.</summary>
    /// <param name="bias">As many elements as the constructor was given.</param>
    /// <exception cref="ArgumentException">The length does not fit.</exception>
    /// <exception cref="InvalidOperationException">There are no biases: see <see cref="HasBias"/>.</exception>
    /// <exception cref="ObjectDisposedException">The layer is disposed.</exception>
    public void CopyBiasTo(Span<float> bias)
    {
        if (!HasBias) throw new InvalidOperationException("The layer has no biases.");
        if (bias.Length != (long)_weights.Parts * OutputDim) throw new ArgumentException($"{nameof(bias)} has {bias.Length} elements, {(long)_weights.Parts * OutputDim} are needed.", nameof(bias));
        _weights.Enter(this);
        try
        {
            _weights.CopyBias(bias);
        }
        finally
        {
            _weights.Exit();
        }
    }

    /// <summary>Frees the memory, now or when the last running call ends. Later calls throw <see cref="ObjectDisposedException"/>.</summary>
    public void Dispose() => _weights.Dispose();

    private static void CheckOrder(AttentionWeightOrder order)
    {
        if (order is not (AttentionWeightOrder.OutputInput or AttentionWeightOrder.InputOutput)) throw new ArgumentOutOfRangeException(nameof(order), order, $"{nameof(order)} is {order}, which is no {nameof(AttentionWeightOrder)}.");
    }
}
