// One declaration for each row of Specs.h; NEON only (the portable code is always there).
using System.Runtime.CompilerServices;
using AttentionGen.Generated;

namespace AttentionGen.Neon.Tests;

/// <summary>The kernels whose cores run under emulation.</summary>
public static partial class Kernels
{
    [Attention(1, 1, Isas = AttentionIsas.Neon)]
    public static partial void D1(ReadOnlySpan<float> query, ReadOnlySpan<float> key, ReadOnlySpan<float> value, Span<float> output);

    [Attention(1, 2, ValueDim = 3, Mask = AttentionMask.Causal, Isas = AttentionIsas.Neon)]
    public static partial void D2v3_causal(ReadOnlySpan<float> query, ReadOnlySpan<float> key, ReadOnlySpan<float> value, Span<float> output);

    [Attention(1, 3, Mask = AttentionMask.Causal, Isas = AttentionIsas.Neon)]
    public static partial void D3_causal(ReadOnlySpan<float> query, ReadOnlySpan<float> key, ReadOnlySpan<float> value, Span<float> output);

    [Attention(1, 4, Isas = AttentionIsas.Neon)]
    public static partial void D4(ReadOnlySpan<float> query, ReadOnlySpan<float> key, ReadOnlySpan<float> value, Span<float> output);

    [Attention(1, 5, Mask = AttentionMask.Causal, Isas = AttentionIsas.Neon)]
    public static partial void D5_causal(ReadOnlySpan<float> query, ReadOnlySpan<float> key, ReadOnlySpan<float> value, Span<float> output);

    [Attention(1, 7, ValueDim = 4, Mask = AttentionMask.Causal, Isas = AttentionIsas.Neon)]
    public static partial void D7v4_causal(ReadOnlySpan<float> query, ReadOnlySpan<float> key, ReadOnlySpan<float> value, Span<float> output);

    [Attention(1, 8, Mask = AttentionMask.Causal, Isas = AttentionIsas.Neon)]
    public static partial void D8_causal(ReadOnlySpan<float> query, ReadOnlySpan<float> key, ReadOnlySpan<float> value, Span<float> output);

    [Attention(1, 12, ValueDim = 20, Mask = AttentionMask.Causal, Scale = 0.5f, Isas = AttentionIsas.Neon)]
    public static partial void D12v20_causal_scale0p5(ReadOnlySpan<float> query, ReadOnlySpan<float> key, ReadOnlySpan<float> value, Span<float> output);

    [Attention(1, 13, ValueDim = 5, Mask = AttentionMask.Causal, Isas = AttentionIsas.Neon)]
    public static partial void D13v5_causal(ReadOnlySpan<float> query, ReadOnlySpan<float> key, ReadOnlySpan<float> value, Span<float> output);

    [Attention(1, 16, Isas = AttentionIsas.Neon)]
    public static partial void D16(ReadOnlySpan<float> query, ReadOnlySpan<float> key, ReadOnlySpan<float> value, Span<float> output);

    [Attention(1, 20, ValueDim = 12, Mask = AttentionMask.Causal, Isas = AttentionIsas.Neon)]
    public static partial void D20v12_causal(ReadOnlySpan<float> query, ReadOnlySpan<float> key, ReadOnlySpan<float> value, Span<float> output);

    [Attention(1, 31, ValueDim = 33, Mask = AttentionMask.Causal, Isas = AttentionIsas.Neon)]
    public static partial void D31v33_causal(ReadOnlySpan<float> query, ReadOnlySpan<float> key, ReadOnlySpan<float> value, Span<float> output);

    [Attention(1, 32, Isas = AttentionIsas.Neon)]
    public static partial void D32(ReadOnlySpan<float> query, ReadOnlySpan<float> key, ReadOnlySpan<float> value, Span<float> output);

    [Attention(1, 33, ValueDim = 31, Mask = AttentionMask.Causal, Isas = AttentionIsas.Neon)]
    public static partial void D33v31_causal(ReadOnlySpan<float> query, ReadOnlySpan<float> key, ReadOnlySpan<float> value, Span<float> output);

    [Attention(1, 64, Isas = AttentionIsas.Neon)]
    public static partial void D64(ReadOnlySpan<float> query, ReadOnlySpan<float> key, ReadOnlySpan<float> value, Span<float> output);

    [Attention(1, 64, Mask = AttentionMask.Causal, Isas = AttentionIsas.Neon)]
    public static partial void D64_causal(ReadOnlySpan<float> query, ReadOnlySpan<float> key, ReadOnlySpan<float> value, Span<float> output);

    [Attention(1, 65, ValueDim = 64, Mask = AttentionMask.Causal, Isas = AttentionIsas.Neon)]
    public static partial void D65v64_causal(ReadOnlySpan<float> query, ReadOnlySpan<float> key, ReadOnlySpan<float> value, Span<float> output);

    [Attention(1, 72, Isas = AttentionIsas.Neon)]
    public static partial void D72(ReadOnlySpan<float> query, ReadOnlySpan<float> key, ReadOnlySpan<float> value, Span<float> output);

    [Attention(1, 80, Mask = AttentionMask.Causal, Isas = AttentionIsas.Neon)]
    public static partial void D80_causal(ReadOnlySpan<float> query, ReadOnlySpan<float> key, ReadOnlySpan<float> value, Span<float> output);

    [Attention(1, 96, Mask = AttentionMask.Causal, Isas = AttentionIsas.Neon)]
    public static partial void D96_causal(ReadOnlySpan<float> query, ReadOnlySpan<float> key, ReadOnlySpan<float> value, Span<float> output);

