using AttentionGen.Generator.Lowering;
using AttentionGen.Generator.Model;

namespace AttentionGen.Generator.Steps.Scores;

/// <summary>
/// One change of scores between the product of query and key and the softmax: what it needs, what it does to a row, and its text. A new change is a new step in this folder and
/// its line in <see cref="ScoreProgram.Of"/>.
/// </summary>
internal abstract record ScoreStep
{
    /// <summary>The part of a core's name; nothing for a step that goes with another.</summary>
    public abstract string Name { get; }

    /// <summary>For people; nothing for a step that goes with another.</summary>
    public abstract string Text { get; }

    /// <summary>The same with names for the numbers and spans of the call.</summary>
    public virtual string TextWith(ExpressionNames names) => Text;

    /// <summary>Whether it works on scores in natural units: the scale is then applied before it, and not by the softmax.</summary>
    public virtual bool IsNatural => true;

    /// <summary>Whether it changes scores, so that they are stored again.</summary>
    public virtual bool Changes => true;

    /// <summary>Whether it can hide keys: by a score of -infinity.</summary>
    public virtual bool Hides => false;

    /// <summary>Whether it concerns keys on which the bounds of a mask have decided.</summary>
    public virtual bool ConcernsDecided => true;

    /// <summary>Whether it reads or writes elements of keys in memory, which lie apart where only every n-th key is visible.</summary>
    public virtual bool ReadsKeys => false;

    /// <summary>The expressions of the user's own that it computes.</summary>
    public virtual IEnumerable<Expression> Expressions => [];

    /// <summary>Whether its text uses vectors of ints.</summary>
    public virtual bool UsesInts(ScoreProgram program) => Expressions.Any();

    public abstract ScoreText Emit(ScoreContext context);
}

/// <summary>The text of a step.</summary>
/// <param name="Row">What is declared for a row, from `head` and `row`; null for nothing.</param>
/// <param name="Vector">What is done to the scores `s` of a vector from `column` on.</param>
/// <param name="Rest">The same for the last vector, of which `rest` scores are left.</param>
internal sealed record ScoreText(string? Row, string Vector, string Rest)
{
    public ScoreText(string? row, string vector)
        : this(row, vector, vector)
    {
    }
}

/// <summary>What the texts of steps depend on, apart from the steps themselves.</summary>
/// <param name="Vector">The type of the vectors, in System.Runtime.Intrinsics.</param>
/// <param name="Scale">The factor of the products.</param>
/// <param name="Visible">The form of the rows' bounds.</param>
internal sealed record ScoreContext(ScoreProgram Program, string Vector, float Scale, VisibleKeys Visible)
{
    /// <summary>The user's own score and mask as vector code.</summary>
    public LiftedText OwnScore { get; } = new(Vector, "own", Program.HasStride);

    public LiftedText OwnMask { get; } = new(Vector, "mask", Program.HasStride);

    /// <summary>The scores in natural units, where they are not yet.</summary>
    public string Scaled => Program.Scaling?.Scaled(this) ?? $"s * {ScalingStep.Constant(Math.Abs((double)Scale))}";

    /// <summary>The scores in natural units after the scaling.</summary>
    public string Natural => Program.IsNatural ? "s" : Scaled;
}
