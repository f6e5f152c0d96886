using System.Collections.Concurrent;

namespace AttentionGen.Kernels.Tests;

/// <summary>The tables of rotary positions that calls get: as many positions as they need, and no more.</summary>
internal static class RotaryTables
{
    private static readonly ConcurrentDictionary<(int Dim, int Positions), RotaryTable> s_tables = new();

    /// <summary>The table of a call. Its factor of attention is not 1, so that a factor that is left out shows.</summary>
    public static RotaryTable For(Problem problem) => Of(problem.Declaration.RotaryDim, PositionsOf(problem));

    public static RotaryTable Of(int dim, int positions) => s_tables.GetOrAdd((dim, positions), static key => new(key.Dim, key.Positions, 1000, RotaryScaling.Yarn(factor: 2, originalLength: 100, attentionFactor: 1.125)));

    /// <summary>The position after the last of all queries and keys, and at least one.</summary>
    private static int PositionsOf(Problem problem)
    {
        long end = Math.Max(problem.Keys, 1);
        for (int b = 0; b < problem.Batch; b++)
            for (int i = 0; i < problem.Queries; i++) end = Math.Max(end, problem.Position(b, i) + 1);
        return checked((int)end);
    }

    /// <summary>Rotates a row in single precision, in plain loops.</summary>
    public static void Rotate(Span<float> row, Declaration declaration, RotaryTable? table, long position)
    {
        if (declaration.Rotary == AttentionRotary.None || position < 0) return;
        ReadOnlySpan<float> cos = table!.Cos((int)position), sin = table.Sin((int)position);
        for (int i = 0; i < cos.Length; i++)
        {
            var (x, y) = PairOf(declaration, i);
            (row[x], row[y]) = (row[x] * cos[i] - row[y] * sin[i], row[x] * sin[i] + row[y] * cos[i]);
        }
    }

    /// <summary>The elements of a pair.</summary>
    public static (int X, int Y) PairOf(Declaration declaration, int pair) => declaration.Rotary == AttentionRotary.Halves
        ? (declaration.Rotated.Start + pair, declaration.Rotated.Start + pair + declaration.RotaryDim / 2)
        : (declaration.Rotated.Start + 2 * pair, declaration.Rotated.Start + 2 * pair + 1);
}