    [Attention(1, 100, Isas = AttentionIsas.Neon)]
    public static partial void D100(ReadOnlySpan<float> query, ReadOnlySpan<float> key, ReadOnlySpan<float> value, Span<float> output);

    [Attention(1, 128, Isas = AttentionIsas.Neon)]
    public static partial void D128(ReadOnlySpan<float> query, ReadOnlySpan<float> key, ReadOnlySpan<float> value, Span<float> output);

    [Attention(1, 128, Mask = AttentionMask.Causal, Isas = AttentionIsas.Neon)]
    public static partial void D128_causal(ReadOnlySpan<float> query, ReadOnlySpan<float> key, ReadOnlySpan<float> value, Span<float> output);

    [Attention(1, 192, ValueDim = 128, Mask = AttentionMask.Causal, Isas = AttentionIsas.Neon)]
    public static partial void D192v128_causal(ReadOnlySpan<float> query, ReadOnlySpan<float> key, ReadOnlySpan<float> value, Span<float> output);

    [Attention(1, 256, Mask = AttentionMask.Causal, Isas = AttentionIsas.Neon)]
    public static partial void D256_causal(ReadOnlySpan<float> query, ReadOnlySpan<float> key, ReadOnlySpan<float> value, Span<float> output);

    [Attention(1, 512, Mask = AttentionMask.Causal, Isas = AttentionIsas.Neon)]
    public static partial void D512_causal(ReadOnlySpan<float> query, ReadOnlySpan<float> key, ReadOnlySpan<float> value, Span<float> output);

    [Attention(1, 16, WindowLeft = 0, WindowRight = 0, Isas = AttentionIsas.Neon)]
    public static partial void D16_window(ReadOnlySpan<float> query, ReadOnlySpan<float> key, ReadOnlySpan<float> value, Span<float> output);

    [Attention(1, 64, WindowLeft = 20, WindowRight = 5, Isas = AttentionIsas.Neon)]
    public static partial void D64_window(ReadOnlySpan<float> query, ReadOnlySpan<float> key, ReadOnlySpan<float> value, Span<float> output);

    [Attention(1, 33, ValueDim = 20, Mask = AttentionMask.Causal, WindowLeft = 100, Isas = AttentionIsas.Neon)]
    public static partial void D33v20_window(ReadOnlySpan<float> query, ReadOnlySpan<float> key, ReadOnlySpan<float> value, Span<float> output);

    [Attention(1, 128, Mask = AttentionMask.Causal, WindowLeft = 390, Isas = AttentionIsas.Neon)]
    public static partial void D128_window(ReadOnlySpan<float> query, ReadOnlySpan<float> key, ReadOnlySpan<float> value, Span<float> output);

    [Attention(1, 64, WindowLeft = 7, Isas = AttentionIsas.Neon)]
    public static partial void D64_since(ReadOnlySpan<float> query, ReadOnlySpan<float> key, ReadOnlySpan<float> value, Span<float> output);

    [Attention(1, 5, ValueDim = 3, WindowLeft = 300, Isas = AttentionIsas.Neon)]
    public static partial void D5v3_since(ReadOnlySpan<float> query, ReadOnlySpan<float> key, ReadOnlySpan<float> value, Span<float> output);

    [Attention(1, 32, QueryLength = 49, KeyLength = 49, Isas = AttentionIsas.Neon)]
    public static partial void M49n49_d32(ReadOnlySpan<float> query, ReadOnlySpan<float> key, ReadOnlySpan<float> value, Span<float> output);

    [Attention(1, 64, QueryLength = 197, KeyLength = 197, Isas = AttentionIsas.Neon)]
    public static partial void M197n197_d64(ReadOnlySpan<float> query, ReadOnlySpan<float> key, ReadOnlySpan<float> value, Span<float> output);

    [Attention(1, 64, Mask = AttentionMask.Causal, QueryLength = 16, KeyLength = 16, Isas = AttentionIsas.Neon)]
    public static partial void M16n16_d64_causal(ReadOnlySpan<float> query, ReadOnlySpan<float> key, ReadOnlySpan<float> value, Span<float> output);

    [Attention(1, 5, ValueDim = 3, QueryLength = 16, KeyLength = 300, Isas = AttentionIsas.Neon)]
    public static partial void M16n300_d5v3(ReadOnlySpan<float> query, ReadOnlySpan<float> key, ReadOnlySpan<float> value, Span<float> output);

    [Attention(1, 33, ValueDim = 20, Mask = AttentionMask.Causal, QueryLength = 17, KeyLength = 50, Isas = AttentionIsas.Neon)]
    public static partial void M17n50_d33v20_causal(ReadOnlySpan<float> query, ReadOnlySpan<float> key, ReadOnlySpan<float> value, Span<float> output);

    [Attention(1, 32, QueryLength = 49, KeyLength = 49, WindowLeft = 7, WindowRight = 7, Isas = AttentionIsas.Neon)]
    public static partial void M49n49_d32_window(ReadOnlySpan<float> query, ReadOnlySpan<float> key, ReadOnlySpan<float> value, Span<float> output);

    [Attention(1, 5, QueryLength = 16, KeyLength = 300, ValueDim = 3, WindowLeft = 9, Isas = AttentionIsas.Neon)]
    public static partial void M16n300_d5v3_since(ReadOnlySpan<float> query, ReadOnlySpan<float> key, ReadOnlySpan<float> value, Span<float> output);

    [Attention(1, 33, QueryLength = 17, KeyLength = 50, ValueDim = 20, Mask = AttentionMask.Causal, WindowLeft = 20, Isas = AttentionIsas.Neon)]
    public static partial void M17n50_d33v20_window(ReadOnlySpan<float> query, ReadOnlySpan<float> key, ReadOnlySpan<float> value, Span<float> output);

