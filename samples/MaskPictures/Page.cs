using AttentionGen.Views;

namespace AttentionGen.MaskPictures;

/// <summary>The pictures as a page with sliders.</summary>
internal static class Page
{
    private static readonly string[] s_words = ["A", "small", "boat", "left", "the", "harbour", "before", "dawn", "and", "came", "back", "at", "noon", "with", "fresh", "fish"];

    private static readonly Dictionary<string, string> s_notes = new()
    {
        ["causal"] = "A query sees the keys up to its own position.",
        ["window"] = "A query sees its own key and the 7 before it.",
        ["first-keys"] = "The first keys stay visible after the window has left them (attention sinks).",
        ["both-sides"] = "A query sees 5 keys before and 5 after its own.",
        ["cache"] = "Fewer queries than keys: they come after the keys of a cache, and the last query stands at the last key.",
        ["prefix"] = "The first 10 keys are visible to every query, the others are causal.",
        ["padding"] = "The last 10 keys are padding: keyLengths says where it begins.",
        ["documents"] = "Documents of 7, 12 and 13 tokens, packed one after the other, again and again. There are as many queries as keys.",
        ["chunks"] = "A query sees the keys of its own chunk of 12 positions.",
        ["dilated"] = "A query sees every third key, backwards from itself. Queries with the same remainder are a sequence of their own, so tiles have no outline here.",
        ["blocks"] = "The program lists which blocks of keys each block of queries sees. Blocks are 4 x 4 here, smaller than any of a kernel; the lists are repeated along the diagonal.",
        ["own-window-and-first"] = "Your own mask as bounds: two zones, the window and the first keys before it.",
        ["own-block-causal"] = "Your own mask as bounds: the rows are cut into chunks of 8, and each chunk has its own bound.",
        ["own-global-rows"] = "Your own mask as bounds: the rows are cut at 4, and the rows after the cut have two zones.",
        ["own-stripes"] = "Your own mask, of which bounds decide the window. For the other keys the kernel computes the remainder.",
    };

    public static IReadOnlyList<MaskDeclaration> Declarations { get; } = [.. Picture.All.Select(Declared)];

    public static void Write(string path)
    {
        using var file = File.Create(path);
        MaskPage.Write(file, Declarations);
    }

    private static MaskDeclaration Declared(Picture picture)
    {
        var declaration = Declaration.Of(picture);
        var attention = declaration.Spec.Attention;
        int keyValueHeads = attention.GivenKeyValueHeads ?? attention.Heads, valueDim = attention.GivenValueDim ?? attention.HeadDim;
        return new MaskDeclaration(picture.Name, Declaration.Code(ForKernels(picture)), Forms.Of(picture, declaration))
        {
            Note = s_notes[picture.Name], Queries = picture.Queries, Keys = picture.Keys, Shape = new HeadShape(attention.Heads, keyValueHeads, attention.HeadDim, valueDim),
            Example = Example(picture),
        };
    }

    /// <summary>The declaration that a kernel needs for such blocks; the lists of the picture are given to the runtime library directly.</summary>
    private static Picture ForKernels(Picture picture) => picture.Blocks is null ? picture : picture with
    {
        Arguments = picture.Arguments + ", QueryBlockSize = 64, KeyBlockSize = 64", Parameters = "\n    ReadOnlySpan<int> keyBlockStarts, ReadOnlySpan<int> keyBlocks",
    };

    /// <summary>Weights of a few words for random queries and keys, by the reference in double precision: once without a mask, once with the pairs that the zones show.</summary>
    private static MaskExample Example(Picture picture)
    {
        const int HeadDim = 8;
        int keys = s_words.Length, queries = picture.Queries < picture.Keys ? keys / 2 : keys;
        var random = new Random(17);
        float[] Numbers(int tokens) => [.. Enumerable.Range(0, tokens * HeadDim).Select(_ => 3f * random.NextSingle() - 1.5f)];
        float[] query = Numbers(queries), key = Numbers(keys);

        var touched = Intervals.Of(picture with { Queries = queries, Keys = keys });
        bool[] visible = [.. touched.Cast<Touch>().Select(touch => touch is Touch.Partly or Touch.Whole or Touch.Computed)];
        float[] Weights(bool[] keep)
        {
            double[] weights = new double[queries * keys];
            new AttentionReference(1, HeadDim).Attend(query, key, key, new double[queries * HeadDim], weights: weights, operands: new AttentionOperands { Keep = keep });
            return [.. weights.Select(weight => (float)weight)];
        }

        return new MaskExample(s_words[^queries..], s_words, Weights([]), Weights(visible));
    }
}
