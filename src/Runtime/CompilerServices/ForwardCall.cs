using System.ComponentModel;
using System.Diagnostics.CodeAnalysis;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace AttentionGen.CompilerServices;

/// <summary>
/// A call of a forward kernel, as generated code builds it: the tensors, then one method for each further parameter, then
/// <see cref="Run{TCore}"/>. Everything is checked before anything is written. Names in messages are those of the user's parameters.
/// </summary>
[EditorBrowsable(EditorBrowsableState.Never)]
[SuppressMessage("Design", "CA1068", Justification = "Caller argument expressions stand last.")]
public unsafe ref struct ForwardCall
{
    private readonly KernelTensor _query, _key, _value, _output;
    private ReadOnlySpan<int> _queryStarts, _keyLengths;
    private Span<byte> _scratch;
    private ReadOnlySpan<byte> _bias, _keep, _slopes, _sinks, _queryNormWeight, _keyNormWeight;
    private Span<float> _logSumExp, _scores, _maxScore, _entropy, _argmax; // as floats: there may be more bytes than a span can count
    private AttentionAxes _biasAxes, _keepAxes;
    private ForwardOperands _operands; // the numbers of the call; the rest when it is pinned
    private ForwardArguments _arguments;

    /// <summary>Checks the tensors against each other.</summary>
    /// <param name="left">How many keys before its position a query sees, -1 for all.</param>
    /// <param name="right">How many keys behind its position a query sees, -1 for all; 0 under a causal mask.</param>
    /// <param name="query">[batch, queries, heads, headDim].</param>
    /// <param name="key">[batch, keys, keyValueHeads, headDim].</param>
    /// <param name="value">[batch, keys, keyValueHeads, valueDim].</param>
    /// <param name="output">[batch, queries, heads, valueDim].</param>
    /// <exception cref="ArgumentException">Lengths that do not fit, or an output that overlaps an input.</exception>
    public ForwardCall(int left, int right, in KernelTensor query, in KernelTensor key, in KernelTensor value, in KernelTensor output)
    {
        query.CheckTokens("heads", "headDim");
        key.CheckTokens("keyValueHeads", "headDim");
        if (key.Batch != query.Batch) ThrowHelper.BatchMismatch(key.Name, key.Batch, query.Name, query.Batch);
        value.CheckTokens(query.Batch, key.Tokens);
        output.CheckTokens(query.Batch, query.Tokens);
        if (output.OverlapsItself()) ThrowHelper.OverlapsItself(output.Name);
        if (output.Overlaps(query)) ThrowHelper.Overlap(output.Name, query.Name);
        if (output.Overlaps(key)) ThrowHelper.Overlap(output.Name, key.Name);
        if (output.Overlaps(value)) ThrowHelper.Overlap(output.Name, value.Name);

        _query = query;
        _key = key;
        _value = value;
        _output = output;
        _arguments = new ForwardArguments
        {
            Batch = query.Batch, Queries = query.Tokens, Keys = key.Tokens, Heads = query.Heads, KeyValueHeads = key.Heads,
            Left = left, Right = right, QueryStart = -1, ScratchName = "", MaxThreads = AttentionOptions.MaxDegreeOfParallelism,
        };
    }

    /// <summary>The position of the first query of every batch item.</summary>
    /// <exception cref="ArgumentOutOfRangeException">It is negative.</exception>
    public void QueryStart(int queryStart, [CallerArgumentExpression(nameof(queryStart))] string name = "")
    {
        if (queryStart < 0) ThrowHelper.NegativeStart(name, null, queryStart);
        _arguments.QueryStart = queryStart;
    }

    /// <summary>The position of the first query of each batch item.</summary>
    /// <exception cref="ArgumentException">There is not one for each item, or one is negative.</exception>
    public void QueryStarts(ReadOnlySpan<int> queryStarts, [CallerArgumentExpression(nameof(queryStarts))] string name = "")
    {
        if (queryStarts.Length != _arguments.Batch) ThrowHelper.OneForEachItem(name, queryStarts.Length, _arguments.Batch);
        for (int i = 0; i < queryStarts.Length; i++)
            if (queryStarts[i] < 0) ThrowHelper.NegativeStart(name, i, queryStarts[i]);
        if (Same(queryStarts)) ThrowHelper.Overlap(_output.Name, name);
        _queryStarts = queryStarts;
    }

    /// <summary>The number of visible keys of each batch item.</summary>
    /// <exception cref="ArgumentException">There is not one for each item, or one is negative or more than there are keys.</exception>
    public void KeyLengths(ReadOnlySpan<int> keyLengths, [CallerArgumentExpression(nameof(keyLengths))] string name = "")
    {
        if (keyLengths.Length != _arguments.Batch) ThrowHelper.OneForEachItem(name, keyLengths.Length, _arguments.Batch);
        for (int i = 0; i < keyLengths.Length; i++)
            if ((uint)keyLengths[i] > (uint)_arguments.Keys) ThrowHelper.BadKeyLength(name, i, keyLengths[i], _arguments.Keys);
        if (Same(keyLengths)) ThrowHelper.Overlap(_output.Name, name);
        _keyLengths = keyLengths;
    }

    /// <summary>What is added to the scores.</summary>
    /// <exception cref="ArgumentException">Its length is not that of its axes, or the output overlaps it.</exception>
    public void Bias(ReadOnlySpan<float> bias, AttentionAxes axes, [CallerArgumentExpression(nameof(bias))] string name = "")
    {
        _bias = Operand(MemoryMarshal.AsBytes(bias), sizeof(float), axes, name);
        _biasAxes = axes;
    }

    /// <summary>Which keys are kept.</summary>
    /// <exception cref="ArgumentException">Its length is not that of its axes, or the output overlaps it.</exception>
    public void Keep(ReadOnlySpan<bool> keep, AttentionAxes axes, [CallerArgumentExpression(nameof(keep))] string name = "")
    {
        _keep = Operand(MemoryMarshal.AsBytes(keep), sizeof(bool), axes, name);
        _keepAxes = axes;
    }

    /// <summary>What a score loses for each position between query and key: of each head.</summary>
    /// <exception cref="ArgumentException">There is not one for each head, or the output overlaps them.</exception>
    public void Slopes(ReadOnlySpan<float> slopes, [CallerArgumentExpression(nameof(slopes))] string name = "") =>
        _slopes = Operand(MemoryMarshal.AsBytes(slopes), sizeof(float), AttentionAxes.Head, name);

    /// <summary>One more score of each head, without a key.</summary>
    /// <exception cref="ArgumentException">There is not one for each head, or the output overlaps them.</exception>
    public void Sinks(ReadOnlySpan<float> sinks, [CallerArgumentExpression(nameof(sinks))] string name = "") =>
        _sinks = Operand(MemoryMarshal.AsBytes(sinks), sizeof(float), AttentionAxes.Head, name);

    /// <summary>What the elements of normalised queries are multiplied by.</summary>
    /// <exception cref="ArgumentException">There is not one for each element of a head, or the output overlaps them.</exception>
    public void QueryNormWeight(ReadOnlySpan<float> weight, [CallerArgumentExpression(nameof(weight))] string name = "") => _queryNormWeight = NormWeight(weight, name);

    /// <summary>What the elements of normalised keys are multiplied by.</summary>
    /// <exception cref="ArgumentException">There is not one for each element of a head, or the output overlaps them.</exception>
    public void KeyNormWeight(ReadOnlySpan<float> weight, [CallerArgumentExpression(nameof(weight))] string name = "") => _keyNormWeight = NormWeight(weight, name);

    private readonly ReadOnlySpan<byte> NormWeight(ReadOnlySpan<float> weight, string name)
    {
        if (weight.Length != _query.Dim) ThrowHelper.NormWeightLength(name, weight.Length, _query.Dim);
        if (Meets(weight, _output)) ThrowHelper.Overlap(_output.Name, name);
        return MemoryMarshal.AsBytes(weight);
    }

    /// <summary>Where the log-sum-exp of each row goes.</summary>
    /// <exception cref="ArgumentException">There is not a place for each row, or it overlaps another argument.</exception>
    public void LogSumExp(Span<float> logSumExp, [CallerArgumentExpression(nameof(logSumExp))] string name = "")
    {
        Result(logSumExp, OfRows, name);
        _logSumExp = logSumExp;
    }

    /// <summary>Where the score matrix goes, and at which stage it is taken.</summary>
    /// <exception cref="ArgumentException">There is not a place for each score, or it overlaps another argument.</exception>
    public void Scores(Span<float> scores, AttentionStage stage, [CallerArgumentExpression(nameof(scores))] string name = "")
    {
        Result(scores, OfRows | AttentionAxes.Key, name);
        _scores = scores;
        _operands.Hidden = stage == AttentionStage.Weights ? 0f : float.NegativeInfinity;
    }

    /// <summary>Where the largest score of each row goes.</summary>
    /// <exception cref="ArgumentException">There is not a place for each row, or it overlaps another argument.</exception>
    public void MaxScore(Span<float> maxScore, [CallerArgumentExpression(nameof(maxScore))] string name = "")
    {
        Result(maxScore, OfRows, name);
        _maxScore = maxScore;
    }

    /// <summary>Where the entropy of each row's weights goes.</summary>
    /// <exception cref="ArgumentException">There is not a place for each row, or it overlaps another argument.</exception>
    public void Entropy(Span<float> entropy, [CallerArgumentExpression(nameof(entropy))] string name = "")
    {
        Result(entropy, OfRows, name);
        _entropy = entropy;
    }

    /// <summary>Where the key of the largest weight of each row goes.</summary>
    /// <exception cref="ArgumentException">There is not a place for each row, or it overlaps another argument.</exception>
    public void ArgMax(Span<int> argmax, [CallerArgumentExpression(nameof(argmax))] string name = "")
    {
        var floats = MemoryMarshal.Cast<int, float>(argmax);
        Result(floats, OfRows, name);
        _argmax = floats;
    }

    private const AttentionAxes OfRows = AttentionAxes.Batch | AttentionAxes.Head | AttentionAxes.Query;

    /// <summary>Checks what is written beside the output: its length, and that it is memory of its own.</summary>
    private readonly void Result(ReadOnlySpan<float> result, AttentionAxes axes, string name)
    {
        CheckLength(result.Length, axes, name);
        if (Meets(result, _output)) ThrowHelper.Overlap(_output.Name, name);
        if (Meets(result, _query)) ThrowHelper.Overlap(name, _query.Name);
        if (Meets(result, _key)) ThrowHelper.Overlap(name, _key.Name);
        if (Meets(result, _value)) ThrowHelper.Overlap(name, _value.Name);
        if (Meets(result, _bias) || Meets(result, _keep) || Meets(result, _slopes) || Meets(result, _sinks) || Meets(result, _queryNormWeight) || Meets(result, _keyNormWeight) || result.Overlaps(_logSumExp) || result.Overlaps(_scores) || result.Overlaps(_maxScore) || result.Overlaps(_entropy) || result.Overlaps(_argmax)
            || Meets(result, MemoryMarshal.AsBytes(_queryStarts)) || Meets(result, MemoryMarshal.AsBytes(_keyLengths)))
            ThrowHelper.Overlap(name, "another argument");
    }

    private readonly ReadOnlySpan<byte> Operand(ReadOnlySpan<byte> bytes, int size, AttentionAxes axes, string name)
    {
        CheckLength(bytes.Length / size, axes, name);
        if (Meets(bytes, _output)) ThrowHelper.Overlap(_output.Name, name);
        return bytes;
    }

    private readonly void CheckLength(int length, AttentionAxes axes, string name)
    {
        Int128 needed = 1; // of lengths that fit an int each
        if ((axes & AttentionAxes.Batch) != 0) needed *= _arguments.Batch;
        if ((axes & AttentionAxes.Head) != 0) needed *= _arguments.Heads;
        if ((axes & AttentionAxes.Query) != 0) needed *= _arguments.Queries;
        if ((axes & AttentionAxes.Key) != 0) needed *= _arguments.Keys;
        if (length != needed) ThrowHelper.OperandLength(name, length, axes, _arguments.Batch, _arguments.Heads, _arguments.Queries, _arguments.Keys);
    }

    /// <summary>A number for the user's own mask or score.</summary>
    public void Number(int index, int value) => _operands.Numbers[index] = value;

    /// <summary>A number for the user's own mask or score.</summary>
    public void Number(int index, float value) => _operands.Numbers[index] = BitConverter.SingleToInt32Bits(value);

    /// <summary>The most threads, the caller's included.</summary>
    /// <exception cref="ArgumentOutOfRangeException">It is less than 1.</exception>
    public void MaxThreads(int maxThreads, [CallerArgumentExpression(nameof(maxThreads))] string name = "")
    {
        if (maxThreads < 1) ThrowHelper.TooFewThreads(name, maxThreads);
        _arguments.MaxThreads = maxThreads;
    }

    /// <summary>Working memory of the caller's.</summary>
    /// <exception cref="ArgumentException">It overlaps a tensor.</exception>
    public void Scratch(Span<byte> scratch, [CallerArgumentExpression(nameof(scratch))] string name = "")
    {
        if (Meets(scratch, _query)) ThrowHelper.ScratchOverlap(name, _query.Name);
        if (Meets(scratch, _key)) ThrowHelper.ScratchOverlap(name, _key.Name);
        if (Meets(scratch, _value)) ThrowHelper.ScratchOverlap(name, _value.Name);
        if (Meets(scratch, _output)) ThrowHelper.ScratchOverlap(name, _output.Name);
        if (scratch.Overlaps(_bias) || scratch.Overlaps(_keep) || scratch.Overlaps(_slopes) || scratch.Overlaps(_sinks) || scratch.Overlaps(_queryNormWeight) || scratch.Overlaps(_keyNormWeight) || Meets(_logSumExp, scratch) || Meets(_scores, scratch)
            || Meets(_maxScore, scratch) || Meets(_entropy, scratch) || Meets(_argmax, scratch))
            ThrowHelper.ScratchOverlap(name, "another argument");
        _scratch = scratch;
        _arguments.ScratchName = name;
    }

    /// <summary>Runs the call on a core that this processor has the instructions for.</summary>
    /// <exception cref="ArgumentException">The caller's scratch memory is too small.</exception>
    public void Run<TCore>()
        where TCore : struct, IForwardCore, IRowsCore
    {
        // Between as many queries as keys, or nearly, a causal mask leaves more of packed tiles out.
        long rows = (long)_arguments.Queries * _arguments.Group;
        if (rows <= TCore.Plan.MaxRows && (rows <= TCore.Plan.RowsAtOnce || _arguments.Keys / 4 >= _arguments.Queries)) Run(&RowsJob<TCore>.Run);
        else Run(&ForwardJob<TCore>.Run);
    }

    /// <summary>Runs a call that is declared to have many query rows on a core that this processor has the instructions for.</summary>
    /// <exception cref="ArgumentException">The caller's scratch memory is too small.</exception>
    public void RunPacked<TCore>()
        where TCore : struct, IForwardCore => Run(&ForwardJob<TCore>.Run);

    /// <summary>Runs a call that is declared to have few query rows on a core that this processor has the instructions for.</summary>
    /// <exception cref="ArgumentException">The caller's scratch memory is too small.</exception>
    public void RunRows<TCore>()
        where TCore : struct, IRowsCore => Run(&RowsJob<TCore>.Run);

    private void Run(delegate*<in ForwardArguments, void> job)
    {
        if (_output.IsEmpty) return;
        fixed (float* query = &_query.Data, key = &_key.Data, value = &_value.Data, output = &_output.Data)
        fixed (int* queryStarts = _queryStarts, keyLengths = _keyLengths)
        fixed (byte* scratch = _scratch, bias = _bias, keep = _keep, slopes = _slopes, sinks = _sinks, queryNormWeight = _queryNormWeight, keyNormWeight = _keyNormWeight)
        fixed (float* logSumExp = _logSumExp, scores = _scores, maxScore = _maxScore, entropy = _entropy, argmax = _argmax)
        {
            var call = _arguments;
            call.Query = new StridedTensor(query, _query);
            call.Key = new StridedTensor(key, _key);
            call.Value = new StridedTensor(value, _value);
            call.Output = new StridedTensor(output, _output);
            call.QueryStarts = queryStarts;
            call.KeyLengths = keyLengths;
            var operands = _operands;
            operands.Bias = CompilerServices.Operand.Of(bias, sizeof(float), _biasAxes, call);
            operands.Keep = CompilerServices.Operand.Of(keep, sizeof(bool), _keepAxes, call);
            operands.Slopes = CompilerServices.Operand.Of(slopes, sizeof(float), AttentionAxes.Head, call);
            operands.Sinks = CompilerServices.Operand.Of(sinks, sizeof(float), AttentionAxes.Head, call);
            operands.LogSumExp = CompilerServices.Operand.Of(logSumExp, sizeof(float), OfRows, call);
            operands.MaxScore = CompilerServices.Operand.Of(maxScore, sizeof(float), OfRows, call);
            operands.Entropy = CompilerServices.Operand.Of(entropy, sizeof(float), OfRows, call);
            operands.ArgMax = CompilerServices.Operand.Of(argmax, sizeof(int), OfRows, call);
            operands.Scores = CompilerServices.Operand.Of(scores, sizeof(float), OfRows | AttentionAxes.Key, call);
            operands.QueryNormWeight = (float*)queryNormWeight;
            operands.KeyNormWeight = (float*)keyNormWeight;
            operands.Keys = call.Keys;
            call.Operands = &operands; // until the call ends: no worker that begins later touches it
            if (!_scratch.IsEmpty)
            {
                call.Scratch = (byte*)((nint)(scratch + 63) & ~63);
                call.ScratchBytes = Math.Max((nint)(scratch + _scratch.Length) - (nint)call.Scratch, 0);
            }

            job(call);
        }
    }

    private readonly bool Same(ReadOnlySpan<int> ints) => Meets(MemoryMarshal.AsBytes(ints), _output);

    /// <summary>Whether memory of another kind lies within a tensor's, gaps included.</summary>
    private static bool Meets(ReadOnlySpan<byte> bytes, in KernelTensor tensor) =>
        !tensor.IsEmpty && Meets(ref MemoryMarshal.GetReference(bytes), bytes.Length, ref Unsafe.As<float, byte>(ref tensor.Data), tensor.Length * sizeof(float));

    private static bool Meets(ReadOnlySpan<float> floats, in KernelTensor tensor) =>
        !tensor.IsEmpty && Meets(ref Origin(floats), (nint)floats.Length * sizeof(float), ref Unsafe.As<float, byte>(ref tensor.Data), tensor.Length * sizeof(float));

    private static bool Meets(ReadOnlySpan<float> floats, ReadOnlySpan<byte> bytes) =>
        Meets(ref Origin(floats), (nint)floats.Length * sizeof(float), ref MemoryMarshal.GetReference(bytes), bytes.Length);

    private static ref byte Origin(ReadOnlySpan<float> floats) => ref Unsafe.As<float, byte>(ref MemoryMarshal.GetReference(floats));

    private static bool Meets(ref byte bytes, nint length, ref byte others, nint otherLength)
    {
        if (length == 0 || otherLength == 0) return false;
        nint offset = Unsafe.ByteOffset(ref others, ref bytes);
        return offset < otherLength && -offset < length;
    }
}
