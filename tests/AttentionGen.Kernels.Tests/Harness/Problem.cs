namespace AttentionGen.Kernels.Tests;

/// <summary>A call of a kernel: its declaration and the lengths.</summary>
public sealed record Problem(Declaration Declaration, int Queries, int Keys)
{
    public int Batch { get; init; } = 1;

    /// <summary>One for the call or one for each batch item, as the declaration says; null where it has none.</summary>
    public int[]? QueryStarts { get; init; }

    public int[]? KeyLengths { get; init; }

    public int MaxThreads { get; init; } = 1;

    public int QueryLength => Batch * Queries * Declaration.Heads * Declaration.HeadDim;

    public int KeyLength => Batch * Keys * Declaration.KeyValueHeads * Declaration.HeadDim;

    public int ValueLength => Batch * Keys * Declaration.KeyValueHeads * Declaration.ValueDim;

    public int OutputLength => Batch * Queries * Declaration.Heads * Declaration.ValueDim;

    /// <summary>The rows of all heads.</summary>
    public int Rows => Batch * Declaration.Heads * Queries;

    public Placement QueryPlace => Declaration.Place(Batch, Queries, Declaration.Heads, Declaration.HeadDim, Declaration.Strides.Query);

    public Placement KeyPlace => Declaration.Place(Batch, Keys, Declaration.KeyValueHeads, Declaration.HeadDim, Declaration.Strides.Key);

    public Placement ValuePlace => Declaration.Place(Batch, Keys, Declaration.KeyValueHeads, Declaration.ValueDim, Declaration.Strides.Value);

    public Placement OutputPlace => Declaration.Place(Batch, Queries, Declaration.Heads, Declaration.ValueDim, Declaration.Strides.Output);

    /// <summary>The elements of a tensor beside the scores.</summary>
    public int Length(AttentionAxes axes) => axes == 0 ? 0 : Batch * Declaration.Heads * Queries * Keys == 0 ? Index(axes, 0, 0, 0, 0) : Index(axes, Batch - 1, Declaration.Heads - 1, Queries - 1, Keys - 1) + 1;

    public int Index(AttentionAxes axes, int batch, int head, int query, int key)
    {
        int index = (axes & AttentionAxes.Batch) != 0 ? batch : 0;
        if ((axes & AttentionAxes.Head) != 0) index = index * Declaration.Heads + head;
        if ((axes & AttentionAxes.Query) != 0) index = index * Queries + query;
        return (axes & AttentionAxes.Key) != 0 ? index * Keys + key : index;
    }

    /// <summary>The number of keys that are not padding.</summary>
    public int Length(int batch) => KeyLengths is null ? Keys : KeyLengths[batch];

    /// <summary>The position of the first query: as given, else such that the last query sees the last key.</summary>
    public int Start(int batch) => QueryStarts switch
    {
        null => Length(batch) - Queries,
        [int one] => one,
        _ => QueryStarts[batch],
    };

    /// <summary>The keys that a query sees: the first, and the one behind the last.</summary>
    public (int First, int End) Visible(int batch, int query)
    {
        long position = (long)Start(batch) + query, end = Length(batch);
        if (Declaration.Mask == AttentionMask.Causal) end = Math.Min(end, position + 1);
        if (Declaration.Window.Right >= 0) end = Math.Min(end, position + Declaration.Window.Right + 1);
        end = Math.Max(end, 0);
        return (Declaration.Window.Left < 0 ? 0 : (int)Math.Clamp(position - Declaration.Window.Left, 0, end), (int)end);
    }

    /// <summary>Problems of equal text have equal inputs.</summary>
    public override string ToString()
    {
        string text = $"{Declaration} {(Declaration.Batched ? $"{Batch} x " : "")}{Queries} queries, {Keys} keys";
        if (QueryStarts is not null) text += $", start {string.Join(" ", QueryStarts)}";
        if (KeyLengths is not null) text += $", lengths {string.Join(" ", KeyLengths)}";
        return MaxThreads == 1 ? text : $"{text}, {MaxThreads} threads";
    }
}
