using Xunit;

namespace AttentionGen.Kernels.Tests;

/// <summary>All that may follow a sum: every activation with and without bias and residual, for weights of both orders.</summary>
public class LinearActivationTests
{
    public static MatrixTheoryData<Storage, AttentionActivation> Cases => new(LinearProblem.Types, Enum.GetValues<AttentionActivation>());

    [Theory, MemberData(nameof(Cases))]
    public void Every_end_of_a_layer(Storage type, AttentionActivation activation)
    {
        foreach (var order in Enum.GetValues<AttentionWeightOrder>())
            foreach (bool bias in new[] { false, true })
                foreach (var residual in Enum.GetValues<Residual>())
                    foreach (var (rows, depth, columns) in new[] { (1, 30, 70), (3, 200, 19), (14, 61, 37), (5, 6, 258) })
                        LinearInputs.Check(new(type, rows, depth, columns) { Activation = activation, Order = order, Bias = bias, Residual = residual, MaxThreads = 2 });
    }

    /// <summary>The order of the weights is a matter of packing alone.</summary>
    [Theory, MemberData(nameof(Cases))]
    public void Both_orders_of_weights_have_the_same_bits(Storage type, AttentionActivation activation)
    {
        var inputs = new LinearInputs(new(type, 7, 45, 37) { Activation = activation });
        var problem = inputs.Problem;
        float[] turned = new float[inputs.Weights.Length];
        for (int i = 0; i < turned.Length; i++) turned[i % problem.InputDim * problem.Columns + i / problem.InputDim] = inputs.Weights[i];
        using var layer = LinearLayer.Create(problem with { Order = AttentionWeightOrder.InputOutput }, turned, []);
        ThreadTests.AssertSameBits(inputs.Run(), inputs.Run(layer));
    }

    /// <summary>The residual has no other place in the result than its own.</summary>
    [Theory, MemberData(nameof(Cases))]
    public void A_residual_in_place_has_the_bits_of_a_separate_one(Storage type, AttentionActivation activation)
    {
        var problem = new LinearProblem(type, 15, 45, 300) { Activation = activation, Bias = true, Residual = Residual.Separate };
        ThreadTests.AssertSameBits(new LinearInputs(problem).Run(), new LinearInputs(problem with { Residual = Residual.InPlace, MaxThreads = 2 }).Run());
    }
}
