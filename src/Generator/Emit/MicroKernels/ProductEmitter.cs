using AttentionGen.Generator.Emit.Dialects;
using AttentionGen.Generator.Model;
using AttentionGen.Generator.Text;

namespace AttentionGen.Generator.Emit.MicroKernels;

/// <summary>Where an operand of a product lies.</summary>
/// <param name="Reference">The reference to its first element.</param>
/// <param name="Stride">Elements from row to row of the left operand, from index to index of the right one.</param>
/// <param name="Tail">Elements of the last vector, where memory may end after them; 0 where the vector is whole.</param>
/// <param name="Step">Elements from index to index of the left operand, in units.</param>
/// <param name="Unit">The unit of the step; nothing for elements.</param>
/// <param name="Type">The type of its elements.</param>
/// <param name="TypeArgument">What its loads have as a type argument, with brackets; usually nothing.</param>
internal sealed record Access(string Reference, string Stride, int Tail = 0, int Step = 1, string Unit = "", ElementType Type = ElementType.Float, string TypeArgument = "");

/// <summary>
/// Writes a product of panels, the micro-kernel of both matrix products: accumulators [rows, vectors] += left [rows, index] * right [index, vectors], and an epilogue for what the
/// accumulators hold. For the scores the index runs over the head dimension, for the values over the keys.
/// </summary>
internal sealed record ProductEmitter(Dialect Dialect, int Rows, int Vectors, string Accumulator, Access LeftAccess, Access RightAccess)
{
    private string Left => LeftAccess.Reference;

    private string LeftStride => LeftAccess.Stride;

    private string Right => RightAccess.Reference;

    private string RightStride => RightAccess.Stride;

    private int RightTail => RightAccess.Tail;

    /// <summary>The kernel: accumulators, the loops over the index, the epilogue.</summary>
    public void Emit(SourceWriter w, Func<int, int, string> initial, Action loops, Action epilogue)
    {
        Declare(w, initial);
        w.Line($"Vec {string.Join(", ", Operands)};");
        loops();
        w.Line();
        epilogue();
    }

    /// <summary>Sets of accumulators that the indices go to in turn: partial sums side by side, each with a part of the products.</summary>
    public int Sets { get; init; } = 1;

    public string Sum(int row, int vector, int set = 0) => $"{(set == 0 ? Accumulator : Other)}{row}_{vector}";

    /// <summary>The name of the second set.</summary>
    private const string Other = "t";

    /// <summary>A statement for each accumulator, a line a row.</summary>
    public void EachRow(SourceWriter w, Func<int, int, string> statement)
    {
        for (int row = 0; row < Rows; row++)
            w.Line(string.Join(" ", Enumerable.Range(0, Vectors).Select(vector => statement(row, vector))));
    }

    /// <summary>Declares the accumulators, a line a row.</summary>
    private void Declare(SourceWriter w, Func<int, int, string> initial)
    {
        for (int row = 0; row < Rows; row++)
            w.Line("Vec " + string.Join(", ", Accumulators.Select(a => $"{Sum(row, a.Vector, a.Set)} = {initial(row, a.Vector)}")) + ";");
    }

    /// <summary>Sets all accumulators to zero.</summary>
    public void Clear(SourceWriter w)
    {
        for (int row = 0; row < Rows; row++)
            w.Line(string.Join(" = ", Accumulators.Select(a => Sum(row, a.Vector, a.Set))) + " = Vec.Zero;");
    }

    /// <summary>Adds the second set to the first.</summary>
    public void Join(SourceWriter w)
    {
        if (Sets > 1) EachRow(w, (row, vector) => $"{Sum(row, vector)} += {Sum(row, vector, 1)};");
    }

    private IEnumerable<(int Vector, int Set)> Accumulators => from set in Enumerable.Range(0, Sets) from vector in Enumerable.Range(0, Vectors) select (vector, set);

