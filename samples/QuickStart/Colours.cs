namespace QuickStart;

/// <summary>Weights as 24-bit terminal colours: viridis, which gets lighter steadily and is told apart by colour-blind eyes.</summary>
internal static class Colours
{
    public const string Reset = "\e[0m";

    private static readonly (float Red, float Green, float Blue)[] s_viridis =
        [(68, 1, 84), (59, 82, 139), (33, 145, 140), (94, 201, 98), (253, 231, 37)];

    /// <summary>The escape codes for a background, and for a foreground that can be read on it.</summary>
    public static string Of(float weight)
    {
        // The square root, as most weights are small: an even share of 13 keys is 8 %.
        float place = MathF.Sqrt(float.MinNumber(float.MaxNumber(weight, 0), 1)) * (s_viridis.Length - 1);
        int below = Math.Min((int)place, s_viridis.Length - 2);
        var (r0, g0, b0) = s_viridis[below];
        var (r1, g1, b1) = s_viridis[below + 1];
        float red = float.Lerp(r0, r1, place - below), green = float.Lerp(g0, g1, place - below), blue = float.Lerp(b0, b1, place - below);

        // Black and white read equally well at a luminance of 0.18; squares are close enough to sRGB's curve.
        float luminance = (0.2126f * red * red + 0.7152f * green * green + 0.0722f * blue * blue) / (255 * 255);
        string foreground = luminance > 0.18f ? "0;0;0" : "255;255;255";
        return $"\e[48;2;{red:0};{green:0};{blue:0}m\e[38;2;{foreground}m";
    }
}
