namespace AttentionGen.Kernels.Tests;

/// <summary>The four matrices of a layer, [outputs, inputs], and their biases, which may be empty.</summary>
internal sealed record LayerMatrices(float[] Query, float[] Key, float[] Value, float[] Output, float[] QueryBias, float[] KeyBias, float[] ValueBias, float[] OutputBias)
{
    /// <summary>Normally distributed, such that projections of normal rows are about normal.</summary>
    public static LayerMatrices Random(LayerDeclaration layer, Random random, bool biased)
    {
        var attention = layer.Attention;
        int queries = attention.Heads * attention.HeadDim, keys = attention.KeyValueHeads * attention.HeadDim, values = attention.KeyValueHeads * attention.ValueDim, heads = attention.Heads * attention.ValueDim;
        float[] Matrix(int outputs, int inputs) => Normal(random, outputs * inputs, 1 / Math.Sqrt(inputs));
        float[] Bias(int outputs) => biased ? Normal(random, outputs, 0.3) : [];
        return new(
            Matrix(queries, layer.ModelDim), Matrix(keys, layer.KeyDim), Matrix(values, layer.KeyDim), Matrix(layer.OutputDim, heads), Bias(queries), Bias(keys), Bias(values), Bias(layer.OutputDim));
    }

    public static float[] Normal(Random random, int length, double deviation = 1)
    {
        float[] numbers = new float[length];
        for (int i = 0; i < length; i++) numbers[i] = (float)(deviation * Math.Sqrt(-2 * Math.Log(1 - random.NextDouble())) * Math.Cos(2 * Math.PI * random.NextDouble()));
        return numbers;
    }

    /// <summary>The matrices as weights of a type are stored.</summary>
    public LayerMatrices Rounded(LayerDeclaration layer)
    {
        float[] Round(float[] matrix, int inputs) => layer.Weights switch
        {
            Storage.Wide => matrix,
            Storage.BFloat16 => Stored.Round<BFloat16>(matrix, inputs).Floats,
            _ => Stored.Round<sbyte>(matrix, inputs).Floats,
        };
        return this with
        {
            Query = Round(Query, layer.ModelDim), Key = Round(Key, layer.KeyDim), Value = Round(Value, layer.KeyDim), Output = Round(Output, layer.Attention.Heads * layer.Attention.ValueDim),
        };
    }
}

/// <summary>An <see cref="AttentionWeights{T}"/> of any type.</summary>
internal abstract class LayerWeights : IDisposable
{
    public abstract IDisposable Weights { get; }

    public static LayerWeights Of(LayerDeclaration layer, LayerMatrices matrices) => layer.Weights switch
    {
        Storage.Wide => new Typed<float>(layer, matrices),
        Storage.BFloat16 => new Typed<BFloat16>(layer, matrices),
        _ => new Typed<sbyte>(layer, matrices),
    };

    public abstract float[] Query(float[] input);

    public abstract float[] Key(float[] rows);

    public abstract float[] Value(float[] rows);

    public abstract float[] Output(float[] heads, float[] residual);

    public void Dispose() => Weights.Dispose();

    private sealed class Typed<T>(LayerDeclaration layer, LayerMatrices matrices) : LayerWeights
        where T : unmanaged
    {
        private readonly AttentionWeights<T> _weights = AttentionWeights.Separate<T>(
            layer.ModelDim, layer.Attention.Heads, layer.Attention.HeadDim, matrices.Query, matrices.Key, matrices.Value, matrices.Output,
            matrices.QueryBias, matrices.KeyBias, matrices.ValueBias, matrices.OutputBias,
            keyValueHeads: layer.Attention.KeyValueHeads, valueDim: layer.Attention.ValueDim, contextDim: layer.ContextDim, outputDim: layer.OutputDim);

        public override IDisposable Weights => _weights;

        public override float[] Query(float[] input) => Apply(_weights.Query, input, []);

        public override float[] Key(float[] rows) => Apply(_weights.Key, rows, []);

        public override float[] Value(float[] rows) => Apply(_weights.Value, rows, []);

        public override float[] Output(float[] heads, float[] residual) => Apply(_weights.Output, heads, residual);

        private static float[] Apply(AttentionLinear<T> linear, float[] input, float[] residual)
        {
            float[] output = new float[input.Length / linear.InputDim * linear.OutputDim];
            linear.Apply(input, output, residual, maxThreads: 1);
            return output;
        }
    }
}
