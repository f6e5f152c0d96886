using AttentionGen.Generator.Text;

namespace AttentionGen.Generator.Steps.Loads;

/// <summary>
/// One change of queries and keys as they are read. Queries are copied, keys are packed or read in place; the step says what it does in each of these. A new one (a conversion, a
/// rotation) is a new step in this folder and its line in <see cref="LoadProgram.Of"/>.
/// </summary>
internal abstract record LoadStep
{
    /// <summary>The part of a core's name.</summary>
    public abstract string Name { get; }

    /// <summary>For people.</summary>
    public abstract string Text { get; }

    /// <summary>Whether it reads operands of the call for queries: the copy then has a parameter for the place of the rows.</summary>
    public abstract bool ReadsOperands { get; }

    /// <summary>Changes a query in `copy`, from the `place` of the rows if the step reads operands.</summary>
    public abstract void Query(SourceWriter w);

    /// <summary>Changes keys in panels, those of `keys`.</summary>
    public abstract void PackedKeys(SourceWriter w);

    /// <summary>Methods that these two call.</summary>
    public abstract void QueryMethod(SourceWriter w, LoadContext context);

    public abstract void PackedKeysMethod(SourceWriter w, LoadContext context);

    /// <summary>Declares what is summed of keys in place, beside their products: empty.</summary>
    public abstract string Declare(IEnumerable<string> sums);

    /// <summary>The sum of the first vector of a key.</summary>
    public abstract string First(string vector);

    /// <summary>Adds a vector of a key to its sum.</summary>
    public abstract string Add(string sum, string vector);

    /// <summary>The factor of the scores of some keys, from their sums in a vector.</summary>
    public abstract string Factor(string sums, LoadContext context);
}

/// <summary>What the text of load steps depends on, apart from the steps themselves.</summary>
internal sealed record LoadContext(int HeadDim, int Lanes);
