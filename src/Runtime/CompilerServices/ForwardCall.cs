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
public ref struct ForwardCall
{
    private readonly ReadOnlySpan<float> _query, _key, _value;
    private readonly Span<float> _output;
    private ReadOnlySpan<int> _queryStarts, _keyLengths;
    private Span<byte> _scratch;
    private ForwardArguments _arguments;
    private readonly string _outputName;

    /// <summary>Checks the tensors against each other.</summary>
    /// <exception cref="ArgumentException">Lengths that do not fit, or an output that overlaps an input.</exception>
    public ForwardCall(
        int heads, int keyValueHeads, int headDim, int valueDim, bool causal,
        ReadOnlySpan<float> query, ReadOnlySpan<float> key, ReadOnlySpan<float> value, Span<float> output, int batch = 1,
        [CallerArgumentExpression(nameof(query))] string queryName = "", [CallerArgumentExpression(nameof(key))] string keyName = "",
        [CallerArgumentExpression(nameof(value))] string valueName = "", [CallerArgumentExpression(nameof(output))] string outputName = "",
        [CallerArgumentExpression(nameof(batch))] string batchName = "")
    {
        if (batch < 1) ThrowHelper.BadBatch(batchName, batch);
        int queries = Tokens(query.Length, heads, "heads", headDim, "headDim", batch, queryName);
        int keys = Tokens(key.Length, keyValueHeads, "keyValueHeads", headDim, "headDim", batch, keyName);
        Expect(value.Length, batch, keys, keyValueHeads, valueDim, valueName);
        Expect(output.Length, batch, queries, heads, valueDim, outputName);
        if (output.Overlaps(query)) ThrowHelper.Overlap(outputName, queryName);
        if (output.Overlaps(key)) ThrowHelper.Overlap(outputName, keyName);
        if (output.Overlaps(value)) ThrowHelper.Overlap(outputName, valueName);

        _query = query;
        _key = key;
        _value = value;
        _output = output;
        _outputName = outputName;
        _arguments = new ForwardArguments
        {
            Batch = batch, Queries = queries, Keys = keys, Heads = heads, KeyValueHeads = keyValueHeads, HeadDim = headDim, ValueDim = valueDim,
            Causal = causal, QueryStart = -1, ScratchName = "", MaxThreads = AttentionOptions.MaxDegreeOfParallelism,
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
        if (Same(queryStarts)) ThrowHelper.Overlap(_outputName, name);
        _queryStarts = queryStarts;
    }

    /// <summary>The number of visible keys of each batch item.</summary>
    /// <exception cref="ArgumentException">There is not one for each item, or one is negative or more than there are keys.</exception>
    public void KeyLengths(ReadOnlySpan<int> keyLengths, [CallerArgumentExpression(nameof(keyLengths))] string name = "")
    {
        if (keyLengths.Length != _arguments.Batch) ThrowHelper.OneForEachItem(name, keyLengths.Length, _arguments.Batch);
        for (int i = 0; i < keyLengths.Length; i++)
            if ((uint)keyLengths[i] > (uint)_arguments.Keys) ThrowHelper.BadKeyLength(name, i, keyLengths[i], _arguments.Keys);
        if (Same(keyLengths)) ThrowHelper.Overlap(_outputName, name);
        _keyLengths = keyLengths;
    }

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
        ReadOnlySpan<byte> bytes = scratch;
        if (bytes.Overlaps(MemoryMarshal.AsBytes(_query))
            || bytes.Overlaps(MemoryMarshal.AsBytes(_key))
            || bytes.Overlaps(MemoryMarshal.AsBytes(_value))
            || bytes.Overlaps(MemoryMarshal.AsBytes(_output)))
            ThrowHelper.Overlap(name, "a tensor of the call");
        _scratch = scratch;
        _arguments.ScratchName = name;
    }

    /// <summary>Runs the call on a core that this processor has the instructions for.</summary>
    /// <exception cref="ArgumentException">The caller's scratch memory is too small.</exception>
    public unsafe void Run<TCore>()
        where TCore : struct, IForwardCore
    {
        if (_output.IsEmpty) return;
        fixed (float* query = _query, key = _key, value = _value, output = _output)
        fixed (int* queryStarts = _queryStarts, keyLengths = _keyLengths)
        fixed (byte* scratch = _scratch)
        {
            var call = _arguments;
            call.Query = query;
            call.Key = key;
            call.Value = value;
            call.Output = output;
            call.QueryStarts = queryStarts;
            call.KeyLengths = keyLengths;
            if (!_scratch.IsEmpty)
            {
                call.Scratch = (byte*)((nint)(scratch + 63) & ~63);
                call.ScratchBytes = Math.Max((nint)(scratch + _scratch.Length) - (nint)call.Scratch, 0);
            }

            ForwardJob<TCore>.Run(call);
        }
    }

    private readonly bool Same(ReadOnlySpan<int> ints) =>
        MemoryMarshal.AsBytes(ints).Overlaps(MemoryMarshal.AsBytes<float>(_output));

    private static int Tokens(int length, int heads, string headsName, int dim, string dimName, int batch, string name)
    {
        int tokens = length / (heads * dim);
        if (tokens * heads * dim != length) ThrowHelper.NotTokens(name, length, heads, headsName, dim, dimName);
        if (tokens % batch != 0) ThrowHelper.NotBatches(name, tokens, batch);
        return tokens / batch;
    }

    private static void Expect(int length, int batch, int tokens, int heads, int dim, string name)
    {
        long expected = (long)batch * tokens * heads * dim;
        if (length != expected) ThrowHelper.Shape(name, length, batch == 1 ? $"[{tokens}, {heads}, {dim}]" : $"[{batch}, {tokens}, {heads}, {dim}]", expected);
    }
}
