using Xunit;

namespace AttentionGen.Kernels.Tests;

/// <summary>What becomes of weights and biases in a layer: they come back as they are stored.</summary>
[Trait(IsaMatrixTests.Scalar, "yes")]
public class LinearWeightTests
{
    private static readonly AttentionWeightOrder[] s_orders = Enum.GetValues<AttentionWeightOrder>();

    public static MatrixTheoryData<Storage, AttentionWeightOrder, bool> Cases => new(LinearProblem.Types, s_orders, [false, true]);

    [Theory, MemberData(nameof(Cases))]
    public void Weights_come_back_as_they_are_stored(Storage type, AttentionWeightOrder order, bool gate)
    {
        foreach (var (depth, columns) in new[] { (1, 1), (5, 3), (4, 32), (61, 33), (193, 70), (3, 300) })
        {
            var problem = new LinearProblem(type, 1, depth, columns) { Order = order, Bias = true, Activation = gate ? AttentionActivation.SiluGate : AttentionActivation.None };
            var inputs = new LinearInputs(problem);
            if (depth > 1 && columns > 1) AddSpecial(inputs.Weights);
            using var layer = inputs.Create();
            foreach (var other in s_orders)
            {
                float[] actual = new float[inputs.Weights.Length];
                layer.CopyWeightsTo(actual, other);
                ThreadTests.AssertSameBits(Turned(Stored(type, Turned(inputs.Weights, order, problem), depth), other, problem, back: true), actual);
            }

            float[] bias = new float[problem.Columns];
            layer.CopyBiasTo(bias);
            ThreadTests.AssertSameBits(inputs.Bias, bias);
            Assert.InRange(layer.Bytes, (long)inputs.Weights.Length * (type == Storage.Wide ? 4 : type == Storage.BFloat16 ? 2 : 1), (long)problem.Columns * depth * 4 + 100_000);
        }
    }

    /// <summary>Not those of integers, whose scale is divided once more.</summary>
    public static MatrixTheoryData<Storage, AttentionWeightOrder, bool> Floating => new([Storage.Wide, Storage.BFloat16], s_orders, [false, true]);

    /// <summary>What a layer gave back is stored as it is.</summary>
    [Theory, MemberData(nameof(Floating))]
    public void Stored_weights_are_stored_without_a_change(Storage type, AttentionWeightOrder order, bool gate)
    {
        var problem = new LinearProblem(type, 3, 61, 33) { Order = order, Activation = gate ? AttentionActivation.SiluGate : AttentionActivation.None };
        var inputs = new LinearInputs(problem);
        using var layer = inputs.Create();
        float[] first = new float[inputs.Weights.Length], second = new float[first.Length];
        layer.CopyWeightsTo(first, order);
        using var again = LinearLayer.Create(problem, first, []);
        again.CopyWeightsTo(second, order);
        ThreadTests.AssertSameBits(first, second);
        ThreadTests.AssertSameBits(inputs.Run(layer), inputs.Run(again));
    }

    [Fact]
    public void What_a_layer_says_of_itself()
    {
        using var layer = new AttentionLinear<float>(3, 5, new float[30], new float[10], activation: AttentionActivation.SiluGate);
        using var plain = new AttentionLinear<sbyte>(3, 5, new float[15]);
        Assert.Equal((3, 5, AttentionActivation.SiluGate, true), (layer.InputDim, layer.OutputDim, layer.Activation, layer.HasBias));
        Assert.Equal((3, 5, AttentionActivation.None, false), (plain.InputDim, plain.OutputDim, plain.Activation, plain.HasBias));
        Assert.Throws<InvalidOperationException>(() => plain.CopyBiasTo(new float[5]));
    }

    /// <summary>Numbers that a conversion may get wrong. NaN and infinities stand in a column of their own, which sbyte loses.</summary>
    private static void AddSpecial(float[] weights)
    {
        float[] special = [-0f, float.Epsilon, -float.Epsilon, 1e-39f, 1.00390625f, 1.01171875f, 65504, -1e38f, 3.39e38f];
        for (int i = 0; i < special.Length && i < weights.Length; i++) weights[i] = special[i];
        weights[^1] = float.NaN;
        weights[^2] = float.NegativeInfinity;
    }

    /// <summary>As the types round: BFloat16 by its conversion; integers are weight / scale, ties to even, with the largest magnitude of a column / 127 as its scale, which is rounded so that no integer is beyond 127 and 127 scales are finite.</summary>
    /// <param name="weights">[columns, depth].</param>
    private static float[] Stored(Storage type, float[] weights, int depth)
    {
        float[] stored = [.. weights];
        if (type == Storage.BFloat16)
        {
            for (int i = 0; i < stored.Length; i++) stored[i] = (float)(BFloat16)stored[i];
        }
        else if (type == Storage.SByte)
        {
            for (int i = 0; i < stored.Length; i += depth)
            {
                var column = stored.AsSpan(i, depth);
                float largest = 0, scale;
                bool finite = true;
                foreach (float weight in column) (largest, finite) = (Math.Max(largest, Math.Abs(weight)), finite && float.IsFinite(weight));
                scale = finite ? largest / 127 : float.NaN;
                if (!float.IsNormal(scale) && 127.0 * scale < largest) scale = MathF.BitIncrement(scale);
                if (float.IsInfinity(127 * scale)) scale = MathF.BitDecrement(scale);
                foreach (ref float weight in column) weight = largest == 0 ? 0 : (int)MathF.Round(weight / scale) * scale;
            }
        }

        return stored;
    }

    /// <summary>From an order to [columns, depth], or back.</summary>
    private static float[] Turned(float[] weights, AttentionWeightOrder order, LinearProblem problem, bool back = false)
    {
        if (order == AttentionWeightOrder.OutputInput) return weights;
        int width = back ? problem.InputDim : problem.Columns, height = weights.Length / width;
        float[] turned = new float[weights.Length];
        for (int i = 0; i < turned.Length; i++) turned[i % width * height + i / width] = weights[i];
        return turned;
    }
}
