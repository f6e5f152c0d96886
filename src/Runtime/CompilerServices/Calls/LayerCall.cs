using System.ComponentModel;
using System.Diagnostics.CodeAnalysis;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace AttentionGen.CompilerServices;

/// <summary>
/// The projections of a call of an attention layer, around a <see cref="ForwardCall"/>. Generated code passes the tensors and the weights, makes the call of the kernel from the queries, keys, values and heads,
/// which lie in memory of this call, and runs the projections before and after it. Everything is checked before the first of them; only the last one writes the output.
/// </summary>
[EditorBrowsable(EditorBrowsableState.Never)]
[SuppressMessage("Design", "CA1068", Justification = "Caller argument expressions stand last.")]
public unsafe ref struct LayerCall
{
    private const int Alignment = 16; // floats

    private ReadOnlySpan<float> _input, _context, _residual;
    private Span<float> _output;
    private string _inputName, _contextName, _residualName, _outputName;
    private int _modelDim, _outputDim, _contextDim, _queries, _keys, _maxThreads;
    private object? _owner;
    private PackedWeights? _query, _key, _value, _last;
    private LinearTarget _ofQuery, _ofKey, _ofValue, _ofOutput;
    private int _entered;
    private float* _memory, _lastMemory;
    private nint _queryFloats, _keyFloats, _valueFloats, _headFloats;

    /// <summary>The queries, [queries, heads, headDim].</summary>
    public readonly ReadOnlySpan<float> Query => new(_memory, (int)_queryFloats);

    /// <summary>The keys, [keys, keyValueHeads, headDim].</summary>
    public readonly ReadOnlySpan<float> Key => new(_memory + Aligned(_queryFloats), (int)_keyFloats);

    /// <summary>The values, [keys, keyValueHeads, valueDim].</summary>
    public readonly ReadOnlySpan<float> Value => new(_memory + Aligned(_queryFloats) + Aligned(_keyFloats), (int)_valueFloats);

    /// <summary>What the heads give, [queries, heads, valueDim].</summary>
    public readonly Span<float> Heads => new(_memory + Aligned(_queryFloats) + Aligned(_keyFloats) + Aligned(_valueFloats), (int)_headFloats);

    /// <summary>Starts a call.</summary>
    /// <param name="input">[queries, modelDim].</param>
    /// <param name="output">[queries, outputDim].</param>
    /// <param name="modelDim">The declared elements of an input row.</param>
    /// <param name="outputDim">The declared elements of an output row.</param>
    /// <param name="inputName">The name of the parameter.</param>
    /// <param name="outputName">The name of the parameter.</param>
    /// <exception cref="ArgumentException">The lengths do not fit each other.</exception>
    public void Tensors(
        ReadOnlySpan<float> input, Span<float> output, int modelDim, int outputDim,
        [CallerArgumentExpression(nameof(input))] string inputName = "", [CallerArgumentExpression(nameof(output))] string outputName = "")
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(modelDim);
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(outputDim);
        (_modelDim, _outputDim, _contextDim, _inputName, _outputName) = (modelDim, outputDim, modelDim, inputName, outputName);
        _queries = _keys = Rows(input.Length, modelDim, inputName, "modelDim");
        if (output.Length != (long)_queries * outputDim) ThrowHelper.SpanShape(outputName, output.Length, $"[queries, outputDim] = [{_queries}, {outputDim}]", _queries, outputDim, outputDim);
        _input = input;
        _output = output;
        _maxThreads = AttentionOptions.MaxDegreeOfParallelism;
    }

    /// <summary>The rows that keys and values come from.</summary>
    /// <param name="context">[keys, contextDim].</param>
    /// <param name="contextDim">The declared elements of a row.</param>
    /// <param name="name">The name of the parameter.</param>
    /// <exception cref="ArgumentException">The length does not fit.</exception>
    public void Context(ReadOnlySpan<float> context, int contextDim, [CallerArgumentExpression(nameof(context))] string name = "")
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(contextDim);
        _keys = Rows(context.Length, contextDim, name, "contextDim");
        _context = context;
        (_contextDim, _contextName) = (contextDim, name);
    }

    /// <summary>What is added to the output.</summary>
    /// <param name="residual">[queries, outputDim]. It may be the output.</param>
    /// <param name="name">The name of the parameter.</param>
    /// <exception cref="ArgumentException">The length does not fit, or it overlaps a part of the output.</exception>
    public void Residual(ReadOnlySpan<float> residual, [CallerArgumentExpression(nameof(residual))] string name = "")
    {
        if (residual.Length != _output.Length) ThrowHelper.SpanShape(name, residual.Length, $"[queries, outputDim] = [{_queries}, {_outputDim}]", _queries, _outputDim, _outputDim);
        if (residual.Overlaps(_output, out int offset) && offset != 0) throw new ArgumentException($"{_outputName} overlaps a part of {name}: it may be the same span or lie elsewhere.", _outputName);
        _residual = residual;
        _residualName = name;
    }

    /// <summary>What the attention writes beside the heads. The layer reads the residual after that, and then writes the output.</summary>
    /// <exception cref="ArgumentException">It overlaps another argument.</exception>
    public readonly void Result(Span<float> result, [CallerArgumentExpression(nameof(result))] string name = "") => Result(MemoryMarshal.AsBytes(result), name);

    /// <inheritdoc cref="Result(Span{float}, string)"/>
    public readonly void Result(Span<int> result, [CallerArgumentExpression(nameof(result))] string name = "") => Result(MemoryMarshal.AsBytes(result), name);

    private readonly void Result(ReadOnlySpan<byte> bytes, string name)
    {
        if (bytes.Overlaps(MemoryMarshal.AsBytes(_output))) ThrowHelper.Overlap(_outputName, name);
        if (bytes.Overlaps(MemoryMarshal.AsBytes(_input))) ThrowHelper.Overlap(name, _inputName);
        if (bytes.Overlaps(MemoryMarshal.AsBytes(_context))) ThrowHelper.Overlap(name, _contextName);
        if (bytes.Overlaps(MemoryMarshal.AsBytes(_residual))) ThrowHelper.Overlap(name, _residualName);
    }

    /// <summary>The most threads, the caller's included.</summary>
    /// <exception cref="ArgumentOutOfRangeException">It is less than 1.</exception>
    public void MaxThreads(int maxThreads, [CallerArgumentExpression(nameof(maxThreads))] string name = "")
    {
        if (maxThreads < 1) ThrowHelper.TooFewThreads(name, maxThreads);
        _maxThreads = maxThreads;
    }

    /// <summary>The weights, after the tensors. From here on the call holds them, and memory; <see cref="Dispose"/> gives both back.</summary>
    /// <exception cref="ArgumentException">They have other shapes than the declaration.</exception>
    /// <exception cref="ArgumentNullException">There are none.</exception>
    /// <exception cref="InvalidOperationException">The call needs more memory than <see cref="AttentionOptions.MaxLayerBytes"/>.</exception>
    /// <exception cref="ObjectDisposedException">They are disposed.</exception>
    public void Weights<T>(AttentionWeights<T> weights, int heads, int keyValueHeads, int headDim, int valueDim, [CallerArgumentExpression(nameof(weights))] string name = "")
        where T : unmanaged
    {
        ArgumentNullException.ThrowIfNull(weights, name);
        Take(weights, weights.Query.Packed, weights.Key.Packed, weights.Value.Packed, weights.Output.Packed, heads, keyValueHeads, headDim, valueDim, name);
    }

    private void Take(object owner, PackedWeights query, PackedWeights key, PackedWeights value, PackedWeights last, int heads, int keyValueHeads, int headDim, int valueDim, string name)
    {
        string rows = _contextName is null ? "modelDim" : "contextDim";
        Check(query, "Query", "modelDim", "heads * headDim", _modelDim, heads * headDim, name);
        Check(key, "Key", rows, "keyValueHeads * headDim", _contextDim, keyValueHeads * headDim, name);
        Check(value, "Value", rows, "keyValueHeads * valueDim", _contextDim, keyValueHeads * valueDim, name);
        Check(last, "Output", "heads * valueDim", "outputDim", heads * valueDim, _outputDim, name);
        _queryFloats = Floats(_queries, heads, headDim, _inputName);
        _keyFloats = Floats(_keys, keyValueHeads, headDim, _contextName ?? _inputName);
        _valueFloats = Floats(_keys, keyValueHeads, valueDim, _contextName ?? _inputName);
        _headFloats = Floats(_queries, heads, valueDim, _inputName);
        nint bytes = (Aligned(_queryFloats) + Aligned(_keyFloats) + Aligned(_valueFloats) + Aligned(_headFloats)) * sizeof(float);
        nint needed = (_queryFloats + _keyFloats + _valueFloats + _headFloats) * sizeof(float); // as LayerBytes says
        if (needed > AttentionOptions.MaxLayerBytes)
            throw new InvalidOperationException($"The layer needs {needed} bytes for {_queries} rows of {_inputName}{(_contextName is null ? "" : $" and {_keys} of {_contextName}")}, but {nameof(AttentionOptions)}.{nameof(AttentionOptions.MaxLayerBytes)} is {AttentionOptions.MaxLayerBytes}.");
        (_owner, _query, _key, _value, _last) = (owner, query, key, value, last);
        Enter(query, out _ofQuery);
        Enter(key, out _ofKey);
        Enter(value, out _ofValue);
        Enter(last, out _ofOutput);
        if (bytes > 0) _memory = ScratchCache.RentForLayer((nuint)bytes);
        if (_queries == 0) return;
        _lastMemory = ScratchCache.Rent((nuint)LinearJob.BytesOf(_queries, _ofOutput.Depth)); // now: when the last projection begins, a cache has the new tokens
        LinearJob.Prepare();
    }

    /// <summary>Computes queries, keys and values.</summary>
    public readonly void Project()
    {
        LinearTarget* targets = stackalloc LinearTarget[] { _ofQuery, _ofKey, _ofValue };
        targets[0].Output = _memory;
        targets[1].Output = _memory + Aligned(_queryFloats);
        targets[2].Output = targets[1].Output + Aligned(_keyFloats);
        for (int i = 0; i < 3; i++) targets[i].OutputStride = targets[i].Columns;
        fixed (float* input = _input, context = _context)
        {
            Run(input, _modelDim, _queries, targets, _contextName is null ? 3 : 1);
            if (_contextName is not null) Run(context, _contextDim, _keys, targets + 1, 2);
        }
    }

    /// <summary>Computes the output from the heads. It cannot fail: all that it needs is there, and what it could use beside is not needed.</summary>
    public readonly void Finish()
    {
        var target = _ofOutput;
        fixed (float* heads = Heads, output = _output, residual = _residual)
        {
            target.Output = output;
            target.Residual = residual;
            target.OutputStride = target.ResidualStride = target.Columns;
            Run(heads, target.Depth, _queries, &target, 1, _lastMemory);
        }
    }

    /// <summary>Gives back weights and memory.</summary>
    public void Dispose()
    {
        if (_memory != null) ScratchCache.ReturnOfLayer(_memory);
        if (_lastMemory != null) ScratchCache.Return(_lastMemory);
        _memory = _lastMemory = null;
        if (_entered > 0) _query!.Exit();
        if (_entered > 1) _key!.Exit();
        if (_entered > 2) _value!.Exit();
        if (_entered > 3) _last!.Exit();
        _entered = 0;
        GC.KeepAlive(_owner);
    }

    private readonly void Run(float* input, int stride, int rows, LinearTarget* targets, int count, float* memory = null) =>
        LinearJob.Run(new LinearCall { Input = input, InputStride = stride, Rows = rows, Targets = targets, TargetCount = count, MaxThreads = _maxThreads, Memory = memory });

    private void Enter(PackedWeights weights, out LinearTarget target)
    {
        target = weights.Enter(_owner!);
        _entered++;
    }

    private static nint Aligned(nint floats) => (floats + Alignment - 1) & -Alignment;

    private static nint Floats(int tokens, int heads, int dim, string name)
    {
        long floats = (long)tokens * heads * dim;
        if (floats > int.MaxValue) throw new ArgumentException($"{name} has {tokens} rows, which become [{tokens}, {heads}, {dim}]: at most {int.MaxValue} elements are possible.", name);
        return (nint)floats;
    }

    private static int Rows(int length, int width, string name, string what)
    {
        if (length % width != 0) throw new ArgumentException($"{name} has {length} elements, which is not a multiple of {what} = {width}.", name);
        return length / width;
    }

    private static void Check(PackedWeights weights, string part, string inputsText, string outputsText, int inputs, int outputs, string name)
    {
        if ((weights.Depth, weights.Columns) != (inputs, outputs))
            throw new ArgumentException($"{name}.{part} has the shape [{weights.Depth}, {weights.Columns}], but the layer needs [{inputsText}, {outputsText}] = [{inputs}, {outputs}].", name);
    }
}
