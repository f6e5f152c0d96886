using System.Globalization;
using System.Text.Json;
using System.Text.Json.Serialization;
using AttentionGen.Benchmarks.Compare;

namespace AttentionGen.Benchmarks.Report;

/// <summary>Results as JSON: an array of objects, named as in <see cref="Result"/>, in camel case.</summary>
internal static class ResultFile
{
    private static readonly JsonSerializerOptions s_options = new(JsonSerializerDefaults.Web) { WriteIndented = true, Converters = { new Digits() } };

    public static void Write(IReadOnlyList<Result> results, FileInfo file)
    {
        file.Directory?.Create();
        File.WriteAllText(file.FullName, JsonSerializer.Serialize(results, s_options).ReplaceLineEndings("\n") + "\n");
    }

    public static IReadOnlyList<Result> Read(string path) => JsonSerializer.Deserialize<List<Result>>(File.ReadAllText(path), s_options)!;

    /// <summary>Writes four digits, as many as a measurement has.</summary>
    private sealed class Digits : JsonConverter<double>
    {
        public override double Read(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options) => reader.GetDouble();

        public override void Write(Utf8JsonWriter writer, double value, JsonSerializerOptions options) =>
            writer.WriteNumberValue(double.Parse(value.ToString("G4", CultureInfo.InvariantCulture), CultureInfo.InvariantCulture));
    }
}
