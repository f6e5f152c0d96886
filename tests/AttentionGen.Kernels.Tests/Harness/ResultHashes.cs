using System.Collections.Concurrent;
using System.Runtime.InteropServices;
using System.Security.Cryptography;
using System.Text;

namespace AttentionGen.Kernels.Tests;

/// <summary>
/// Hashes of the results of all calls of a test run, in a file of the folder that the environment variable names. A change of structure must leave them as they are: of two runs on
/// one instruction set, lines that begin alike (declaration, call and inputs) end alike.
/// </summary>
internal static class ResultHashes
{
    public const string FolderVariable = "ATTENTIONGEN_RESULT_HASHES";

    private static readonly string? s_folder = Environment.GetEnvironmentVariable(FolderVariable);

    private static readonly ConcurrentDictionary<string, byte> s_lines = new();

    static ResultHashes()
    {
        if (s_folder is null) return;
        AppDomain.CurrentDomain.ProcessExit += (_, _) =>
            File.WriteAllLines(Path.Combine(s_folder, $"{AttentionInfo.Isa}-{Environment.ProcessId}.txt"), s_lines.Keys.Order(StringComparer.Ordinal));
    }

    /// <summary>Keeps the hash of a call's results.</summary>
    public static void Add(Inputs inputs, ReadOnlySpan<float> output)
    {
        if (s_folder is null) return;
        using var ofInputs = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        ofInputs.AppendData(Encoding.UTF8.GetBytes(inputs.Problem.Declaration.Source));
        foreach (float[] tensor in new[] { inputs.Query, inputs.Key, inputs.Value, inputs.Bias, inputs.Slopes, inputs.Sinks, inputs.RelativeBias, inputs.Scales, inputs.QueryNormWeight, inputs.KeyNormWeight, inputs.Rotary?.Cos(inputs.Rotary.Positions - 1).ToArray() ?? [] })
            ofInputs.AppendData(MemoryMarshal.AsBytes<float>(tensor));
        ofInputs.AppendData(MemoryMarshal.AsBytes<bool>(inputs.Keep));
        foreach (int[]? numbers in new[] { inputs.Problem.QueryStarts, inputs.Problem.KeyLengths, inputs.Problem.PrefixLengths, inputs.Problem.DocumentStarts, inputs.Problem.KeyDocumentStarts, inputs.Problem.Lists?.Starts, inputs.Problem.Lists?.Blocks })
            ofInputs.AppendData(MemoryMarshal.AsBytes<int>([numbers?.Length ?? -1, .. numbers ?? []]));

        using var ofResults = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        ofResults.AppendData(MemoryMarshal.AsBytes(output));
        foreach (float[] result in new[] { inputs.LogSumExp, inputs.Scores, inputs.MaxScore, inputs.Entropy }) ofResults.AppendData(MemoryMarshal.AsBytes<float>(result));
        ofResults.AppendData(MemoryMarshal.AsBytes<int>(inputs.ArgMax));
        string kind = inputs.Problem.Declaration.Norm == AttentionNorm.None ? "" : " (norm)";
        s_lines.TryAdd($"{inputs.Problem}{kind} {Convert.ToHexString(ofInputs.GetHashAndReset().AsSpan(0, 12))} {Convert.ToHexString(ofResults.GetHashAndReset().AsSpan(0, 8))}".ReplaceLineEndings(" "), 0);
    }
}
