using Xunit;

namespace AttentionGen.Kernels.Tests;

/// <summary>NaN, infinity, huge and tiny numbers: they stay in their row and in their column.</summary>
public class LinearValueTests
{
    private static readonly (int Rows, int Depth, int Columns)[] s_shapes = [(1, 5, 40), (3, 70, 33), (5, 195, 9), (14, 61, 70), (26, 258, 17)];

    public static MatrixTheoryData<Storage, float> NonFinite => new(LinearProblem.Types, [float.NaN, float.PositiveInfinity, float.NegativeInfinity]);

    [Theory, MemberData(nameof(NonFinite))]
    public void What_is_not_finite_in_a_row_stays_in_it(Storage type, float value)
    {
        foreach (var (rows, depth, columns) in s_shapes)
        {
            var inputs = new LinearInputs(new(type, rows, depth, columns) { Bias = true, Activation = rows == 3 ? AttentionActivation.SiluGate : AttentionActivation.None });
            using var layer = inputs.Create();
            float[] clean = inputs.Run(layer);
            foreach (int row in new[] { 0, rows / 2, rows - 1 })
                foreach (int place in new[] { 0, depth / 2, depth - 1 })
                {
                    float before = inputs.Input[row * depth + place];
                    inputs.Input[row * depth + place] = value;
                    float[] actual = inputs.Run(layer);
                    inputs.Input[row * depth + place] = before;
                    Assert.All(actual.Skip(row * columns).Take(columns), x => Assert.True(float.IsNaN(value) ? float.IsNaN(x) : !float.IsFinite(x) || inputs.Problem.Activation != AttentionActivation.None));
                    clean.AsSpan(row * columns, columns).CopyTo(actual.AsSpan(row * columns));
                    ThreadTests.AssertSameBits(clean, actual);
                }
        }
    }

    /// <summary>With float and BFloat16 only the weight itself, with sbyte all weights of the column.</summary>
    [Theory, MemberData(nameof(NonFinite))]
    public void What_is_not_finite_in_a_column_of_weights_stays_in_it(Storage type, float value)
    {
        foreach (var (rows, depth, columns) in s_shapes)
        {
            var problem = new LinearProblem(type, rows, depth, columns) { Bias = true, Residual = Residual.Separate };
            float[] clean = new LinearInputs(problem).Run();
            foreach (int column in new[] { 0, columns / 2, columns - 1 })
                foreach (int place in new[] { 0, depth / 2, depth - 1 })
                {
                    var inputs = new LinearInputs(problem);
                    inputs.Weights[column * depth + place] = value;
                    float[] actual = inputs.Run();
                    for (int row = 0; row < rows; row++)
                    {
                        int index = row * columns + column;
                        Assert.True(float.IsNaN(value) || type == Storage.SByte ? float.IsNaN(actual[index]) : !float.IsFinite(actual[index]), $"{problem}: {actual[index]}");
                        actual[index] = clean[index];
                    }

                    ThreadTests.AssertSameBits(clean, actual);
                }
        }
    }

    /// <summary>Numbers near the ends of the range of floats, whose sums are finite.</summary>
    [Theory]
    [InlineData(1e30f, 1e6f)]
    [InlineData(1e-3f, 1e38f)]
    [InlineData(1e-20f, 1e-10f)]
    [InlineData(1e-30f, 1e-30f)]
    [InlineData(1e-42f, 1e30f)]
    public void Huge_and_tiny_numbers(float input, float weight)
    {
        foreach (var type in LinearProblem.Types)
            foreach (var (rows, depth, columns) in s_shapes)
            {
                // Weights below the normal floats lose digits where they are stored as integers: the scale has few.
                var inputs = new LinearInputs(new(type, rows, depth, columns));
                for (int i = 0; i < inputs.Input.Length; i++) inputs.Input[i] *= input / 2;
                for (int i = 0; i < inputs.Weights.Length; i++) inputs.Weights[i] *= weight / 3;
                using var layer = inputs.Create();
                LinearBound.Check(inputs, layer, inputs.Run(layer));
            }
    }

    /// <summary>Sums beyond the largest float are infinite, in any partial sum.</summary>
    [Fact]
    public void A_sum_beyond_all_floats_is_infinite()
    {
        foreach (var type in LinearProblem.Types)
            foreach (int rows in new[] { 1, 5, 13 })
            {
                var inputs = new LinearInputs(new(type, rows, 400, 3));
                inputs.Input.AsSpan().Fill(float.MaxValue);
                inputs.Weights.AsSpan(0, 400).Fill(1);
                inputs.Weights.AsSpan(400, 400).Fill(-1);
                inputs.Weights.AsSpan(800, 400).Clear();
                float[] actual = inputs.Run();
                for (int row = 0; row < rows; row++) Assert.Equal([float.PositiveInfinity, float.NegativeInfinity, 0], actual.AsSpan(3 * row, 3));
            }
    }

    [Fact]
    public void Zeros_are_zeros()
    {
        foreach (var type in LinearProblem.Types)
            foreach (int rows in new[] { 1, 5, 13 })
            {
                var inputs = new LinearInputs(new(type, rows, 10, 20) { Bias = true });
                inputs.Weights.AsSpan().Clear();
                float[] actual = inputs.Run();
                for (int row = 0; row < rows; row++) Assert.Equal(inputs.Bias, actual.AsSpan(20 * row, 20));
            }
    }

    public static TheoryData<Storage> Types => [.. LinearProblem.Types];

    [Theory, MemberData(nameof(Types))]
    public void No_rows_are_a_call_that_does_nothing(Storage type)
    {
        var inputs = new LinearInputs(new(type, 0, 10, 20) { Bias = true, Activation = AttentionActivation.SiluGate });
        using var layer = inputs.Create();
        layer.Apply([], []);
        layer.Apply([], [], [], 0);
        Assert.Empty(inputs.Run(layer));
    }
}