    [Attention(1, 64, Mask = AttentionMask.Causal, SoftCap = 5f, Isas = AttentionIsas.Neon)]
    public static partial void D64_causal_scored(ReadOnlySpan<float> query, ReadOnlySpan<float> key, ReadOnlySpan<float> value, Span<float> output, ReadOnlySpan<float> bias, ReadOnlySpan<bool> keep, ReadOnlySpan<float> slopes, ReadOnlySpan<float> sinks, Span<float> logSumExp);

    [Attention(1, 20, ValueDim = 12, Isas = AttentionIsas.Neon)]
    public static partial void D20v12_scored(ReadOnlySpan<float> query, ReadOnlySpan<float> key, ReadOnlySpan<float> value, Span<float> output, ReadOnlySpan<float> bias, ReadOnlySpan<bool> keep, ReadOnlySpan<float> slopes, ReadOnlySpan<float> sinks, Span<float> logSumExp);

    [Attention(1, 33, ValueDim = 20, WindowLeft = 30, WindowRight = 4, Scale = -0.3f, SoftCap = 2f, Isas = AttentionIsas.Neon)]
    public static partial void D33v20_window_scored(ReadOnlySpan<float> query, ReadOnlySpan<float> key, ReadOnlySpan<float> value, Span<float> output, ReadOnlySpan<float> bias, ReadOnlySpan<bool> keep, ReadOnlySpan<float> slopes, ReadOnlySpan<float> sinks, Span<float> logSumExp);

    [Attention(1, 20, ValueDim = 12, Mask = AttentionMask.Causal, RelativeBuckets = 16, ScoreMethod = nameof(Own), Isas = AttentionIsas.Neon)]
    public static partial void D20v12_causal_own(ReadOnlySpan<float> query, ReadOnlySpan<float> key, ReadOnlySpan<float> value, Span<float> output, ReadOnlySpan<float> relativeBias, ReadOnlySpan<float> scales, ReadOnlySpan<float> table, Span<float> logSumExp);

    [Attention(1, 64, RelativeBuckets = 16, ScoreMethod = nameof(Own), Isas = AttentionIsas.Neon)]
    public static partial void D64_own(ReadOnlySpan<float> query, ReadOnlySpan<float> key, ReadOnlySpan<float> value, Span<float> output, ReadOnlySpan<float> relativeBias, ReadOnlySpan<float> scales, ReadOnlySpan<float> table, Span<float> logSumExp);

    private static float Own(float score, int query, int key, ReadOnlySpan<float> table) => score + table[key - query + 40] + table[key % 7 * 9] - table[query];

    [Attention(1, 64, Mask = AttentionMask.Causal, QueryKeyNorm = AttentionNorm.Rms, Isas = AttentionIsas.Neon)]
    public static partial void D64_causal_watched(ReadOnlySpan<float> query, ReadOnlySpan<float> key, ReadOnlySpan<float> value, Span<float> output, Span<float> scores, Span<float> maxScore, Span<float> entropy, Span<int> argmax);

    [Attention(1, 33, ValueDim = 20, WindowLeft = 30, WindowRight = 4, Scale = -1f, QueryKeyNorm = AttentionNorm.Rms, Isas = AttentionIsas.Neon)]
    public static partial void D33v20_window_watched(ReadOnlySpan<float> query, ReadOnlySpan<float> key, ReadOnlySpan<float> value, Span<float> output, ReadOnlySpan<float> queryNormWeight, ReadOnlySpan<float> keyNormWeight, Span<float> scores, Span<float> maxScore, Span<float> entropy, Span<int> argmax);

    [Attention(1, 64, MaskMethod = nameof(FirstOrNear), Isas = AttentionIsas.Neon)]
    public static partial void D64_zones(ReadOnlySpan<float> query, ReadOnlySpan<float> key, ReadOnlySpan<float> value, Span<float> output);

    [Attention(1, 20, ValueDim = 12, MaskMethod = nameof(FirstOrNear), QueryKeyNorm = AttentionNorm.Rms, Isas = AttentionIsas.Neon)]
    public static partial void D20v12_zones_watched(ReadOnlySpan<float> query, ReadOnlySpan<float> key, ReadOnlySpan<float> value, Span<float> output, Span<float> scores, Span<float> maxScore, Span<float> entropy, Span<int> argmax);

    [Attention(1, 64, Mask = AttentionMask.Causal, Rotary = AttentionRotary.Halves, Isas = AttentionIsas.Neon)]
    public static partial void D64_causal_rope(ReadOnlySpan<float> query, ReadOnlySpan<float> key, ReadOnlySpan<float> value, Span<float> output, RotaryTable rotary);

    [Attention(1, 20, ValueDim = 12, Mask = AttentionMask.Causal, WindowLeft = 30, Rotary = AttentionRotary.Interleaved, RotaryDim = 10, RotaryStart = 3, Isas = AttentionIsas.Neon)]
    public static partial void D20v12_window_ropei10at3(ReadOnlySpan<float> query, ReadOnlySpan<float> key, ReadOnlySpan<float> value, Span<float> output, RotaryTable rotary);

    [Attention(1, 33, ValueDim = 20, Mask = AttentionMask.Causal, QueryLength = 17, KeyLength = 50, Rotary = AttentionRotary.Halves, RotaryDim = 30, RotaryStart = 1, Isas = AttentionIsas.Neon)]
    public static partial void M17n50_d33v20_causal_rope30at1(ReadOnlySpan<float> query, ReadOnlySpan<float> key, ReadOnlySpan<float> value, Span<float> output, RotaryTable rotary);

