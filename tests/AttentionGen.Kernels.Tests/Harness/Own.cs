using System.Collections.Concurrent;
using System.Reflection;

namespace AttentionGen.Kernels.Tests;

/// <summary>The user's own mask and score of declarations, as the compiler made them: what kernels are held against.</summary>
public static class Own
{
    /// <summary>What every call gives for `width` and `slope`.</summary>
    public const int Width = 9;

    public const float Slope = 0.25f;

    /// <summary>The length of the spans: more than there are positions in any call that indexes by them.</summary>
    public const int Length = 600;

    /// <summary>What every call gives for `table`, in [-2, 2], and for `segment`: documents of 23 positions, in a few kinds.</summary>
    public static readonly float[] Table = [.. Enumerable.Range(0, Length).Select(i => (float)(2 * Math.Sin(i * i)))];

    public static readonly int[] Segment = [.. Enumerable.Range(0, Length).Select(i => i / 23 * 7 % 5)];

    private static readonly ConcurrentDictionary<(string, string), (Func<int, int, int, int, bool>, Func<float, int, int, int, int, float>, Func<Traced, int, int, int, int, Traced>)> s_known = new();

    public static (Func<int, int, int, int, bool> Visible, Func<float, int, int, int, int, float> Score, Func<Traced, int, int, int, int, Traced> Traced) Of(Declaration declaration)
    {
        return s_known.TryGetValue((declaration.MaskText, declaration.ScoreText), out var own) ? own : throw new InvalidOperationException($"{declaration} is not compiled.");
    }

    internal static void Add(Declaration declaration, Type type)
    {
        object? Made(string name) => type.GetMethod(name, BindingFlags.Static | BindingFlags.Public)?.Invoke(null, null);
        s_known[(declaration.MaskText, declaration.ScoreText)] = (
            (Func<int, int, int, int, bool>?)Made($"OwnMask_{declaration}") ?? ((_, _, _, _) => true),
            (Func<float, int, int, int, int, float>?)Made($"OwnScore_{declaration}") ?? ((score, _, _, _, _) => score),
            (Func<Traced, int, int, int, int, Traced>?)Made($"OwnTraced_{declaration}") ?? ((score, _, _, _, _) => score));
    }
}
