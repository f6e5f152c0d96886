using System.Text.Json;
using AttentionGen.Generator.Tests.Harness;
using Xunit;

namespace AttentionGen.Samples.Tests.Harness;

/// <summary>The real model, which lies beside the repository and is not part of it, and what it generates: recorded in double precision.</summary>
internal static class Story
{
    private static readonly string s_folder = Repository.PathOf("..", "shared", "data", "stories260k");

    public static string Model => Find("stories260K.bin");

    public static string Tokenizer => Find("tok512.bin");

    public static IReadOnlyList<Recorded> Recorded
    {
        get
        {
            using var json = JsonDocument.Parse(File.ReadAllText(Find("recorded.json")));
            return [.. json.RootElement.GetProperty("runs").EnumerateArray().Select(run => new Recorded(
                run.GetProperty("prompt").GetString()!,
                Array<int>(run, "prompt_tokens"),
                Array<int>(run, "tokens"),
                run.GetProperty("text").GetString()!,
                Array<float>(run, "logits_of_last_of_first_48")))];
        }
    }

    private static T[] Array<T>(JsonElement run, string name) => run.GetProperty(name).Deserialize<T[]>()!;

    private static string Find(string name)
    {
        string path = Path.Combine(s_folder, name);
        Assert.SkipUnless(File.Exists(path), $"{name} is not at hand: it belongs in ../shared/data/stories260k.");
        return path;
    }
}

/// <param name="Prompt">How the text begins.</param>
/// <param name="PromptTokens">Its tokens.</param>
/// <param name="Tokens">All tokens.</param>
/// <param name="Text">The whole text.</param>
/// <param name="Logits">The logits after the first 48 tokens.</param>
internal sealed record Recorded(string Prompt, int[] PromptTokens, int[] Tokens, string Text, float[] Logits);
