using AttentionGen.Generator.Text;

namespace AttentionGen.Generator.Emit.MicroKernels;

/// <summary>Writes what is done to every element of a row: whole vectors, then the rest, never past its end.</summary>
internal static class RowEmitter
{
    /// <param name="vector">Statements for the vector at an offset.</param>
    /// <param name="element">Statements for the element at an index, for rows shorter than a vector.</param>
    public static void Emit(SourceWriter w, int length, int lanes, Func<string, string> vector, Func<string, string> element)
    {
        int whole = length / lanes * lanes;
        if (whole == lanes) w.Line(vector("0"));
        else if (whole > 0)
            using (w.Block($"for (nint i = 0; i < {whole}; i += Lanes)"))
                w.Line(vector("i"));

        if (whole == length) return;
        if (length > lanes)
        {
            w.Line($"// The last {length - whole}, with some of those before them again.");
            w.Line(vector($"{length - lanes}"));
        }
        else
        {
            using (w.Block($"for (int i = 0; i < {length}; i++)"))
                w.Line(element("i"));
        }
    }
}