    /// <summary>The indices of one pass of a loop: four where one load of the left operand serves four.</summary>
    public int Unroll => !Dialect.MultipliesByElement ? Steps : 4;

    /// <summary>The indices of one pass where each needs loads of its own.</summary>
    public int Steps { get; init; } = 1;

    /// <summary>Some indices in straight line.</summary>
    /// <param name="before">What is written before the products of an index; nothing by default.</param>
    public void EmitSteps(SourceWriter w, int count, Action<int>? before = null)
    {
        bool byElement = Dialect.MultipliesByElement && count == 4;
        if (byElement)
            w.Line(string.Join(" ", Enumerable.Range(0, Rows).Select(row => $"x{row} = Load({Address.Arguments(Left, Address.Offset((row, LeftStride)))});")));
        for (int i = 0; i < count; i++)
        {
            before?.Invoke(i);
            Step(w, i, byElement);
        }
    }

    /// <summary>Moves both operands on.</summary>
    public void Advance(SourceWriter w, int count)
    {
        w.Line($"{Left} = ref {Address.At(Left, Address.Offset((count * LeftAccess.Step, LeftAccess.Unit)))};");
        w.Line($"{Right} = ref {Address.At(Right, Address.Offset((count, RightStride)))};");
    }

    /// <summary>One index. Operands have the same names at all indices, since each new name is one more for the JIT to track.</summary>
    public void Step(SourceWriter w, int index, bool byElement = false)
    {
        int set = index % Sets;
        string Load(int v)
        {
            if (LoadRight is { } load) return $"{RightName}{v} = {load(index, v)};";
            string offset = Address.Offset((index, RightStride), (v, "Lanes"));
            return RightTail > 0 && v == Vectors - 1
                ? $"{RightName}{v} = {ElementTypes.Function("LoadFirst", RightAccess.Type)}{RightAccess.TypeArgument}({Address.Arguments(Right, offset)}, {RightTail});"
                : $"{RightName}{v} = {ElementTypes.Function("Load", RightAccess.Type)}{RightAccess.TypeArgument}({Address.Arguments(Right, offset)});";
        }

        string Splat(int row) => $"{LeftName(row)} = Splat({Address.Arguments(Left, Address.Offset((row, LeftStride), (index * LeftAccess.Step, LeftAccess.Unit)))});";
        string Product(int row, int v) => byElement
            ? $"{Sum(row, v, set)} = MulAddAt({Sum(row, v, set)}, {RightName}{v}, {LeftName(row)}, {index});"
            : $"{Sum(row, v, set)} = MulAdd({LeftName(row)}, {RightName}{v}, {Sum(row, v, set)});";

        var (rows, vectors) = (Enumerable.Range(0, Rows), Enumerable.Range(0, Vectors));
        if (Rows < Vectors && !byElement)
        {
            // The fewer operands stay in registers.
            w.Line(string.Join(" ", rows.Select(Splat)));
            foreach (int v in vectors) w.Line($"{Load(v)} {string.Join(" ", rows.Select(row => Product(row, v)))}");
            return;
        }

        w.Line(string.Join(" ", vectors.Select(Load)));
        foreach (int row in rows) w.Line($"{(byElement ? "" : Splat(row) + " ")}{string.Join(" ", vectors.Select(v => Product(row, v)))}");
    }

    /// <summary>How a vector of the right operand is loaded, from its index and its number, where it does not lie as the type of its elements says.</summary>
    public Func<int, int, string>? LoadRight { get; init; }

    private string RightName => Right.Substring(0, 1);

    /// <summary>The name of the left operand of a row: one for all rows where it is needed for one row at a time.</summary>
    private string LeftName(int row) => Rows < Vectors || Dialect.MultipliesByElement ? $"x{row}" : "x";

    /// <summary>The names of all operands.</summary>
    private IEnumerable<string> Operands => Enumerable.Range(0, Vectors).Select(v => $"{RightName}{v}").Concat(Enumerable.Range(0, Rows).Select(LeftName).Distinct());
}
