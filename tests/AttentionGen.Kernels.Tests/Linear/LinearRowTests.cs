using Xunit;

namespace AttentionGen.Kernels.Tests;

/// <summary>A row of the output depends on its input row alone: not on the rows beside it, nor on threads, nor on other calls.</summary>
public class LinearRowTests
{
    public static MatrixTheoryData<Storage, AttentionActivation> Cases => new(LinearProblem.Types, [AttentionActivation.None, AttentionActivation.Gelu, AttentionActivation.SiluGate]);

    [Theory, MemberData(nameof(Cases))]
    public void A_row_alone_has_the_bits_of_the_row_in_any_batch(Storage type, AttentionActivation activation)
    {
        foreach (var (depth, columns) in new[] { (517, 70), (193, 290), (30, 5) })
        {
            var inputs = new LinearInputs(new(type, 203, depth, columns) { Activation = activation, Bias = true, Residual = Residual.Separate });
            using var layer = inputs.Create();
            float[] alone = [.. Enumerable.Range(0, inputs.Problem.Rows).SelectMany(row => inputs.Run(layer, row, 1))];
            void Check(int first, int rows) => ThreadTests.AssertSameBits(alone.AsSpan(first * columns, rows * columns), inputs.Run(layer, first, rows));
            for (int rows = 2; rows <= 30; rows++) Check(rows, rows);
            foreach (int rows in new[] { 96, 97, 101, 192, 194, 203 }) Check(0, rows);
        }
    }

    public static MatrixTheoryData<Storage, int> Threaded => new(LinearProblem.Types, [1, 2, 5, 40, 300]);

    [Theory, MemberData(nameof(Threaded))]
    public void Any_number_of_threads_gives_the_same_bits(Storage type, int rows)
    {
        // 2.4 MB of weights in the narrowest type, more than a thread takes for itself.
        var inputs = new LinearInputs(new(type, rows, 1100, 1111) { Activation = AttentionActivation.SiluGate, Bias = true, Residual = Residual.Separate });
        using var layer = inputs.Create();
        float[] expected = inputs.Run(layer), output = new float[expected.Length];
        foreach (int threads in new[] { 2, 3, 4, 5, 6, 7, 8, 100, 0 })
        {
            output.AsSpan().Fill(float.NaN);
            layer.Apply(inputs.Input, output, inputs.Residual, threads);
            ThreadTests.AssertSameBits(expected, output);
        }
    }

    [Fact]
    public void Sixteen_threads_call_one_layer_with_different_rows()
    {
        var inputs = new LinearInputs(new(Storage.BFloat16, 16 * 9, 300, 700) { Bias = true });
        using var layer = inputs.Create();
        float[][] expected = [.. Enumerable.Range(0, 16).Select(i => inputs.Run(layer, 9 * i, 1 + i % 9))];
        var failures = new List<Exception>();
        var threads = expected.Select((wanted, i) => new Thread(() =>
        {
            try
            {
                float[] output = new float[wanted.Length];
                for (int n = 0; n < 25; n++)
                {
                    layer.Apply(inputs.Input.AsSpan(9 * i * 300, (1 + i % 9) * 300), output, maxThreads: 1 + i % 4);
                    ThreadTests.AssertSameBits(wanted, output);
                }
            }
            catch (Exception e)
            {
                lock (failures) failures.Add(e);
            }
        })).ToList();
        threads.ForEach(thread => thread.Start());
        threads.ForEach(thread => thread.Join());
        Assert.Empty(failures);
    }
}
