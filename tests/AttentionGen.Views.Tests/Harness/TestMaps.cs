namespace AttentionGen.Views.Tests.Harness;

/// <summary>Small maps that tests construct.</summary>
internal static class TestMaps
{
    /// <summary>One layer of one head for each function of query and key; rows are divided by their sums.</summary>
    public static AttentionMaps Of(int tokens, Func<int, int, double>[] heads, int[]? separators = null, HeadRules? rules = null)
    {
        var maps = new AttentionMaps([.. Enumerable.Range(0, tokens).Select(i => $"t{i}")], 1, heads.Length) { Separators = separators ?? [], Rules = rules ?? new() };
        maps.SetLayer(0, Weights(tokens, tokens, heads));
        return maps;
    }

    public static float[] Weights(int queries, int keys, params Func<int, int, double>[] heads)
    {
        float[] weights = new float[heads.Length * queries * keys];
        for (int head = 0; head < heads.Length; head++)
        {
            for (int query = 0; query < queries; query++)
            {
                double sum = Enumerable.Range(0, keys).Sum(key => heads[head](query, key));
                for (int key = 0; key < keys && sum > 0; key++) weights[(head * queries + query) * keys + key] = (float)(heads[head](query, key) / sum);
            }
        }

        return weights;
    }

    public static string Page(AttentionMaps maps, AttentionPageOptions? options = null)
    {
        using var text = new StringWriter();
        AttentionPage.Write(text, maps, options);
        return text.ToString();
    }
}