    // Elements of 16 bits, and keys in caches, which store them normalised and rotated.
    [Attention(1, 64, Mask = AttentionMask.Causal, Isas = AttentionIsas.Neon)]
    public static partial void D64_causal_f16(ReadOnlySpan<Half> query, ReadOnlySpan<Half> key, ReadOnlySpan<Half> value, Span<Half> output);

    [Attention(1, 5, ValueDim = 3, Mask = AttentionMask.Causal, Isas = AttentionIsas.Neon)]
    public static partial void D5v3_causal_f16(ReadOnlySpan<float> query, ReadOnlySpan<Half> key, ReadOnlySpan<Half> value, Span<float> output);

    [Attention(1, 20, ValueDim = 12, Mask = AttentionMask.Causal, WindowLeft = 30, Isas = AttentionIsas.Neon)]
    public static partial void D20v12_window_bf16(ReadOnlySpan<float> query, ReadOnlySpan<BFloat16> key, ReadOnlySpan<BFloat16> value, Span<float> output);

    [Attention(1, 31, ValueDim = 33, Isas = AttentionIsas.Neon)]
    public static partial void D31v33_bf16(ReadOnlySpan<BFloat16> query, ReadOnlySpan<BFloat16> key, ReadOnlySpan<BFloat16> value, Span<BFloat16> output);

    [Attention(1, 33, ValueDim = 20, Mask = AttentionMask.Causal, QueryKeyNorm = AttentionNorm.Rms, Rotary = AttentionRotary.Halves, RotaryDim = 30, RotaryStart = 1, Isas = AttentionIsas.Neon)]
    public static partial void D33v20_causal_normed_rope30at1_bf16(ReadOnlySpan<BFloat16> query, ReadOnlySpan<BFloat16> key, ReadOnlySpan<BFloat16> value, Span<BFloat16> output, RotaryTable rotary, ReadOnlySpan<float> queryNormWeight, ReadOnlySpan<float> keyNormWeight);

    [Attention(1, 64, Mask = AttentionMask.Causal, QueryKeyNorm = AttentionNorm.Rms, Isas = AttentionIsas.Neon)]
    public static partial void D64_causal_normed_f16(ReadOnlySpan<float> query, ReadOnlySpan<Half> key, ReadOnlySpan<Half> value, Span<float> output);

    [Attention(1, 64, Mask = AttentionMask.Causal, QueryKeyNorm = AttentionNorm.Rms, Rotary = AttentionRotary.Halves, Isas = AttentionIsas.Neon)]
    public static partial void D64_causal_normed_rope(ReadOnlySpan<float> query, ReadOnlySpan<float> key, ReadOnlySpan<float> value, Span<float> output, RotaryTable rotary, ReadOnlySpan<float> queryNormWeight, ReadOnlySpan<float> keyNormWeight);

    [Attention(1, 33, ValueDim = 20, Mask = AttentionMask.Causal, QueryLength = 17, KeyLength = 50, Isas = AttentionIsas.Neon)]
    public static partial void M17n50_d33v20_causal_f16(ReadOnlySpan<Half> query, ReadOnlySpan<Half> key, ReadOnlySpan<Half> value, Span<Half> output);

    [Attention(1, 64, Mask = AttentionMask.Causal, Isas = AttentionIsas.Neon)]
    public static partial void D64_causal_cache_f16(ReadOnlySpan<float> query, KeyValueCache<Half> cache, Span<float> output);

    [Attention(1, 64, Mask = AttentionMask.Causal, QueryKeyNorm = AttentionNorm.Rms, Rotary = AttentionRotary.Halves, Isas = AttentionIsas.Neon)]
    public static partial void D64_causal_normed_rope_cache_bf16(ReadOnlySpan<BFloat16> query, KeyValueCache<BFloat16> cache, Span<BFloat16> output, RotaryTable rotary, ReadOnlySpan<float> queryNormWeight);

    [Attention(1, 20, ValueDim = 12, Mask = AttentionMask.Causal, WindowLeft = 30, FirstKeys = 4, Rotary = AttentionRotary.Interleaved, RotaryDim = 10, RotaryStart = 3, Isas = AttentionIsas.Neon)]
    public static partial void D20v12_window_ropei10at3_ring_f16(ReadOnlySpan<float> query, RingKeyValueCache<Half> cache, Span<float> output, RotaryTable rotary);

    [Attention(1, 64, Mask = AttentionMask.Causal, WindowLeft = 20, FirstKeys = 4, Isas = AttentionIsas.Neon)]
    public static partial void D64_window_ring(ReadOnlySpan<float> query, RingKeyValueCache<float> cache, Span<float> output);

    [Attention(1, 33, ValueDim = 20, Mask = AttentionMask.Causal, Isas = AttentionIsas.Neon)]
    public static partial void D33v20_causal_pages(ReadOnlySpan<float> query, PagedKeyValueCache<float> cache, ReadOnlySpan<SequenceId> sequences, Span<float> output);

    [Attention(1, 128, Mask = AttentionMask.Causal, Rotary = AttentionRotary.Halves, Isas = AttentionIsas.Neon)]
    public static partial void D128_causal_rope_pages_bf16(ReadOnlySpan<float> query, PagedKeyValueCache<BFloat16> cache, ReadOnlySpan<SequenceId> sequences, Span<float> output, RotaryTable rotary);

    [Attention(1, 16, Isas = AttentionIsas.Neon)]
    public static partial void D16_pages_f16(ReadOnlySpan<Half> query, PagedKeyValueCache<Half> cache, ReadOnlySpan<SequenceId> sequences, Span<Half> output);

    [Attention(1, 64, Mask = AttentionMask.Causal, Isas = AttentionIsas.Neon)]
    public static partial void D64_causal_cache_i8(ReadOnlySpan<float> query, KeyValueCache<sbyte> cache, Span<float> output);

