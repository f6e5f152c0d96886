namespace AttentionGen.CompilerServices;

/// <summary>
/// The walks of a core: prefill, decode or both. What runs them gets them as data, because code that is generic over the core would be compiled again for
/// each core, in each process.
/// </summary>
internal unsafe struct ForwardWalks
{
    public PrefillWalk Prefill;

    public DecodeWalk Decode;

    public readonly bool HasBoth => Prefill.Exists && Decode.Exists;

    /// <summary>
    /// Whether decode runs a sequence. Packing keys does not pay for few rows. Where there are nearly as many queries as keys, prefill can skip more tiles
    /// under a causal mask. The tiles of prefill have queries of one head, so that a few queries of a large group would leave most of a tile empty.
    /// </summary>
    public readonly bool IsDecode(in ForwardShape shape, int queries, int keys)
    {
        if (!HasBoth) return !Prefill.Exists;
        long rows = (long)queries * shape.Group;
        return (rows <= Decode.Plan.MaxRows || 2 * queries <= Prefill.Plan.TileRows) && (rows <= Decode.Plan.RowsAtOnce || keys / 4 >= queries);
    }
}

/// <summary>The plan and the methods of a core for prefill: see <see cref="IPrefillCore"/>.</summary>
internal unsafe struct PrefillWalk
{
    public PrefillPlan Plan;

    public delegate*<in KeysToPack, bool> Pack;

    public delegate*<in PrefillBlock, void> Prefill;

    /// <summary>Whether the core has the walk.</summary>
    public readonly bool Exists => Prefill != null;

    public static PrefillWalk Of<TCore>()
        where TCore : struct, IPrefillCore => new() { Plan = TCore.PrefillPlan, Pack = &TCore.Pack, Prefill = &TCore.Prefill };
}

/// <summary>The plan and the methods of a core for decode: see <see cref="IDecodeCore"/>.</summary>
internal unsafe struct DecodeWalk
{
    public DecodePlan Plan;

    public delegate*<in DecodeBlock, void> Decode;

    public delegate*<ref float, ref float, int, void> Merge;

    public delegate*<ref float, in TokenRows, int, in ForwardPlace, void> Finish;

    /// <summary>Whether the core has the walk.</summary>
    public readonly bool Exists => Decode != null;

    public static DecodeWalk Of<TCore>()
        where TCore : struct, IDecodeCore => new() { Plan = TCore.DecodePlan, Decode = &TCore.Decode, Merge = &TCore.Merge, Finish = &TCore.Finish };
}
