namespace AttentionGen.CompilerServices;

/// <summary>The walks of a core: prefill, decode or both, each with its plan and its job.</summary>
internal unsafe struct ForwardWalks
{
    public PrefillPlan Prefill;

    public DecodePlan Decode;

    /// <summary>The jobs, which return the bytes of memory that a thread needs; null if the core lacks the walk.</summary>
    public delegate*<in ForwardArguments, nint> PrefillJob, DecodeJob;

    public readonly bool HasBoth => PrefillJob != null && DecodeJob != null;

    /// <summary>
    /// Whether decode runs a sequence. Packing keys does not pay for few rows. Where there are nearly as many queries as keys, prefill can skip more tiles
    /// under a causal mask.
    /// </summary>
    public readonly bool IsDecode(in ForwardShape shape, int queries, int keys)
    {
        if (!HasBoth) return PrefillJob == null;
        long rows = (long)queries * shape.Group;
        return rows <= Decode.MaxRows && (rows <= Decode.RowsAtOnce || keys / 4 >= queries);
    }
}