    [Attention(1, 33, ValueDim = 20, Mask = AttentionMask.Causal, QueryKeyNorm = AttentionNorm.Rms, Isas = AttentionIsas.Neon)]
    public static partial void D33v20_causal_normed_pages_i8(ReadOnlySpan<float> query, PagedKeyValueCache<sbyte> cache, ReadOnlySpan<SequenceId> sequences, Span<float> output, ReadOnlySpan<float> queryNormWeight);

    [Attention(1, 7, ValueDim = 1, Isas = AttentionIsas.Neon)]
    public static partial void D7v1_pages_i8(ReadOnlySpan<float> query, PagedKeyValueCache<sbyte> cache, ReadOnlySpan<SequenceId> sequences, Span<float> output);

    [Attention(1, 20, ValueDim = 12, Mask = AttentionMask.Causal, WindowLeft = 30, FirstKeys = 4, Rotary = AttentionRotary.Interleaved, RotaryDim = 10, RotaryStart = 3, Isas = AttentionIsas.Neon)]
    public static partial void D20v12_window_ropei10at3_ring_i8(ReadOnlySpan<float> query, RingKeyValueCache<sbyte> cache, Span<float> output, RotaryTable rotary);

    // Only its form matters: the numbers come with the call.
    private static bool FirstOrNear(int query, int key) => key <= query && (key < 4 || (key >= 4 && query - key < 21));
}

/// <summary>Entry points of the harness: a method of its own for each core.</summary>
public static class Entries
{
    public static void Run_d1(ref float query, ref float key, ref float value, ref float output, ref long call) =>
        Driver.Run<forward_f32_d1__neon_8x2>(ref query, ref key, ref value, ref output, ref Unsafe.As<long, NeonCall>(ref call));

    public static void Run_d2v3_causal(ref float query, ref float key, ref float value, ref float output, ref long call) =>
        Driver.Run<forward_f32_d2v3_causal__neon_8x2>(ref query, ref key, ref value, ref output, ref Unsafe.As<long, NeonCall>(ref call));

    public static void Run_d3_causal(ref float query, ref float key, ref float value, ref float output, ref long call) =>
        Driver.Run<forward_f32_d3_causal__neon_8x2>(ref query, ref key, ref value, ref output, ref Unsafe.As<long, NeonCall>(ref call));

    public static void Run_d4(ref float query, ref float key, ref float value, ref float output, ref long call) =>
        Driver.Run<forward_f32_d4__neon_8x2>(ref query, ref key, ref value, ref output, ref Unsafe.As<long, NeonCall>(ref call));

    public static void Run_d5_causal(ref float query, ref float key, ref float value, ref float output, ref long call) =>
        Driver.Run<forward_f32_d5_causal__neon_8x2>(ref query, ref key, ref value, ref output, ref Unsafe.As<long, NeonCall>(ref call));

    public static void Run_d7v4_causal(ref float query, ref float key, ref float value, ref float output, ref long call) =>
        Driver.Run<forward_f32_d7v4_causal__neon_8x2>(ref query, ref key, ref value, ref output, ref Unsafe.As<long, NeonCall>(ref call));

    public static void Run_d8_causal(ref float query, ref float key, ref float value, ref float output, ref long call) =>
        Driver.Run<forward_f32_d8_causal__neon_8x2>(ref query, ref key, ref value, ref output, ref Unsafe.As<long, NeonCall>(ref call));

    public static void Run_d12v20_causal_scale0p5(ref float query, ref float key, ref float value, ref float output, ref long call) =>
        Driver.Run<forward_f32_d12v20_causal_scale0p5__neon_8x2>(ref query, ref key, ref value, ref output, ref Unsafe.As<long, NeonCall>(ref call));

    public static void Run_d13v5_causal(ref float query, ref float key, ref float value, ref float output, ref long call) =>
        Driver.Run<forward_f32_d13v5_causal__neon_8x2>(ref query, ref key, ref value, ref output, ref Unsafe.As<long, NeonCall>(ref call));

    public static void Run_d16(ref float query, ref float key, ref float value, ref float output, ref long call) =>
        Driver.Run<forward_f32_d16__neon_8x2>(ref query, ref key, ref value, ref output, ref Unsafe.As<long, NeonCall>(ref call));

    public static void Run_d20v12_causal(ref float query, ref float key, ref float value, ref float output, ref long call) =>
        Driver.Run<forward_f32_d20v12_causal__neon_8x2>(ref query, ref key, ref value, ref output, ref Unsafe.As<long, NeonCall>(ref call));

    public static void Run_d31v33_causal(ref float query, ref float key, ref float value, ref float output, ref long call) =>
        Driver.Run<forward_f32_d31v33_causal__neon_8x2>(ref query, ref key, ref value, ref output, ref Unsafe.As<long, NeonCall>(ref call));

    public static void Run_d32(ref float query, ref float key, ref float value, ref float output, ref long call) =>
        Driver.Run<forward_f32_d32__neon_8x2>(ref query, ref key, ref value, ref output, ref Unsafe.As<long, NeonCall>(ref call));

    public static void Run_d33v31_causal(ref float query, ref float key, ref float value, ref float output, ref long call) =>
        Driver.Run<forward_f32_d33v31_causal__neon_8x2>(ref query, ref key, ref value, ref output, ref Unsafe.As<long, NeonCall>(ref call));

    public static void Run_d64(ref float query, ref float key, ref float value, ref float output, ref long call) =>
        Driver.Run<forward_f32_d64__neon_8x2>(ref query, ref key, ref value, ref output, ref Unsafe.As<long, NeonCall>(ref call));

