namespace AttentionGen.CompilerServices;

/// <summary>What a core has code for: prefill, decode or both, each with its plan and its job.</summary>
internal unsafe struct ForwardWalks
{
    public PrefillPlan Prefill;

    public DecodePlan Decode;

    /// <summary>The jobs, which return the bytes of memory that a thread needs; null where the core has no code for the walk.</summary>
    public delegate*<in ForwardArguments, nint> PrefillJob, DecodeJob;

    public readonly bool HasBoth => PrefillJob != null && DecodeJob != null;

    /// <summary>
    /// Whether decode runs a sequence: packing keys does not pay for few rows. Between as many queries as keys, or nearly, a causal mask lets prefill leave out more of its tiles.
    /// </summary>
    public readonly bool IsDecode(in ForwardShape shape, int queries, int keys)
    {
        if (!HasBoth) return PrefillJob == null;
        long rows = (long)queries * shape.Group;
        return rows <= Decode.MaxRows && (rows <= Decode.RowsAtOnce || keys / 4 >= queries);
    }
}
