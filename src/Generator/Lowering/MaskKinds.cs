using AttentionGen.Generator.Model;

namespace AttentionGen.Generator.Lowering;

/// <summary>The masks of the attribute as windows, one row for each kind.</summary>
internal static class MaskKinds
{
    /// <summary>The number of keys that a query sees before its position and after it; null for all.</summary>
    public static (int? Left, int? Right) Window(Mask mask) => mask switch
    {
        Mask.Causal => (null, 0),
        _ => (null, null),
    };
}