    public static void Run_d64_causal(ref float query, ref float key, ref float value, ref float output, ref long call) =>
        Driver.Run<forward_f32_d64_causal__neon_8x2>(ref query, ref key, ref value, ref output, ref Unsafe.As<long, NeonCall>(ref call));

    public static void Run_d65v64_causal(ref float query, ref float key, ref float value, ref float output, ref long call) =>
        Driver.Run<forward_f32_d65v64_causal__neon_8x2>(ref query, ref key, ref value, ref output, ref Unsafe.As<long, NeonCall>(ref call));

    public static void Run_d72(ref float query, ref float key, ref float value, ref float output, ref long call) =>
        Driver.Run<forward_f32_d72__neon_8x2>(ref query, ref key, ref value, ref output, ref Unsafe.As<long, NeonCall>(ref call));

    public static void Run_d80_causal(ref float query, ref float key, ref float value, ref float output, ref long call) =>
        Driver.Run<forward_f32_d80_causal__neon_8x2>(ref query, ref key, ref value, ref output, ref Unsafe.As<long, NeonCall>(ref call));

    public static void Run_d96_causal(ref float query, ref float key, ref float value, ref float output, ref long call) =>
        Driver.Run<forward_f32_d96_causal__neon_8x2>(ref query, ref key, ref value, ref output, ref Unsafe.As<long, NeonCall>(ref call));

    public static void Run_d100(ref float query, ref float key, ref float value, ref float output, ref long call) =>
        Driver.Run<forward_f32_d100__neon_8x2>(ref query, ref key, ref value, ref output, ref Unsafe.As<long, NeonCall>(ref call));

    public static void Run_d128(ref float query, ref float key, ref float value, ref float output, ref long call) =>
        Driver.Run<forward_f32_d128__neon_8x2>(ref query, ref key, ref value, ref output, ref Unsafe.As<long, NeonCall>(ref call));

    public static void Run_d128_causal(ref float query, ref float key, ref float value, ref float output, ref long call) =>
        Driver.Run<forward_f32_d128_causal__neon_8x2>(ref query, ref key, ref value, ref output, ref Unsafe.As<long, NeonCall>(ref call));

    public static void Run_d192v128_causal(ref float query, ref float key, ref float value, ref float output, ref long call) =>
        Driver.Run<forward_f32_d192v128_causal__neon_8x2>(ref query, ref key, ref value, ref output, ref Unsafe.As<long, NeonCall>(ref call));

    public static void Run_d256_causal(ref float query, ref float key, ref float value, ref float output, ref long call) =>
        Driver.Run<forward_f32_d256_causal__neon_8x2>(ref query, ref key, ref value, ref output, ref Unsafe.As<long, NeonCall>(ref call));

    public static void Run_d512_causal(ref float query, ref float key, ref float value, ref float output, ref long call) =>
        Driver.Run<forward_f32_d512_causal__neon_8x2>(ref query, ref key, ref value, ref output, ref Unsafe.As<long, NeonCall>(ref call));

    public static void Run_d16_window(ref float query, ref float key, ref float value, ref float output, ref long call) =>
        Driver.Run<forward_f32_d16_window__neon_8x2>(ref query, ref key, ref value, ref output, ref Unsafe.As<long, NeonCall>(ref call));

    public static void Run_d64_window(ref float query, ref float key, ref float value, ref float output, ref long call) =>
        Driver.Run<forward_f32_d64_window__neon_8x2>(ref query, ref key, ref value, ref output, ref Unsafe.As<long, NeonCall>(ref call));

    public static void Run_d33v20_window(ref float query, ref float key, ref float value, ref float output, ref long call) =>
        Driver.Run<forward_f32_d33v20_window__neon_8x2>(ref query, ref key, ref value, ref output, ref Unsafe.As<long, NeonCall>(ref call));

    public static void Run_d128_window(ref float query, ref float key, ref float value, ref float output, ref long call) =>
        Driver.Run<forward_f32_d128_window__neon_8x2>(ref query, ref key, ref value, ref output, ref Unsafe.As<long, NeonCall>(ref call));

    public static void Run_d64_since(ref float query, ref float key, ref float value, ref float output, ref long call) =>
        Driver.Run<forward_f32_d64_since__neon_8x2>(ref query, ref key, ref value, ref output, ref Unsafe.As<long, NeonCall>(ref call));

    public static void Run_d5v3_since(ref float query, ref float key, ref float value, ref float output, ref long call) =>
        Driver.Run<forward_f32_d5v3_since__neon_8x2>(ref query, ref key, ref value, ref output, ref Unsafe.As<long, NeonCall>(ref call));

    public static void Run_d64_causal_scored(ref float query, ref float key, ref float value, ref float output, ref long call) =>
        Driver.Run<forward_f32_d64_causal_cap5_bias_slopes_keep_sinks_lse__neon_8x2>(ref query, ref key, ref value, ref output, ref Unsafe.As<long, NeonCall>(ref call));

    public static void Run_d20v12_scored(ref float query, ref float key, ref float value, ref float output, ref long call) =>
        Driver.Run<forward_f32_d20v12_bias_slopes_keep_sinks_lse__neon_8x2>(ref query, ref key, ref value, ref output, ref Unsafe.As<long, NeonCall>(ref call));

    public static void Run_d33v20_window_scored(ref float query, ref float key, ref float value, ref float output, ref long call) =>
        Driver.Run<forward_f32_d33v20_window_scalem0p3_cap2_bias_slopes_keep_sinks_lse__neon_8x2>(ref query, ref key, ref value, ref output, ref Unsafe.As<long, NeonCall>(ref call));

