namespace AttentionGen.Generator.Emit;

/// <summary>
/// Writes the inner step of both matrix products: accumulators [rows, vectors] += left [rows, index] * right [index, vectors]. For the scores the
/// index runs over the head dimension, for the values over the keys.
/// </summary>
/// <param name="Left">The reference to the left operand; <paramref name="LeftStride"/> floats from row to row.</param>
/// <param name="Right">The reference to the right operand; <paramref name="RightStride"/> floats from index to index.</param>
internal sealed record ProductEmitter(Dialect Dialect, int Rows, int Vectors, string Accumulator, string Left, string LeftStride, string Right, string RightStride)
{
    /// <summary>Elements of the last vector of the right operand, where memory ends behind them; 0 where it is whole.</summary>
    public int RightTail { get; init; }

    public string Sum(int row, int vector) => $"{Accumulator}{row}_{vector}";

    /// <summary>A statement for each accumulator, a line a row.</summary>
    public void EachRow(SourceWriter w, Func<int, int, string> statement)
    {
        for (int row = 0; row < Rows; row++)
            w.Line(string.Join(" ", Enumerable.Range(0, Vectors).Select(vector => statement(row, vector))));
    }

    /// <summary>Declares the accumulators, a line a row.</summary>
    public void Declare(SourceWriter w, Func<int, int, string> initial)
    {
        for (int row = 0; row < Rows; row++)
            w.Line("Vec " + string.Join(", ", Enumerable.Range(0, Vectors).Select(vector => $"{Sum(row, vector)} = {initial(row, vector)}")) + ";");
    }

    /// <summary>The indices that a loop takes at a time: four where one load of the left operand serves four.</summary>
    public int Unroll => !Dialect.MultipliesByElement ? 1 : 4;

    /// <summary>Some indices in straight line, each in a scope of its own.</summary>
    public void Steps(SourceWriter w, int count)
    {
        bool byElement = Dialect.MultipliesByElement && count == 4;
        if (byElement)
        {
            for (int row = 0; row < Rows; row++)
                w.Line($"Vec x{row} = Load({Address.Arguments(Left, Address.Offset((row, LeftStride)))});");
        }

        for (int i = 0; i < count; i++)
            using (w.Block(""))
                Step(w, i, byElement);
    }

    /// <summary>Moves both operands on.</summary>
    public void Advance(SourceWriter w, int count)
    {
        w.Line($"{Left} = ref {Address.At(Left, Address.Offset((count, "")))};");
        w.Line($"{Right} = ref {Address.At(Right, Address.Offset((count, RightStride)))};");
    }

    /// <summary>One index.</summary>
    public void Step(SourceWriter w, int index, bool byElement = false)
    {
        string name = Right.Substring(0, 1);
        string Load(int v)
        {
            string offset = Address.Offset((index, RightStride), (v, "Lanes"));
            return RightTail > 0 && v == Vectors - 1
                ? $"{name}{v} = LoadFirst({Address.Arguments(Right, offset)}, {RightTail})"
                : $"{name}{v} = Load({Address.Arguments(Right, offset)})";
        }

        if (Rows < Vectors && !byElement)
        {
            // The fewer operands stay in registers.
            w.Line("Vec " + string.Join(", ", Enumerable.Range(0, Rows).Select(row => $"x{row} = Splat({Address.Arguments(Left, Address.Offset((row, LeftStride), (index, "")))})")) + ";");
            for (int v = 0; v < Vectors; v++)
                w.Line($"Vec {Load(v)}; " + string.Join(" ", Enumerable.Range(0, Rows).Select(row => $"{Sum(row, v)} = MulAdd(x{row}, {name}{v}, {Sum(row, v)});")));
            return;
        }

        w.Line("Vec " + string.Join(", ", Enumerable.Range(0, Vectors).Select(Load)) + ";");
        for (int row = 0; row < Rows; row++)
        {
            string load = byElement ? "" : $"Vec x{row} = Splat({Address.Arguments(Left, Address.Offset((row, LeftStride), (index, "")))}); ";
            w.Line(load + string.Join(" ", Enumerable.Range(0, Vectors).Select(v => byElement
                ? $"{Sum(row, v)} = MulAddElement({Sum(row, v)}, {name}{v}, x{row}, {index});"
                : $"{Sum(row, v)} = MulAdd(x{row}, {name}{v}, {Sum(row, v)});")));
        }
    }
}
