using System.Runtime.CompilerServices;

namespace AttentionGen.CompilerServices;

// What emitted code called before operands had roles here.
#pragma warning disable CS1591

public unsafe ref partial struct ForwardCall
{
    public ForwardCall(int left, int right, in KernelTensor query, in KernelTensor key, in KernelTensor value, in KernelTensor output)
    {
        Unsafe.SkipInit(out this);
        _own = default;
        Tensors(left, right, query, key, value, output);
    }

    private const AttentionAxes OfRows = AttentionAxes.Batch | AttentionAxes.Head | AttentionAxes.Query;

    public void Bias(ReadOnlySpan<float> bias, AttentionAxes axes, [CallerArgumentExpression(nameof(bias))] string name = "") => Input(AttentionRole.Bias, bias, axes, name);

    public void Keep(ReadOnlySpan<bool> keep, AttentionAxes axes, [CallerArgumentExpression(nameof(keep))] string name = "") => Input(AttentionRole.Keep, keep, axes, name);

    public void Slopes(ReadOnlySpan<float> slopes, [CallerArgumentExpression(nameof(slopes))] string name = "") => Input(AttentionRole.Slopes, slopes, AttentionAxes.Head, name);

    public void Sinks(ReadOnlySpan<float> sinks, [CallerArgumentExpression(nameof(sinks))] string name = "") => Input(AttentionRole.Sinks, sinks, AttentionAxes.Head, name);

    public void Scales(ReadOnlySpan<float> scales, [CallerArgumentExpression(nameof(scales))] string name = "") => Input(AttentionRole.Scales, scales, AttentionAxes.Head, name);

    public void QueryNormWeight(ReadOnlySpan<float> weight, [CallerArgumentExpression(nameof(weight))] string name = "") => Input(AttentionRole.QueryNormWeight, weight, AttentionAxes.None, name);

    public void KeyNormWeight(ReadOnlySpan<float> weight, [CallerArgumentExpression(nameof(weight))] string name = "") => Input(AttentionRole.KeyNormWeight, weight, AttentionAxes.None, name);

    public void LogSumExp(Span<float> logSumExp, [CallerArgumentExpression(nameof(logSumExp))] string name = "") => Result(AttentionRole.LogSumExp, logSumExp, OfRows, name);

    public void MaxScore(Span<float> maxScore, [CallerArgumentExpression(nameof(maxScore))] string name = "") => Result(AttentionRole.MaxScore, maxScore, OfRows, name);

    public void Entropy(Span<float> entropy, [CallerArgumentExpression(nameof(entropy))] string name = "") => Result(AttentionRole.Entropy, entropy, OfRows, name);

    public void ArgMax(Span<int> argmax, [CallerArgumentExpression(nameof(argmax))] string name = "") => Result(AttentionRole.ArgMax, argmax, OfRows, name);
}
