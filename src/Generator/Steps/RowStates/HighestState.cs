using AttentionGen.Generator.Text;

namespace AttentionGen.Generator.Steps.RowStates;

/// <summary>The largest score of each row, and its key. It is kept beside the maximum that weights are relative to, which lags.</summary>
/// <param name="IsWritten">Whether the score is asked for.</param>
/// <param name="HasKey">Whether its key is kept: of equal scores the first.</param>
/// <param name="IsKeyWritten">Whether the key is asked for, too.</param>
internal sealed record HighestState(bool IsWritten, bool HasKey, bool IsKeyWritten) : RowState
{
    public override string Name => (IsWritten ? "_max" : "") + (IsKeyWritten ? "_argmax" : "");

    public override string Text => IsWritten && IsKeyWritten ? "largest score, argmax" : IsWritten ? "largest score" : IsKeyWritten ? "argmax" : "";

    public override (string[] Names, string Text) Numbers => (["Highest", "HighestKey"], "largest score and its key");

    public override bool NeedsKeys => HasKey;

    public override void Reset(SourceWriter w) => w.Line("At(ref state, Highest) = float.NegativeInfinity;");

    /// <summary>Whether a row may meet keys before those that it has met: zones of a mask do not rise.</summary>
    private bool KeysFall(RowContext context) => context.Visible.LowerMoves && HasKey;

    public override void Observe(SourceWriter w, RowContext context, string first)
    {
        using (w.Block($"if (rowHighest {(KeysFall(context) ? ">=" : ">")} At(ref state, Highest))"))
        {
            if (HasKey) Find(w, context, first);
            else w.Line("At(ref state, Highest) = rowHighest;");
        }

        w.Line();
    }

    private void Find(SourceWriter w, RowContext context, string first)
    {
        w.Line($"""
            int at = {first};
            while (at < bound && !Any({context.Vector}.Equals(Load(ref w, at), All(rowHighest)))) at += Lanes;
            while (at < bound && At(ref w, at) != rowHighest) at++;
            """);
        string isFirst = KeysFall(context) ? " && (rowHighest > At(ref state, Highest) || key + at < BitConverter.SingleToInt32Bits(At(ref state, HighestKey)))" : "";
        using (w.Block($"if (at < bound{isFirst}) // else all keys are hidden"))
        {
            w.Line("""
                At(ref state, Highest) = rowHighest;
                At(ref state, HighestKey) = BitConverter.Int32BitsToSingle(key + at);
                """);
        }
    }

    public override void Merge(SourceWriter w, RowContext context)
    {
        string isFirst = KeysFall(context) ? " || (At(ref other, Highest) == At(ref state, Highest) && BitConverter.SingleToInt32Bits(At(ref other, HighestKey)) < BitConverter.SingleToInt32Bits(At(ref state, HighestKey)))" : "";
        using (w.Block($"if (At(ref other, Highest) > At(ref state, Highest){isFirst})"))
        {
            w.Line("At(ref state, Highest) = At(ref other, Highest);");
            if (HasKey) w.Line("At(ref state, HighestKey) = At(ref other, HighestKey);");
        }
    }

    public override void Finish(SourceWriter w, RowContext context)
    {
        if (IsWritten) w.Line($"place.Floats(Role.MaxScore, 0, row, 0) = RowStatistics.MaxScore(sum, At(ref state, Highest), {ScalarText.Float(context.ScoreFactor)});");
        if (IsKeyWritten) w.Line("place.Ints(Role.ArgMax, 0, row, 0) = RowStatistics.ArgMax(sum, At(ref state, HighestKey), in place);");
    }
}
