using System.ComponentModel;
using System.Runtime.CompilerServices;

namespace AttentionGen.CompilerServices;

/// <summary>Where the rows of a core stand in a call: what belongs to their heads, queries and keys beside query, key and value.</summary>
[EditorBrowsable(EditorBrowsableState.Never)]
public readonly unsafe struct ForwardPlace
{
    private readonly ForwardOperands* _operands;
    private readonly int _batch, _head, _query;
    private readonly nint _away;
    private readonly int _key;

    /// <param name="operands">Of the call.</param>
    /// <param name="batch">The batch item.</param>
    /// <param name="head">The first head.</param>
    /// <param name="query">The first query.</param>
    /// <param name="position">Where it stands.</param>
    /// <param name="key">The first key.</param>
    internal ForwardPlace(ForwardOperands* operands, int batch, int head, int query, nint position, int key)
    {
        _operands = operands;
        (_batch, _head, _query, _key) = (batch, head, query, key);
        _away = key - position;
    }

    /// <summary>The batch item.</summary>
    public int Batch => _batch;

    /// <summary>The index of a head.</summary>
    public int Head(int head) => _head + head;

    /// <summary>The index of a key.</summary>
    public int Key(int key) => _key + key;

    /// <summary>Where a query stands.</summary>
    public int Position(int query) => (int)(_key - _away) + query;

    /// <summary>A number that the call brings along.</summary>
    public int Whole(int index) => _operands->Numbers[index];

    /// <summary>A number that the call brings along.</summary>
    public float Real(int index) => BitConverter.Int32BitsToSingle(_operands->Numbers[index]);

    /// <summary>How far a key stands behind a query.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public float Away(int query, int key) => _away + key - query;

    /// <summary>The slope of a head.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public float Slope(int head) => *(float*)_operands->Slopes.At(_batch, _head + head, 0, 0);

    /// <summary>The sink of a head.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public float Sink(int head) => *(float*)_operands->Sinks.At(_batch, _head + head, 0, 0);

    /// <summary>The bias of a query and a key; those of the keys that follow lie behind it.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public ref float Bias(int head, int query, int key) => ref *(float*)_operands->Bias.At(_batch, _head + head, _query + query, _key + key);

    /// <summary>Whether a query keeps a key; those of the keys that follow lie behind it.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public ref byte Keep(int head, int query, int key) => ref *_operands->Keep.At(_batch, _head + head, _query + query, _key + key);

    /// <summary>Where the largest score of a query goes.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public ref float MaxScore(int head, int query) => ref *(float*)_operands->MaxScore.At(_batch, _head + head, _query + query, 0);

    /// <summary>Where the entropy of a query goes.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public ref float Entropy(int head, int query) => ref *(float*)_operands->Entropy.At(_batch, _head + head, _query + query, 0);

    /// <summary>Where the key of the largest weight of a query goes.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public ref int ArgMax(int head, int query) => ref *(int*)_operands->ArgMax.At(_batch, _head + head, _query + query, 0);

    /// <summary>Where the score of a query and a key goes; those of the keys that follow lie behind it.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public ref float Scores(int head, int query, int key) => ref *(float*)_operands->Scores.At(_batch, _head + head, _query + query, _key + key);

    /// <summary>Where the scores of a query go, from the first key of the call on.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public ref float ScoreRow(int head, int query) => ref *(float*)_operands->Scores.At(_batch, _head + head, _query + query, 0);

    /// <summary>What the elements of normalised queries are multiplied by.</summary>
    public ref float QueryNormWeight
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        get => ref *_operands->QueryNormWeight;
    }

    /// <summary>What the elements of normalised keys are multiplied by.</summary>
    public ref float KeyNormWeight
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        get => ref *_operands->KeyNormWeight;
    }

    /// <summary>The number of keys of the call.</summary>
    public int Keys => _operands->Keys;

    /// <summary>Where the log-sum-exp of a query goes.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public ref float LogSumExp(int head, int query) => ref *(float*)_operands->LogSumExp.At(_batch, _head + head, _query + query, 0);
}
