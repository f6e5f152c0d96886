namespace AttentionGen.CompilerServices;

/// <summary>Where the parts of a chunk lie in the memory of a thread: offsets and strides in floats. Products have the strides of <see cref="LinearPlan"/>.</summary>
internal readonly unsafe struct RecurrenceLayout
{
    /// <summary>
    /// The tokens of a chunk. Its products are 2 * headDim * valueDim for a token, and half of Rows * (headDim + valueDim) inside the chunk; a longer one has more of these, a shorter one passes over the
    /// state more often.
    /// </summary>
    public const int Rows = 64;

    /// <summary>Rows of a block whose mutual products are computed one by one where each element has a decay of its own.</summary>
    public const int BlockRows = 16;

    /// <summary>Rows of a block of the triangular system; a multiple of four.</summary>
    public const int SolvedRows = 12;

    private const int Pad = 16;

    public readonly LinearPlan Plan;

    /// <summary>Parts of the depth of a product over a key head, panels of keys and of values, and groups of columns of sums.</summary>
    public readonly int DepthBlocks, KeyPanels, ValuePanels, ValueGroups;

    /// <summary>Floats from row to row of what is not multiplied, and from panel to panel.</summary>
    public readonly int KeyRow, ValueRow;
    public readonly nint KeyPanel, ValuePanel, StatePanel;

    public readonly nint KeyRows, QueryRows, Factors, Advanced, Left, Keys, Across, Values, StateSums, StatePanels, OwnStates, OwnNormalizers, Scores, Weights, Mixing, Sums, Solved, Decays, Vectors, Floats;

    /// <summary>The key-value heads of a unit.</summary>
    public readonly int UnitHeads;

    public RecurrenceLayout(in RecurrenceArguments call, in LinearPlan plan, int unitHeads)
    {
        (Plan, UnitHeads) = (plan, unitHeads);
        int panel = plan.PanelColumns, depth = Up(call.HeadDim, 8);
        (DepthBlocks, KeyPanels, ValuePanels) = (Parts(call.HeadDim, plan.BlockDepth), Parts(Rows, panel), Parts(call.ValueDim, panel));
        ValueGroups = Parts(call.ValueDim, plan.GroupColumns);
        (KeyRow, ValueRow) = (Up(call.HeadDim, Pad), Up(call.ValueDim, Pad));
        (KeyPanel, StatePanel, ValuePanel) = ((nint)depth * panel, (nint)depth * panel, (nint)Rows * panel);
        nint next = 0;
        KeyRows = Take(ref next, Rows * KeyRow);
        QueryRows = Take(ref next, Rows * KeyRow);
        Factors = Take(ref next, Rows * (call.DecaysElements ? KeyRow : 1));
        Advanced = Take(ref next, call.DecaysElements ? BlockRows * KeyRow : 0);
        Left = Take(ref next, (nint)DepthBlocks * Rows * plan.InputRow);
        Keys = Take(ref next, KeyPanels * KeyPanel);
        Across = Take(ref next, (nint)call.HeadDim * plan.InputRow);
        Values = Take(ref next, ValuePanels * ValuePanel);
        StateSums = Take(ref next, (nint)ValueGroups * call.HeadDim * plan.SumRow);
        StatePanels = Take(ref next, ValuePanels * StatePanel);
        OwnStates = Take(ref next, call.State == null && unitHeads > 1 ? (nint)unitHeads * call.HeadDim * call.ValueDim : 0);
        OwnNormalizers = Take(ref next, call.Normalizes && call.Normalizer == null ? unitHeads * KeyRow : 0);
        Scores = Take(ref next, (nint)Rows * plan.SumRow);
        Weights = Take(ref next, (nint)Rows * plan.InputRow);
        Mixing = Take(ref next, call.Corrects ? (nint)Rows * plan.InputRow : 0);
        Sums = Take(ref next, (nint)ValueGroups * Rows * plan.SumRow);
        Solved = Take(ref next, call.Corrects ? (nint)ValueGroups * Rows * plan.SumRow : 0);
        Decays = Take(ref next, call.Decays ? Rows * (Rows + Pad) : 0);
        Vectors = Take(ref next, VectorCount * Math.Max(Math.Max(KeyRow, ValueRow), Rows + Pad));
        Floats = next;
    }

    /// <summary>Rows of the decays between two tokens of a chunk.</summary>
    public const int DecayRow = Rows + Pad;

    /// <summary>Vectors for what has one number for an element of a head or for a token.</summary>
    public const int VectorCount = 8;

    public int VectorRow => Math.Max(Math.Max(KeyRow, ValueRow), Rows + Pad);

    public static int Parts(int length, int part) => (length + part - 1) / part;

    public static int Up(int length, int step) => (length + step - 1) / step * step;

    private static nint Take(ref nint next, nint floats)
    {
        nint taken = next;
        next += (floats + Pad - 1) / Pad * Pad + Pad;
        return taken;
    }
}
