using AttentionGen.Generator.Lowering;
using AttentionGen.Generator.Model;
using AttentionGen.Views;

namespace AttentionGen.MaskPictures;

/// <summary>The mask of a declaration in closed form, as the page of masks carries it: what the generator lowers it to, and the arguments of the picture's calls.</summary>
internal static class Forms
{
    public static MaskForm Of(Picture picture, Declaration declaration)
    {
        var spec = declaration.Spec;
        var program = MaskProgram.Of(spec);
        return new MaskForm
        {
            Left = program.Left, Right = program.Right, FirstKeys = spec.Attention.FirstKeys, PrefixLength = spec.Attention.GivenPrefixLength ?? 0,
            ChunkLength = program.ChunkLength, Dilation = program.Dilation, Padding = picture.Padding, DocumentLengths = picture.DocumentLengths,
            Blocks = picture.Blocks is var (size, rows) ? new MaskBlocks(size, rows) : null,
            Terms = program.Terms.Count > 0 ? [.. program.Terms.Select(Term)] : null, TermChunk = program.Own?.RowChunk ?? 0,
            Condition = program.Rest is null ? null : Condition(spec.Mask!.Result!),
        };
    }

    private static Views.MaskTerm Term(Generator.Lowering.MaskTerm term)
    {
        static (long, long)? Chunk((long OfChunk, MaskBound Bound)? side) => side is var (factor, bound) ? (factor, bound.Constant) : null;
        return new()
        {
            FromQuery = Generator.Lowering.MaskTerm.One(term.FromQuery), ToQuery = Generator.Lowering.MaskTerm.One(term.ToQuery),
            FromKey = Generator.Lowering.MaskTerm.One(term.FromKey), ToKey = Generator.Lowering.MaskTerm.One(term.ToKey),
            FromDistance = Generator.Lowering.MaskTerm.One(term.FromDistance), ToDistance = Generator.Lowering.MaskTerm.One(term.ToDistance),
            FromChunk = Chunk(term.FromChunk), ToChunk = Chunk(term.ToChunk), Decided = term.Rest is null,
        };
    }

    private static MaskCondition Condition(Expression expression) => expression switch
    {
        InputExpression { Input: Input.Query } => MaskCondition.Query,
        InputExpression { Input: Input.Key } => MaskCondition.Key,
        ConstantExpression { Kind: not Kind.Float } constant => MaskCondition.Number((int)constant.Value),
        OperationExpression { Kind: not Kind.Float } operation => MaskCondition.Of(operation.Operands.Count == 3 ? "?:" : operation.Operation, [.. operation.Operands.Select(Condition)]),
        _ => throw new NotSupportedException($"The page of masks evaluates integers only, not {expression.Text}."),
    };
}
