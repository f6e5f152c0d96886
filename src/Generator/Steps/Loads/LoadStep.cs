using AttentionGen.Generator.Text;

namespace AttentionGen.Generator.Steps.Loads;

/// <summary>
/// One change of queries and keys as they are read. Queries are copied row by row. Keys are copied, too, where a step changes their elements differently; the step says what it does to a
/// row. A new one (a conversion) is a new step in this folder and its line in <see cref="LoadProgram.Of"/>.
/// </summary>
internal abstract record LoadStep
{
    /// <summary>The part of a core's name.</summary>
    public abstract string Name { get; }

    /// <summary>What it is, for people: a word before <see cref="Text"/>.</summary>
    public abstract string Title { get; }

    /// <summary>For people.</summary>
    public abstract string Text { get; }

    /// <summary>Whether it changes keys.</summary>
    public virtual bool ChangesKeys => true;

    /// <summary>Whether it reads operands of the call for queries: the copy then has a parameter for the place of the rows.</summary>
    public abstract bool ReadsOperands { get; }

    /// <summary>Changes a query in `copy`, the one of `row`, from the `place` of the rows if the step reads operands.</summary>
    public abstract void Query(SourceWriter w);

    /// <summary>Changes a copied key in `copy`, that of the index `key`, from the `place` of its sequence.</summary>
    public abstract void Key(SourceWriter w);

    /// <summary>The method that <see cref="Query"/> calls, if there is one.</summary>
    public abstract void QueryMethod(SourceWriter w, LoadContext context);

    /// <summary>The method that <see cref="Key"/> calls, if there is one.</summary>
    public abstract void KeyMethod(SourceWriter w, LoadContext context);
}

/// <summary>A step that multiplies all elements of a key by one factor. It can do so in panels, or to the score of a key in place; no copy is needed for it.</summary>
internal abstract record FactorStep : LoadStep
{
    /// <summary>Changes keys in panels, those of `keys`.</summary>
    public abstract void PackedKeys(SourceWriter w);

    /// <summary>The method that <see cref="PackedKeys"/> calls.</summary>
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
