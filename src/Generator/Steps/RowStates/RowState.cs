using AttentionGen.Generator.Lowering;
using AttentionGen.Generator.Text;

namespace AttentionGen.Generator.Steps.RowStates;

/// <summary>
/// What a kernel writes of a row beside its output, and what the row keeps for it from one block of keys to the next, next to the sum of its weights and its maximum. Each method
/// writes the part of the state in one step of a row's life; most states have a part in few. A new result is a new state in this folder and its line in <see cref="RowProgram.Of"/>.
/// </summary>
internal abstract record RowState
{
    /// <summary>The part of a core's name.</summary>
    public abstract string Name { get; }

    /// <summary>For people.</summary>
    public abstract string Text { get; }

    /// <summary>Vectors of the state that are sums over keys, and fall with the weights; each with its text for people.</summary>
    public virtual IEnumerable<(string Name, string Text)> Sums => [];

    /// <summary>Numbers of the state, after the maximum and its level; with their text for people.</summary>
    public virtual (string[] Names, string Text) Numbers => ([], "");

    /// <summary>Whether scores have to be seen in memory: they cannot become weights in registers.</summary>
    public virtual bool ReadsScores => Sums.Any() || Numbers.Names.Length > 0;

    /// <summary>Whether it is computed from the exponents of the weights, beside these.</summary>
    public virtual bool NeedsExponents => false;

    /// <summary>Whether the softmax has to know the keys of its columns.</summary>
    public virtual bool NeedsKeys => false;

    /// <summary>Whether it needs the log-sum-exp of the row's keys at the end.</summary>
    public virtual bool NeedsLogSum => false;

    /// <summary>Whether it needs the level of the row at the end.</summary>
    public virtual bool NeedsLevel => NeedsLogSum;

    /// <summary>The row has seen no key.</summary>
    public virtual void Reset(SourceWriter w)
    {
    }

    /// <summary>
    /// The largest score of some columns is `rowHighest`. The scores are `w`, in the columns from <paramref name="first"/> to `bound`: whole vectors before `tail`, then those of
    /// `visible`. `key` is the key of column 0.
    /// </summary>
    public virtual void Observe(SourceWriter w, RowContext context, string first)
    {
    }

    /// <summary>Declares what the loop over exponents sums.</summary>
    public virtual void Begin(SourceWriter w)
    {
    }

    /// <summary>A vector has the exponents `x` and the weights `e`.</summary>
    public virtual void Add(SourceWriter w)
    {
    }

    /// <summary>The loop over exponents has ended.</summary>
    public virtual void End(SourceWriter w)
    {
    }

    /// <summary>Weights fall by the exponent `fall` to a higher maximum; afterwards all sums are multiplied by 2^fall.</summary>
    public virtual void Fall(SourceWriter w)
    {
    }

    /// <summary>Two states come to one maximum: this one's exponents fall by `fall`, those of `other` by `othersFall`.</summary>
    public virtual void FallTogether(SourceWriter w)
    {
    }

    /// <summary>The numbers of `other` join those of this state.</summary>
    public virtual void Merge(SourceWriter w, RowContext context)
    {
    }

    /// <summary>Writes the result of a row whose weights have the sum `sum`.</summary>
    public virtual void Finish(SourceWriter w, RowContext context)
    {
    }

    /// <summary>Methods that <see cref="Finish"/> calls.</summary>
    public virtual void Methods(SourceWriter w)
    {
    }
}

/// <summary>What the text of states depends on, apart from the states themselves.</summary>
/// <param name="Vector">The type of the vectors, in System.Runtime.Intrinsics.</param>
/// <param name="ScoreFactor">The factor that makes natural units of the scores in memory.</param>
internal sealed record RowContext(RowProgram Program, string Vector, VisibleKeys Visible, float ScoreFactor);
