using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.Arm;
using System.Runtime.Intrinsics.X86;
using AttentionGen.Benchmarks.Compare;

namespace AttentionGen.Benchmarks.Machine;

/// <summary>
/// What a percentage is of: independent multiply-adds in registers, as many as the processor takes, in the widest vectors that this process
/// uses.
/// </summary>
/// <remarks>
/// The loops are never inlined, as a caller with other vectors alive would spill theirs, and compiled with full optimisation at once. A Debug
/// build would halve them all the same, and with them every percentage would look fine: such a build is refused before.
/// </remarks>
internal sealed class FmaPeak : Timed
{
    // About half a millisecond.
    private const int Steps = 200_000;

    // 12 chains hide a latency of 4 cycles at two a cycle and fit 16 registers; 24 a latency of 4 at four a cycle.
    private static readonly Loop[] s_loops =
        Vector512.IsHardwareAccelerated ? [new(Chains12Of512, 12 * 16), new(Chains24Of512, 24 * 16), new(Chains12Of256, 12 * 8)]
        : Fma.IsSupported ? [new(Chains12Of256, 12 * 8)]
        : [new(Chains12Of128, 12 * 4), new(Chains24Of128, 24 * 4)];

    private static volatile float s_sink;

    private readonly Team _team;
    private readonly Loop _loop;

    private FmaPeak(Team team, Loop loop) => (_team, _loop) = (team, loop);

    /// <summary>Of a run.</summary>
    public double Flops => 2.0 * Steps * _loop.Lanes * _team.Size;

    /// <summary>A loop for each way that may be the fastest here.</summary>
    public static IReadOnlyList<FmaPeak> Ways(Team team) => [.. s_loops.Select(loop => new FmaPeak(team, loop))];

    public override void Enter() => _team.Wake();

    public override void Leave() => _team.Rest();

    public override void Run() => _team.Run(_loop.Work);

    /// <param name="Body">Makes as many steps as it is told.</param>
    /// <param name="Lanes">Multiply-adds of a step.</param>
    private sealed record Loop(Func<int, float> Body, int Lanes)
    {
        public Action<int> Work { get; } = _ => s_sink = Body(Steps);
    }

    // x = x * 0.99 + 0.01 stays a normal number however long it goes on.

