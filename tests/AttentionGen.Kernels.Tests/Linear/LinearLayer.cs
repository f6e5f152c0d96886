namespace AttentionGen.Kernels.Tests;

/// <summary>An <see cref="AttentionLinear{T}"/> of any type.</summary>
internal abstract class LinearLayer : IDisposable
{
    public static LinearLayer Create(LinearProblem problem, ReadOnlySpan<float> weights, ReadOnlySpan<float> bias) => problem.Type switch
    {
        Storage.Wide => new Of<float>(problem, weights, bias),
        Storage.BFloat16 => new Of<BFloat16>(problem, weights, bias),
        Storage.SByte => new Of<sbyte>(problem, weights, bias),
        _ => throw new ArgumentOutOfRangeException(nameof(problem)),
    };

    public abstract long Bytes { get; }

    public abstract void Apply(ReadOnlySpan<float> input, Span<float> output, ReadOnlySpan<float> residual = default, int maxThreads = 1);

    public abstract void CopyWeightsTo(Span<float> weights, AttentionWeightOrder order = AttentionWeightOrder.OutputInput);

    public abstract void CopyBiasTo(Span<float> bias);

    public abstract void Dispose();

    private sealed class Of<T>(LinearProblem problem, ReadOnlySpan<float> weights, ReadOnlySpan<float> bias) : LinearLayer
        where T : unmanaged
    {
        private readonly AttentionLinear<T> _layer = new(problem.InputDim, problem.OutputDim, weights, bias, problem.Order, problem.Activation);

        public override long Bytes => _layer.Bytes;

        public override void Apply(ReadOnlySpan<float> input, Span<float> output, ReadOnlySpan<float> residual, int maxThreads) => _layer.Apply(input, output, residual, maxThreads);

        public override void CopyWeightsTo(Span<float> weights, AttentionWeightOrder order) => _layer.CopyWeightsTo(weights, order);

        public override void CopyBiasTo(Span<float> bias) => _layer.CopyBiasTo(bias);

        public override void Dispose() => _layer.Dispose();
    }
}
