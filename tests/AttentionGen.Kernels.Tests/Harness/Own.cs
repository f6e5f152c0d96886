using System.Collections.Concurrent;
using System.Reflection;

namespace AttentionGen.Kernels.Tests;

/// <summary>The user's own mask and score of declarations, as the compiler made them: what kernels are held against.</summary>
public static class Own
{
    /// <summary>What every call gives for `width` and `slope`.</summary>
    public const int Width = 9;

    public const float Slope = 0.25f;

    private static readonly ConcurrentDictionary<Declaration, (Func<int, int, int, int, bool>, Func<float, int, int, int, int, float>)> s_known = new();

    public static (Func<int, int, int, int, bool> Visible, Func<float, int, int, int, int, float> Score) Of(Declaration declaration)
    {
        return s_known.TryGetValue(declaration, out var own) ? own : throw new InvalidOperationException($"{declaration} is not compiled.");
    }

    internal static void Add(Declaration declaration, Type type)
    {
        object? Made(string name) => type.GetMethod(name, BindingFlags.Static | BindingFlags.Public)?.Invoke(null, null);
        s_known[declaration] = (
            (Func<int, int, int, int, bool>?)Made($"OwnMask_{declaration}") ?? ((_, _, _, _) => true),
            (Func<float, int, int, int, int, float>?)Made($"OwnScore_{declaration}") ?? ((score, _, _, _, _) => score));
    }
}
