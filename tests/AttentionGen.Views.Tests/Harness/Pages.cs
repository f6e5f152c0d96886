namespace AttentionGen.Views.Tests.Harness;

/// <summary>The pages that tests open and that screenshots show.</summary>
internal static class Pages
{
    private static readonly Lazy<byte[]> s_maps = new(() => Bytes(stream => AttentionPage.Write(stream, RealMaps.Make(), new()
    {
        Title = "Attention of a made-up model", Note = "6 layers of one generated kernel, declared with its outputs scores, entropy, maxScore and logSumExp. Queries and keys are made up, a recipe for each head.",
    })));

    private static readonly Lazy<byte[]> s_masks = new(() => Bytes(stream => MaskPage.Write(stream, MaskPictures.Page.Declarations)));

    /// <summary>Few heads of few tokens, which have all names: axe takes seconds for all of them.</summary>
    private static readonly Lazy<byte[]> s_fewMaps = new(() => Bytes(stream =>
    {
        const int Tokens = 16;
        Func<int, int, double>[] heads = [(_, _) => 1, (_, key) => key == 0 ? 20 : 1, (query, key) => key == query - 1 ? 20 : 1, (_, key) => key == 15 ? 500 : 1, (query, key) => Math.Abs(query - key) < 3 ? 9 : 0.1];
        AttentionPage.Write(stream, TestMaps.Of(Tokens, heads, separators: [15]), new() { Note = "A note." });
    }));

    public static void FewMaps(Stream stream) => stream.Write(s_fewMaps.Value);

    public static void Maps(Stream stream) => stream.Write(s_maps.Value);

    public static void Masks(Stream stream) => stream.Write(s_masks.Value);

    private static byte[] Bytes(Action<Stream> write)
    {
        using var stream = new MemoryStream();
        write(stream);
        return stream.ToArray();
    }
}
