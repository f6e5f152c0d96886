using System.Runtime.CompilerServices;

namespace AttentionGen.CompilerServices;

// What emitted code called before operands had roles here.
#pragma warning disable CS1591

public readonly unsafe partial struct ForwardPlace
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public float Slope(int head) => Float(AttentionRole.Slopes, head) * _step;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public float Scale(int head) => Float(AttentionRole.Scales, head);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public float Sink(int head) => Float(AttentionRole.Sinks, head);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public ref float Relative(int head) => ref Floats(AttentionRole.RelativeBias, head, 0, 0);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public ref float Bias(int head, int query, int key) => ref Floats(AttentionRole.Bias, head, query, key);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public ref byte Keep(int head, int query, int key) => ref Bytes(AttentionRole.Keep, head, query, key);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public ref float MaxScore(int head, int query) => ref Floats(AttentionRole.MaxScore, head, query, 0);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public ref float Entropy(int head, int query) => ref Floats(AttentionRole.Entropy, head, query, 0);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public ref int ArgMax(int head, int query) => ref Ints(AttentionRole.ArgMax, head, query, 0);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public ref float Scores(int head, int query, int key) => ref Floats(AttentionRole.Scores, head, query, key);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public ref float ScoreRow(int head, int query) => ref FloatRow(AttentionRole.Scores, head, query);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public ref float LogSumExp(int head, int query) => ref Floats(AttentionRole.LogSumExp, head, query, 0);

    public ref float QueryNormWeight
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        get => ref Floats(AttentionRole.QueryNormWeight);
    }

    public ref float KeyNormWeight
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        get => ref Floats(AttentionRole.KeyNormWeight);
    }
}
