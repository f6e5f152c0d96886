using System.ComponentModel;
using System.Diagnostics.CodeAnalysis;
using System.Runtime.CompilerServices;

namespace AttentionGen.CompilerServices;

/// <summary>
/// A call of linear attention. Generated code passes the tensors, then each further parameter with one method call, then calls <see cref="Run"/>. The call checks everything before it writes anything. Messages
/// use the names of the user's parameters.
/// </summary>
[EditorBrowsable(EditorBrowsableState.Never)]
[SuppressMessage("Design", "CA1068", Justification = "Caller argument expressions stand last.")]
public unsafe ref struct RecurrenceCall
{
    private KernelTensor _query, _key, _value, _output;
    private ReadOnlySpan<float> _decay, _beta;
    private Span<float> _state, _normalizer;
    private ReadOnlySpan<int> _starts, _givenStarts;
    private AttentionAxes _decayAxes, _betaAxes;
    private string _startsName, _decayName, _betaName, _stateName, _normalizerName;
    private CallNumbers _numbers;
    private bool _hasState, _hasNormalizer, _hasDecay, _hasBeta, _hasStarts;
    private int _maxThreads;

    /// <summary>Starts a call and checks the tensors against each other.</summary>
    /// <param name="query">[batch, queries, heads, headDim].</param>
    /// <param name="key">[batch, keys, keyValueHeads, headDim].</param>
    /// <param name="value">[batch, keys, keyValueHeads, valueDim].</param>
    /// <param name="output">[batch, queries, heads, valueDim].</param>
    /// <param name="ordered">Whether each token has a query and a key: the call then needs as many of both.</param>
    /// <exception cref="ArgumentException">The lengths do not fit each other, or the output overlaps an input.</exception>
    public void Tensors(in KernelTensor query, in KernelTensor key, in KernelTensor value, in KernelTensor output, bool ordered)
    {
        this = default; // nothing of an earlier shape stays
        query.CheckTokens("heads", "headDim");
        key.CheckTokens("keyValueHeads", "headDim");
        if (key.Batch != query.Batch) ThrowHelper.BatchMismatch(key.Name, key.Batch, query.Name, query.Batch);
        if (ordered && key.Tokens != query.Tokens) ThrowHelper.AsManyTokens(key.Name, key.Tokens, query.Name, query.Tokens);
        value.CheckTokens(query.Batch, key.Tokens);
        output.CheckTokens(query.Batch, query.Tokens);
        if (output.OverlapsItself()) ThrowHelper.OverlapsItself(output.Name);
        if (output.Overlaps(query)) ThrowHelper.Overlap(output.Name, query.Name);
        if (output.Overlaps(key)) ThrowHelper.Overlap(output.Name, key.Name);
        if (output.Overlaps(value)) ThrowHelper.Overlap(output.Name, value.Name);
        ForwardChecks.Recurrence(query, key, value, output);
        _query = query;
        _key = key;
        _value = value;
        _output = output;
        _maxThreads = AttentionOptions.MaxDegreeOfParallelism;
    }

    /// <summary>The first token of each packed document and the end of the last, [documents + 1]. Call it before the operands.</summary>
    /// <exception cref="ArgumentException">They do not rise from 0 to the number of tokens, which is that of queries and of keys.</exception>
    /// <exception cref="InvalidOperationException">There are documents, a state or a batch already.</exception>
    public void DocumentStarts(ReadOnlySpan<int> documentStarts, [CallerArgumentExpression(nameof(documentStarts))] string name = "")
    {
        if (_hasStarts || _hasState || _hasNormalizer || _query.Batch != 1) throw new InvalidOperationException("Documents come before the state, once, and without a batch.");
        if (_key.Tokens != _query.Tokens) ThrowHelper.AsManyTokens(_key.Name, _key.Tokens, _query.Name, _query.Tokens);
        var starts = _numbers.Copy(documentStarts);
        if (starts.Length < 1 || starts[0] != 0 || starts[^1] != _query.Tokens) ThrowHelper.DocumentRange(name, starts, _query.Name, _query.Tokens);
        for (int i = 1; i < starts.Length; i++)
            if (starts[i] < starts[i - 1]) ThrowHelper.DocumentOrder(name, i, starts[i - 1], starts[i]);
        CheckOutput(MemoryBlock.Of(documentStarts), name);
        _starts = starts;
        _givenStarts = documentStarts;
        (_startsName, _hasStarts) = (name, true);
    }

    /// <summary>The logarithms of the factors of the state.</summary>
    /// <param name="decay">A tensor over the axes, in the order of the layout: [batch, keys, keyValueHeads, headDim], or heads before keys.</param>
    /// <param name="axes">The axes.</param>
    /// <param name="name">The name of the parameter.</param>
    /// <exception cref="ArgumentException">It has another length, or the output overlaps it.</exception>
    public void Decay(ReadOnlySpan<float> decay, AttentionAxes axes, [CallerArgumentExpression(nameof(decay))] string name = "")
    {
        Check(decay, axes, name);
        _decay = decay;
        (_decayAxes, _decayName, _hasDecay) = (axes, name, true);
    }

    /// <summary>The rates of the corrections of the state: see <see cref="Decay"/>.</summary>
    /// <exception cref="ArgumentException">It has another length, or the output overlaps it.</exception>
    public void Beta(ReadOnlySpan<float> beta, AttentionAxes axes, [CallerArgumentExpression(nameof(beta))] string name = "")
    {
        Check(beta, axes, name);
        _beta = beta;
        (_betaAxes, _betaName, _hasBeta) = (axes, name, true);
    }

    /// <summary>The state before the call and after it.</summary>
    /// <param name="state">[batch or documents, keyValueHeads, headDim, valueDim].</param>
    /// <param name="name">The name of the parameter.</param>
    /// <exception cref="ArgumentException">It has another length, or overlaps another argument.</exception>
    public void State(Span<float> state, [CallerArgumentExpression(nameof(state))] string name = "")
    {
        long needed = (long)Items * _key.Heads * _key.Dim * _value.Dim;
        if (state.Length != needed) ThrowHelper.StateLength(name, state.Length, $"[{ItemsName}, keyValueHeads, headDim, valueDim] = [{Items}, {_key.Heads}, {_key.Dim}, {_value.Dim}]", needed);
        CheckWritten(MemoryBlock.Of((ReadOnlySpan<float>)state), name);
        if (_hasNormalizer && state.Overlaps(_normalizer)) ThrowHelper.Overlap(name, _normalizerName);
        _state = state;
        (_stateName, _hasState) = (name, true);
    }

    /// <summary>The sums of the keys before the call and after it.</summary>
    /// <param name="normalizer">[batch or documents, keyValueHeads, headDim].</param>
    /// <param name="name">The name of the parameter.</param>
    /// <exception cref="ArgumentException">It has another length, or overlaps another argument.</exception>
    public void Normalizer(Span<float> normalizer, [CallerArgumentExpression(nameof(normalizer))] string name = "")
    {
        long needed = (long)Items * _key.Heads * _key.Dim;
        if (normalizer.Length != needed) ThrowHelper.StateLength(name, normalizer.Length, $"[{ItemsName}, keyValueHeads, headDim] = [{Items}, {_key.Heads}, {_key.Dim}]", needed);
        CheckWritten(MemoryBlock.Of((ReadOnlySpan<float>)normalizer), name);
        if (_hasState && normalizer.Overlaps(_state)) ThrowHelper.Overlap(name, _stateName);
        _normalizer = normalizer;
        (_normalizerName, _hasNormalizer) = (name, true);
    }

    /// <summary>The most threads, including the caller's.</summary>
    /// <exception cref="ArgumentOutOfRangeException">It is less than 1.</exception>
    public void MaxThreads(int maxThreads, [CallerArgumentExpression(nameof(maxThreads))] string name = "")
    {
        if (maxThreads < 1) ThrowHelper.TooFewThreads(name, maxThreads);
        _maxThreads = maxThreads;
    }

    /// <summary>Runs the call.</summary>
    /// <param name="causal">Whether a query attends to the tokens up to its own; else to all.</param>
    /// <param name="map">What happens to queries and keys first.</param>
    /// <param name="scale">The factor of the queries.</param>
    /// <param name="normalizes">Whether an output is divided by the sum of its weights.</param>
    public void Run(bool causal, LinearAttentionFeatureMap map, float scale, bool normalizes)
    {
        _numbers.CheckOwned();
        try
        {
            if (causal && _key.Tokens != _query.Tokens) ThrowHelper.AsManyTokens(_key.Name, _key.Tokens, _query.Name, _query.Tokens);
            if (_query.Tokens == 0 || Items == 0) return;
            fixed (byte* query = &_query.Data, key = &_key.Data, value = &_value.Data, output = &_output.Data)
            fixed (float* decay = _decay, beta = _beta, state = _state, normalizer = _normalizer)
            fixed (int* starts = _starts)
            {
                RecurrenceJob.Run(new RecurrenceArguments
                {
                    Causal = causal, Map = map, Scale = scale, Normalizes = normalizes, Decays = _hasDecay, Corrects = _hasBeta,
                    Heads = _query.Heads, KeyValueHeads = _key.Heads, HeadDim = _query.Dim, ValueDim = _value.Dim, Items = Items, Queries = _query.Tokens, Keys = _key.Tokens,
                    Starts = _hasStarts ? starts : null,
                    Query = new StridedTensor(query, _query), Key = new StridedTensor(key, _key), Value = new StridedTensor(value, _value), Output = new StridedTensor(output, _output),
                    QueryType = _query.Element, KeyType = _key.Element, OutputType = _output.Element,
                    Decay = Operand(decay, _decayAxes), Beta = Operand(beta, _betaAxes), State = state, Normalizer = normalizer, MaxThreads = _maxThreads,
                });
            }
        }
        finally
        {
            _numbers.Return();
            _starts = default; // it refers to a returned copy
        }
    }

    private readonly int Items => _hasStarts ? _starts.Length - 1 : _query.Batch;

    private readonly string ItemsName => _hasStarts ? "documents" : "batch";

    /// <summary>The axes of an operand in the order of the layout, with their lengths.</summary>
    private readonly (AttentionAxes Axis, string Name, int Length)[] AxesOf(AttentionAxes axes)
    {
        (AttentionAxes, string, int) tokens = (AttentionAxes.Key, "keys", _key.Tokens), heads = (AttentionAxes.Head, "keyValueHeads", _key.Heads);
        bool headMajor = _key.Layout == AttentionLayout.HeadMajor;
        (AttentionAxes, string, int)[] all = [(AttentionAxes.Batch, "batch", _key.Batch), headMajor ? heads : tokens, headMajor ? tokens : heads, (AttentionAxes.HeadDim, "headDim", _key.Dim)];
        return [.. all.Where(axis => (axes & axis.Item1) != 0)];
    }

    private readonly void Check(ReadOnlySpan<float> operand, AttentionAxes axes, string name)
    {
        long needed = 1;
        if ((axes & AttentionAxes.Batch) != 0) needed *= _key.Batch;
        if ((axes & AttentionAxes.Key) != 0) needed *= _key.Tokens;
        if ((axes & AttentionAxes.Head) != 0) needed *= _key.Heads;
        if ((axes & AttentionAxes.HeadDim) != 0) needed *= _key.Dim;
        if (operand.Length != needed)
        {
            var own = AxesOf(axes);
            ThrowHelper.StateLength(name, operand.Length, $"[{string.Join(", ", own.Select(axis => axis.Name))}] = [{string.Join(", ", own.Select(axis => axis.Length))}]", needed);
        }

        CheckOutput(MemoryBlock.Of(operand), name);
    }

    private readonly RecurrenceOperand Operand(float* data, AttentionAxes axes)
    {
        var operand = new RecurrenceOperand { Data = data };
        nint stride = 1;
        if ((axes & AttentionAxes.HeadDim) != 0) (operand.Element, stride) = (1, _key.Dim);
        bool headMajor = _key.Layout == AttentionLayout.HeadMajor;
        if (headMajor && (axes & AttentionAxes.Key) != 0) (operand.Token, stride) = (stride, stride * _key.Tokens);
        if ((axes & AttentionAxes.Head) != 0) (operand.Head, stride) = (stride, stride * _key.Heads);
        if (!headMajor && (axes & AttentionAxes.Key) != 0) (operand.Token, stride) = (stride, stride * _key.Tokens);
        if ((axes & AttentionAxes.Batch) != 0) operand.Batch = stride;
        return operand;
    }

    /// <summary>Refuses an input in the memory of what the call writes.</summary>
    private readonly void CheckOutput(in MemoryBlock memory, string name)
    {
        if (memory.Meets(MemoryBlock.Of(_output))) ThrowHelper.Overlap(_output.Name, name);
        if (_hasState && memory.Meets(MemoryBlock.Of((ReadOnlySpan<float>)_state))) ThrowHelper.Overlap(_stateName, name);
        if (_hasNormalizer && memory.Meets(MemoryBlock.Of((ReadOnlySpan<float>)_normalizer))) ThrowHelper.Overlap(_normalizerName, name);
    }

    /// <summary>Refuses what the call writes in the memory of another argument.</summary>
    private readonly void CheckWritten(in MemoryBlock memory, string name)
    {
        if (memory.Meets(MemoryBlock.Of(_query))) ThrowHelper.Overlap(name, _query.Name);
        if (memory.Meets(MemoryBlock.Of(_key))) ThrowHelper.Overlap(name, _key.Name);
        if (memory.Meets(MemoryBlock.Of(_value))) ThrowHelper.Overlap(name, _value.Name);
        if (memory.Meets(MemoryBlock.Of(_output))) ThrowHelper.Overlap(name, _output.Name);
        if (_hasDecay && memory.Meets(MemoryBlock.Of(_decay))) ThrowHelper.Overlap(name, _decayName);
        if (_hasBeta && memory.Meets(MemoryBlock.Of(_beta))) ThrowHelper.Overlap(name, _betaName);
        if (_hasStarts && memory.Meets(MemoryBlock.Of(_givenStarts))) ThrowHelper.Overlap(name, _startsName); // the call has a copy, but what is overwritten is a mistake
    }
}
