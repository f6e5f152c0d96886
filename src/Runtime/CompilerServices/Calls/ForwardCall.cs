using System.ComponentModel;
using System.Diagnostics.CodeAnalysis;
using System.Runtime.CompilerServices;

namespace AttentionGen.CompilerServices;

/// <summary>
/// A call of a forward kernel. Generated code passes the tensors, then each further parameter with one method call, then calls <see cref="Run{TCore}"/>. The
/// call checks everything before it writes anything. Messages use the names of the user's parameters.
/// </summary>
[EditorBrowsable(EditorBrowsableState.Never)]
[SuppressMessage("Design", "CA1068", Justification = "Caller argument expressions stand last.")]
public unsafe ref partial struct ForwardCall
{
    private KernelTensor _query, _key, _value, _output;
    private ForwardShape _shape;
    private ForwardMask _mask;
    private CallNumbers _numbers;
    private CallMemory _memory;
    private ReadOnlySpan<int> _bucketStarts;
    private bool _bucketsBidirectional;
    private AttentionStage _scoresStage;
    private RotaryTable? _rotary;
    private OwnArguments _own;
    private int _maxThreads;
    private int _keyDim; // the elements of projected queries; 0 where queries stay as they are
    private bool _halfQuery;

    // The cache of the keys and values, or null: its layer, the tokens in it before the call, whether the call appends others, and what it does to them.
    private AttentionCache? _cache;
    private KeyPreparation _preparation;
    private string _cacheName;
    private int _layer, _cached;
    private bool _appends;

    // Or the paged cache and the sequences in it.
    private PagedAttentionCache? _paged;
    private ReadOnlySpan<SequenceId> _sequences;
    private string _sequencesName;

    /// <summary>Starts a call and checks the tensors against each other.</summary>
    /// <param name="left">The number of keys before its position that a query sees, -1 for all.</param>
    /// <param name="right">The number of keys after its position that a query sees, -1 for all; 0 under a causal mask.</param>
    /// <param name="query">[batch, queries, heads, headDim].</param>
    /// <param name="key">[batch, keys, keyValueHeads, headDim].</param>
    /// <param name="value">[batch, keys, keyValueHeads, valueDim].</param>
    /// <param name="output">[batch, queries, heads, valueDim].</param>
    /// <exception cref="ArgumentException">The lengths do not fit each other, or the output overlaps an input.</exception>
    public void Tensors(int left, int right, in KernelTensor query, in KernelTensor key, in KernelTensor value, in KernelTensor output)
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

        Begin(left, right, query, key, value, output);
        _appends = true; // where a cache follows
    }

    /// <summary>Starts a call whose values are the first elements of the keys.</summary>
    /// <param name="left">The number of keys before its position that a query sees, -1 for all.</param>
    /// <param name="right">The number of keys after its position that a query sees, -1 for all; 0 under a causal mask.</param>
    /// <param name="query">[batch, queries, heads, headDim].</param>
    /// <param name="key">[batch, keys, keyValueHeads, headDim].</param>
    /// <param name="valueDim">The number of elements of a value, at most headDim.</param>
    /// <param name="output">[batch, queries, heads, valueDim].</param>
    /// <exception cref="ArgumentException">The lengths do not fit each other, or the output overlaps an input.</exception>
    /// <exception cref="ArgumentOutOfRangeException">A value has no element, or more than a key.</exception>
    public void Tensors(int left, int right, in KernelTensor query, in KernelTensor key, int valueDim, in KernelTensor output) =>
        Tensors(left, right, query, key, key.First(valueDim), output);

    private void Begin(int left, int right, in KernelTensor query, in KernelTensor key, in KernelTensor value, in KernelTensor output)
    {
        _query = query;
        _key = key;
        _value = value;
        _output = output;
        _shape = new ForwardShape(query.Batch, query.Tokens, key.Tokens, query.Heads, key.Heads);
        _mask = new ForwardMask { Left = left, Right = right, QueryStart = -1 };
        _numbers = default;
        _memory.Clear();
        _bucketStarts = default;
        _scoresStage = default;
        (_cache, _paged, _appends) = (null, null, false);
        _rotary = null;
        _keyDim = 0;
        _maxThreads = AttentionOptions.MaxDegreeOfParallelism;
    }

    /// <summary>The most threads, including the caller's.</summary>
    /// <exception cref="ArgumentOutOfRangeException">It is less than 1.</exception>
    public void MaxThreads(int maxThreads, [CallerArgumentExpression(nameof(maxThreads))] string name = "")
    {
        if (maxThreads < 1) ThrowHelper.TooFewThreads(name, maxThreads);
        _maxThreads = maxThreads;
    }
}