    public static void Run_d20v12_causal_own(ref float query, ref float key, ref float value, ref float output, ref long call) =>
        Driver.Run<forward_f32_d20v12_causal_scales_score9c7a76df28ba2881_relative_lse__neon_8x2>(ref query, ref key, ref value, ref output, ref Unsafe.As<long, NeonCall>(ref call));

    public static void Run_d64_own(ref float query, ref float key, ref float value, ref float output, ref long call) =>
        Driver.Run<forward_f32_d64_scales_score9c7a76df28ba2881_relative_lse__neon_8x2>(ref query, ref key, ref value, ref output, ref Unsafe.As<long, NeonCall>(ref call));

    public static void Run_m49n49_d32(ref float query, ref float key, ref float value, ref float output, ref long call) =>
        Driver.RunPrefill<forward_f32_m49n49_d32__neon_7x2>(ref query, ref key, ref value, ref output, ref Unsafe.As<long, NeonCall>(ref call));

    public static void Run_m197n197_d64(ref float query, ref float key, ref float value, ref float output, ref long call) =>
        Driver.RunPrefill<forward_f32_m197n197_d64__neon_8x2>(ref query, ref key, ref value, ref output, ref Unsafe.As<long, NeonCall>(ref call));

    public static void Run_m16n16_d64_causal(ref float query, ref float key, ref float value, ref float output, ref long call) =>
        Driver.RunPrefill<forward_f32_m16n16_d64_causal__neon_4x4>(ref query, ref key, ref value, ref output, ref Unsafe.As<long, NeonCall>(ref call));

    public static void Run_m16n300_d5v3(ref float query, ref float key, ref float value, ref float output, ref long call) =>
        Driver.RunPrefill<forward_f32_m16n300_d5v3__neon_4x4>(ref query, ref key, ref value, ref output, ref Unsafe.As<long, NeonCall>(ref call));

    public static void Run_m17n50_d33v20_causal(ref float query, ref float key, ref float value, ref float output, ref long call) =>
        Driver.RunPrefill<forward_f32_m17n50_d33v20_causal__neon_6x2>(ref query, ref key, ref value, ref output, ref Unsafe.As<long, NeonCall>(ref call));

    public static void Run_m49n49_d32_window(ref float query, ref float key, ref float value, ref float output, ref long call) =>
        Driver.RunPrefill<forward_f32_m49n49_d32_window__neon_7x2>(ref query, ref key, ref value, ref output, ref Unsafe.As<long, NeonCall>(ref call));

    public static void Run_m16n300_d5v3_since(ref float query, ref float key, ref float value, ref float output, ref long call) =>
        Driver.RunPrefill<forward_f32_m16n300_d5v3_since__neon_4x4>(ref query, ref key, ref value, ref output, ref Unsafe.As<long, NeonCall>(ref call));

    public static void Run_m17n50_d33v20_window(ref float query, ref float key, ref float value, ref float output, ref long call) =>
        Driver.RunPrefill<forward_f32_m17n50_d33v20_window__neon_6x2>(ref query, ref key, ref value, ref output, ref Unsafe.As<long, NeonCall>(ref call));

    public static void Run_d64_causal_watched(ref float query, ref float key, ref float value, ref float output, ref long call) =>
        Driver.Run<forward_f32_d64_causal_rms_weights_max_argmax_entropy__neon_8x2>(ref query, ref key, ref value, ref output, ref Unsafe.As<long, NeonCall>(ref call));

    public static void Run_d33v20_window_watched(ref float query, ref float key, ref float value, ref float output, ref long call) =>
        Driver.Run<forward_f32_d33v20_window_scalem1_rms_qw_kw_weights_max_argmax_entropy__neon_8x2>(ref query, ref key, ref value, ref output, ref Unsafe.As<long, NeonCall>(ref call));

    public static void Run_d64_zones(ref float query, ref float key, ref float value, ref float output, ref long call) =>
        Driver.Run<forward_f32_d64_zones__neon_8x2>(ref query, ref key, ref value, ref output, ref Unsafe.As<long, NeonCall>(ref call));

    public static void Run_d20v12_zones_watched(ref float query, ref float key, ref float value, ref float output, ref long call) =>
        Driver.Run<forward_f32_d20v12_zones_rms_weights_max_argmax_entropy__neon_8x2>(ref query, ref key, ref value, ref output, ref Unsafe.As<long, NeonCall>(ref call));

    public static void Run_d64_causal_rope(ref float query, ref float key, ref float value, ref float output, ref long call) =>
        Driver.Run<forward_f32_d64_causal_rope__neon_8x2>(ref query, ref key, ref value, ref output, ref Unsafe.As<long, NeonCall>(ref call));

    public static void Run_d20v12_window_ropei10at3(ref float query, ref float key, ref float value, ref float output, ref long call) =>
        Driver.Run<forward_f32_d20v12_window_ropei10at3__neon_8x2>(ref query, ref key, ref value, ref output, ref Unsafe.As<long, NeonCall>(ref call));

    public static void Run_m17n50_d33v20_causal_rope30at1(ref float query, ref float key, ref float value, ref float output, ref long call) =>
        Driver.RunPrefill<forward_f32_m17n50_d33v20_causal_rope30at1__neon_6x2>(ref query, ref key, ref value, ref output, ref Unsafe.As<long, NeonCall>(ref call));

    public static void Run_d64_causal_f16(ref float query, ref float key, ref float value, ref float output, ref long call) =>
        Driver.Run<forward_f16_d64_causal__neon_8x2>(ref query, ref key, ref value, ref output, ref Unsafe.As<long, NeonCall>(ref call));

