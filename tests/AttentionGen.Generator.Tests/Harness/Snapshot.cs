using System.Text;
using DiffPlex;
using DiffPlex.DiffBuilder;
using DiffPlex.DiffBuilder.Model;
using Xunit;

namespace AttentionGen.Generator.Tests.Harness;

/// <summary>
/// Compares a text with the file <c>Name.verified.cs</c>. A text that differs is written beside it as <c>Name.received.cs</c>. With
/// ATTENTIONGEN_UPDATE_SNAPSHOTS=1 the file is written instead; not where CI=true, as a build server has nobody to look at what changed.
/// </summary>
internal static class Snapshot
{
    private const string Verified = ".verified.cs", Received = ".received.cs";

    private static readonly string s_directory = Repository.PathOf("tests", "AttentionGen.Generator.Tests", "Snapshots");

    private static bool IsUpdate => Environment.GetEnvironmentVariable("ATTENTIONGEN_UPDATE_SNAPSHOTS") == "1";

    public static void Match(string name, string text)
    {
        string verified = Path.Combine(s_directory, name + Verified), received = Path.Combine(s_directory, name + Received);
        if (MayUpdate())
        {
            Directory.CreateDirectory(s_directory);
            File.WriteAllText(verified, text);
        }

        string expected = File.Exists(verified) ? File.ReadAllText(verified).ReplaceLineEndings("\n") : "";
        if (expected == text)
        {
            File.Delete(received);
            return;
        }

        File.WriteAllText(received, text);
        Assert.Fail($"{name}{Verified} is another text (- expected, + received). Where it should change, run the tests with ATTENTIONGEN_UPDATE_SNAPSHOTS=1.\n{Diff(expected, text)}");
    }

    /// <summary>Fails on files that no test compares with; an update deletes them.</summary>
    public static void AssertNoneBut(IEnumerable<string> names)
    {
        var orphans = Directory.GetFiles(s_directory, "*" + Verified).Select(path => Path.GetFileName(path)[..^Verified.Length]).Except(names).ToList();
        if (MayUpdate())
        {
            orphans.ForEach(name => File.Delete(Path.Combine(s_directory, name + Verified)));
            return;
        }

        Assert.Empty(orphans);
    }

    /// <summary>Whether the run writes what it would compare.</summary>
    public static bool MayUpdate()
    {
        if (IsUpdate && string.Equals(Environment.GetEnvironmentVariable("CI"), "true", StringComparison.OrdinalIgnoreCase))
            Assert.Fail("Snapshots are not updated on a build server: unset ATTENTIONGEN_UPDATE_SNAPSHOTS.");
        return IsUpdate;
    }

    /// <summary>The lines that differ, each with two around it.</summary>
    private static string Diff(string expected, string received)
    {
        const int Context = 2, Most = 80;
        var lines = new InlineDiffBuilder(new Differ()).BuildDiffModel(expected, received).Lines;
        var shown = new StringBuilder();
        int count = 0, last = -1;
        for (int i = 0; i < lines.Count && count < Most; i++)
        {
            bool near = lines.Skip(Math.Max(i - Context, 0)).Take(Context + 1 + Math.Min(i, Context)).Any(line => line.Type != ChangeType.Unchanged);
            if (!near) continue;
            if (last != i - 1) shown.Append("  ...\n");
            shown.Append(lines[i].Type switch { ChangeType.Inserted => "+ ", ChangeType.Deleted => "- ", _ => "  " }).Append(lines[i].Text).Append('\n');
            last = i;
            count++;
        }

        return count == Most ? shown.Append("  and more\n").ToString() : shown.ToString();
    }
}
