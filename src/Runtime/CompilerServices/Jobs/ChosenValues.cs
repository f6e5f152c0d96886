namespace AttentionGen.CompilerServices;

/// <summary>The end of rows that choose a key: their outputs are copies of values, which a core does not read.</summary>
internal static unsafe class ChosenValues
{
    /// <summary>Writes the output rows of a head, where the core's rows choose a key.</summary>
    /// <param name="call">The call.</param>
    /// <param name="chosen">Where a state has the key.</param>
    /// <param name="sequence">The sequence of the rows.</param>
    /// <param name="head">Their query head.</param>
    /// <param name="row">The first row.</param>
    /// <param name="rows">Their number.</param>
    /// <param name="state">Their states, which the core has finished.</param>
    /// <param name="stateRow">Floats from one to the next.</param>
    public static void Write(in ForwardArguments call, in ChosenValue chosen, in ForwardSequence sequence, int head, int row, int rows, float* state, int stateRow)
    {
        if (!chosen.Exists) return;
        int keyHead = call.KeyHead(head);
        for (int end = row + rows; row < end; row++, state += stateRow)
        {
            int key = BitConverter.SingleToInt32Bits(state[chosen.Key]);
            byte* output = call.OutputRow(sequence, row, head);
            if (key == ChosenValue.NotANumber) ChosenValue.WriteNaN(output, call.Output.Dim, call.Output.ElementBytes);
            else if (key == ChosenValue.None) chosen.Write(null, null, output, call.Output.Dim);
            else chosen.Write(call.ValueRow(sequence, key, keyHead), call.ValueScale(sequence, key, keyHead), output, call.Output.Dim);
        }
    }
}