    public static void Run_d5v3_causal_f16(ref float query, ref float key, ref float value, ref float output, ref long call) =>
        Driver.Run<forward_f32_f16_f16_f32_d5v3_causal__neon_8x2>(ref query, ref key, ref value, ref output, ref Unsafe.As<long, NeonCall>(ref call));

    public static void Run_d20v12_window_bf16(ref float query, ref float key, ref float value, ref float output, ref long call) =>
        Driver.Run<forward_f32_bf16_bf16_f32_d20v12_window__neon_8x2>(ref query, ref key, ref value, ref output, ref Unsafe.As<long, NeonCall>(ref call));

    public static void Run_d31v33_bf16(ref float query, ref float key, ref float value, ref float output, ref long call) =>
        Driver.Run<forward_bf16_d31v33__neon_8x2>(ref query, ref key, ref value, ref output, ref Unsafe.As<long, NeonCall>(ref call));

    public static void Run_d33v20_causal_normed_rope30at1_bf16(ref float query, ref float key, ref float value, ref float output, ref long call) =>
        Driver.Run<forward_bf16_d33v20_causal_rms_qw_kw_rope30at1__neon_8x2>(ref query, ref key, ref value, ref output, ref Unsafe.As<long, NeonCall>(ref call));

    public static void Run_d64_causal_normed_f16(ref float query, ref float key, ref float value, ref float output, ref long call) =>
        Driver.Run<forward_f32_f16_f16_f32_d64_causal_rms__neon_8x2>(ref query, ref key, ref value, ref output, ref Unsafe.As<long, NeonCall>(ref call));

    public static void Run_d64_causal_normed_rope(ref float query, ref float key, ref float value, ref float output, ref long call) =>
        Driver.Run<forward_f32_d64_causal_rms_qw_kw_rope__neon_8x2>(ref query, ref key, ref value, ref output, ref Unsafe.As<long, NeonCall>(ref call));

    public static void Run_m17n50_d33v20_causal_f16(ref float query, ref float key, ref float value, ref float output, ref long call) =>
        Driver.RunPrefill<forward_f16_m17n50_d33v20_causal__neon_6x2>(ref query, ref key, ref value, ref output, ref Unsafe.As<long, NeonCall>(ref call));

    public static void Run_d64_causal_cache_f16(ref float query, ref float key, ref float value, ref float output, ref long call) =>
        Driver.Run<forward_f32_f16_f16_f32_d64_causal__neon_8x2>(ref query, ref key, ref value, ref output, ref Unsafe.As<long, NeonCall>(ref call));

    public static void Run_d64_causal_normed_rope_cache_bf16(ref float query, ref float key, ref float value, ref float output, ref long call) =>
        Driver.Run<forward_bf16_d64_causal_rms_qw_rope_stored__neon_8x2>(ref query, ref key, ref value, ref output, ref Unsafe.As<long, NeonCall>(ref call));

    public static void Run_d20v12_window_ropei10at3_ring_f16(ref float query, ref float key, ref float value, ref float output, ref long call) =>
        Driver.Run<forward_f32_f16_f16_f32_d20v12_window_ropei10at3_stored__neon_8x2>(ref query, ref key, ref value, ref output, ref Unsafe.As<long, NeonCall>(ref call));

    public static void Run_d64_window_ring(ref float query, ref float key, ref float value, ref float output, ref long call) =>
        Driver.Run<forward_f32_d64_window__neon_8x2>(ref query, ref key, ref value, ref output, ref Unsafe.As<long, NeonCall>(ref call));

    public static void Run_d33v20_causal_pages(ref float query, ref float key, ref float value, ref float output, ref long call) =>
        Driver.Run<forward_f32_d33v20_causal_pages__neon_8x2>(ref query, ref key, ref value, ref output, ref Unsafe.As<long, NeonCall>(ref call));

    public static void Run_d128_causal_rope_pages_bf16(ref float query, ref float key, ref float value, ref float output, ref long call) =>
        Driver.Run<forward_f32_bf16_bf16_f32_d128_causal_pages_rope_stored__neon_8x2>(ref query, ref key, ref value, ref output, ref Unsafe.As<long, NeonCall>(ref call));

    public static void Run_d16_pages_f16(ref float query, ref float key, ref float value, ref float output, ref long call) =>
        Driver.Run<forward_f16_d16_pages__neon_8x2>(ref query, ref key, ref value, ref output, ref Unsafe.As<long, NeonCall>(ref call));

    public static void Run_d64_causal_cache_i8(ref float query, ref float key, ref float value, ref float output, ref long call) =>
        Driver.Run<forward_f32_i8_i8_f32_d64_causal__neon_8x2>(ref query, ref key, ref value, ref output, ref Unsafe.As<long, NeonCall>(ref call));

    public static void Run_d33v20_causal_normed_pages_i8(ref float query, ref float key, ref float value, ref float output, ref long call) =>
        Driver.Run<forward_f32_i8_i8_f32_d33v20_causal_pages_rms_qw_stored__neon_8x2>(ref query, ref key, ref value, ref output, ref Unsafe.As<long, NeonCall>(ref call));

    public static void Run_d7v1_pages_i8(ref float query, ref float key, ref float value, ref float output, ref long call) =>
        Driver.Run<forward_f32_i8_i8_f32_d7v1_pages__neon_8x2>(ref query, ref key, ref value, ref output, ref Unsafe.As<long, NeonCall>(ref call));

    public static void Run_d20v12_window_ropei10at3_ring_i8(ref float query, ref float key, ref float value, ref float output, ref long call) =>
        Driver.Run<forward_f32_i8_i8_f32_d20v12_window_ropei10at3_stored__neon_8x2>(ref query, ref key, ref value, ref output, ref Unsafe.As<long, NeonCall>(ref call));
}