    [MethodImpl(MethodImplOptions.AggressiveOptimization | MethodImplOptions.NoInlining)]
    private static float Chains12Of512(int steps)
    {
        Vector512<float> f = Vector512.Create(0.99f), c = Vector512.Create(0.01f);
        Vector512<float> x0 = c, x1 = c, x2 = c, x3 = c, x4 = c, x5 = c, x6 = c, x7 = c, x8 = c, x9 = c, x10 = c, x11 = c;
        for (int i = 0; i < steps; i++)
        {
            x0 = Vector512.FusedMultiplyAdd(x0, f, c);
            x1 = Vector512.FusedMultiplyAdd(x1, f, c);
            x2 = Vector512.FusedMultiplyAdd(x2, f, c);
            x3 = Vector512.FusedMultiplyAdd(x3, f, c);
            x4 = Vector512.FusedMultiplyAdd(x4, f, c);
            x5 = Vector512.FusedMultiplyAdd(x5, f, c);
            x6 = Vector512.FusedMultiplyAdd(x6, f, c);
            x7 = Vector512.FusedMultiplyAdd(x7, f, c);
            x8 = Vector512.FusedMultiplyAdd(x8, f, c);
            x9 = Vector512.FusedMultiplyAdd(x9, f, c);
            x10 = Vector512.FusedMultiplyAdd(x10, f, c);
            x11 = Vector512.FusedMultiplyAdd(x11, f, c);
        }

        return Vector512.Sum(x0 + x1 + x2 + x3 + x4 + x5 + x6 + x7 + x8 + x9 + x10 + x11);
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization | MethodImplOptions.NoInlining)]
    private static float Chains24Of512(int steps)
    {
        Vector512<float> f = Vector512.Create(0.99f), c = Vector512.Create(0.01f);
        Vector512<float> x0 = c, x1 = c, x2 = c, x3 = c, x4 = c, x5 = c, x6 = c, x7 = c, x8 = c, x9 = c, x10 = c, x11 = c;
        Vector512<float> y0 = c, y1 = c, y2 = c, y3 = c, y4 = c, y5 = c, y6 = c, y7 = c, y8 = c, y9 = c, y10 = c, y11 = c;
        for (int i = 0; i < steps; i++)
        {
            x0 = Vector512.FusedMultiplyAdd(x0, f, c);
            x1 = Vector512.FusedMultiplyAdd(x1, f, c);
            x2 = Vector512.FusedMultiplyAdd(x2, f, c);
            x3 = Vector512.FusedMultiplyAdd(x3, f, c);
            x4 = Vector512.FusedMultiplyAdd(x4, f, c);
            x5 = Vector512.FusedMultiplyAdd(x5, f, c);
            x6 = Vector512.FusedMultiplyAdd(x6, f, c);
            x7 = Vector512.FusedMultiplyAdd(x7, f, c);
            x8 = Vector512.FusedMultiplyAdd(x8, f, c);
            x9 = Vector512.FusedMultiplyAdd(x9, f, c);
            x10 = Vector512.FusedMultiplyAdd(x10, f, c);
            x11 = Vector512.FusedMultiplyAdd(x11, f, c);
            y0 = Vector512.FusedMultiplyAdd(y0, f, c);
            y1 = Vector512.FusedMultiplyAdd(y1, f, c);
            y2 = Vector512.FusedMultiplyAdd(y2, f, c);
            y3 = Vector512.FusedMultiplyAdd(y3, f, c);
            y4 = Vector512.FusedMultiplyAdd(y4, f, c);
            y5 = Vector512.FusedMultiplyAdd(y5, f, c);
            y6 = Vector512.FusedMultiplyAdd(y6, f, c);
            y7 = Vector512.FusedMultiplyAdd(y7, f, c);
            y8 = Vector512.FusedMultiplyAdd(y8, f, c);
            y9 = Vector512.FusedMultiplyAdd(y9, f, c);
            y10 = Vector512.FusedMultiplyAdd(y10, f, c);
            y11 = Vector512.FusedMultiplyAdd(y11, f, c);
        }

        return Vector512.Sum(x0 + x1 + x2 + x3 + x4 + x5 + x6 + x7 + x8 + x9 + x10 + x11 + y0 + y1 + y2 + y3 + y4 + y5 + y6 + y7 + y8 + y9 + y10 + y11);
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization | MethodImplOptions.NoInlining)]
    private static float Chains12Of256(int steps)
    {
        Vector256<float> f = Vector256.Create(0.99f), c = Vector256.Create(0.01f);
        Vector256<float> x0 = c, x1 = c, x2 = c, x3 = c, x4 = c, x5 = c, x6 = c, x7 = c, x8 = c, x9 = c, x10 = c, x11 = c;
        for (int i = 0; i < steps; i++)
        {
            x0 = Vector256.FusedMultiplyAdd(x0, f, c);
            x1 = Vector256.FusedMultiplyAdd(x1, f, c);
            x2 = Vector256.FusedMultiplyAdd(x2, f, c);
            x3 = Vector256.FusedMultiplyAdd(x3, f, c);
            x4 = Vector256.FusedMultiplyAdd(x4, f, c);
            x5 = Vector256.FusedMultiplyAdd(x5, f, c);
            x6 = Vector256.FusedMultiplyAdd(x6, f, c);
            x7 = Vector256.FusedMultiplyAdd(x7, f, c);
            x8 = Vector256.FusedMultiplyAdd(x8, f, c);
            x9 = Vector256.FusedMultiplyAdd(x9, f, c);
            x10 = Vector256.FusedMultiplyAdd(x10, f, c);
            x11 = Vector256.FusedMultiplyAdd(x11, f, c);
        }

        return Vector256.Sum(x0 + x1 + x2 + x3 + x4 + x5 + x6 + x7 + x8 + x9 + x10 + x11);
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization | MethodImplOptions.NoInlining)]
    private static float Chains12Of128(int steps)
    {
        Vector128<float> f = Vector128.Create(0.99f), c = Vector128.Create(0.01f);
        Vector128<float> x0 = c, x1 = c, x2 = c, x3 = c, x4 = c, x5 = c, x6 = c, x7 = c, x8 = c, x9 = c, x10 = c, x11 = c;
        for (int i = 0; i < steps; i++)
        {
            x0 = MultiplyAdd(x0, f, c);
            x1 = MultiplyAdd(x1, f, c);
            x2 = MultiplyAdd(x2, f, c);
            x3 = MultiplyAdd(x3, f, c);
            x4 = MultiplyAdd(x4, f, c);
            x5 = MultiplyAdd(x5, f, c);
            x6 = MultiplyAdd(x6, f, c);
            x7 = MultiplyAdd(x7, f, c);
            x8 = MultiplyAdd(x8, f, c);
            x9 = MultiplyAdd(x9, f, c);
            x10 = MultiplyAdd(x10, f, c);
            x11 = MultiplyAdd(x11, f, c);
        }

        return Vector128.Sum(x0 + x1 + x2 + x3 + x4 + x5 + x6 + x7 + x8 + x9 + x10 + x11);
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization | MethodImplOptions.NoInlining)]
    private static float Chains24Of128(int steps)
    {
        Vector128<float> f = Vector128.Create(0.99f), c = Vector128.Create(0.01f);
        Vector128<float> x0 = c, x1 = c, x2 = c, x3 = c, x4 = c, x5 = c, x6 = c, x7 = c, x8 = c, x9 = c, x10 = c, x11 = c;
        Vector128<float> y0 = c, y1 = c, y2 = c, y3 = c, y4 = c, y5 = c, y6 = c, y7 = c, y8 = c, y9 = c, y10 = c, y11 = c;
        for (int i = 0; i < steps; i++)
        {
            x0 = MultiplyAdd(x0, f, c);
            x1 = MultiplyAdd(x1, f, c);
            x2 = MultiplyAdd(x2, f, c);
            x3 = MultiplyAdd(x3, f, c);
            x4 = MultiplyAdd(x4, f, c);
            x5 = MultiplyAdd(x5, f, c);
            x6 = MultiplyAdd(x6, f, c);
            x7 = MultiplyAdd(x7, f, c);
            x8 = MultiplyAdd(x8, f, c);
            x9 = MultiplyAdd(x9, f, c);
            x10 = MultiplyAdd(x10, f, c);
            x11 = MultiplyAdd(x11, f, c);
            y0 = MultiplyAdd(y0, f, c);
            y1 = MultiplyAdd(y1, f, c);
            y2 = MultiplyAdd(y2, f, c);
            y3 = MultiplyAdd(y3, f, c);
            y4 = MultiplyAdd(y4, f, c);
            y5 = MultiplyAdd(y5, f, c);
            y6 = MultiplyAdd(y6, f, c);
            y7 = MultiplyAdd(y7, f, c);
            y8 = MultiplyAdd(y8, f, c);
            y9 = MultiplyAdd(y9, f, c);
            y10 = MultiplyAdd(y10, f, c);
            y11 = MultiplyAdd(y11, f, c);
        }

        return Vector128.Sum(x0 + x1 + x2 + x3 + x4 + x5 + x6 + x7 + x8 + x9 + x10 + x11 + y0 + y1 + y2 + y3 + y4 + y5 + y6 + y7 + y8 + y9 + y10 + y11);
    }

    // Without an instruction for it, FusedMultiplyAdd would be computed in software.
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector128<float> MultiplyAdd(Vector128<float> x, Vector128<float> f, Vector128<float> c) =>
        AdvSimd.IsSupported || Fma.IsSupported ? Vector128.FusedMultiplyAdd(x, f, c) : Vector128.MultiplyAddEstimate(x, f, c);
}
