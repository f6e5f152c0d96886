using AttentionGen.Benchmarks.Contenders;
using AttentionGen.Benchmarks.Shapes;

namespace AttentionGen.Benchmarks.Compare;

/// <summary>A <see cref="FamilyRow"/> with its inputs: who competes, and some rows in double precision.</summary>
/// <param name="shape">The shape.</param>
/// <param name="reads">Memory as large as what it reads.</param>
/// <param name="entrants">The contenders for a number of threads.</param>
/// <param name="expected">Rows of the output, by their index among all rows of all heads, where each contender has them.</param>
internal sealed class FamilyProblem(
    Shape shape, IReadOnlyList<(nint Address, nint Bytes)> reads, Func<int, List<Contender>> entrants, IReadOnlyList<(int Row, double[] Numbers)> expected) : Problem(shape)
{
    public override IReadOnlyList<(nint Address, nint Bytes)> Reads => reads;

    public override double Error(Contender contender)
    {
        double error = 0;
        foreach (var (row, numbers) in expected)
        {
            var actual = contender.OutputRow(0, row, 0);
            for (int d = 0; d < numbers.Length; d++) error = Math.Max(error, Math.Abs(actual[d] - numbers[d]));
        }

        return error;
    }

    public override List<Contender> EntrantsOf(int threads, ICollection<string> notes) => entrants(threads);

    public override Contender? Beside(int threads) => null;
}
