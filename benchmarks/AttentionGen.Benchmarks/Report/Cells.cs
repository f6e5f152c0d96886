using System.Globalization;
using AttentionGen.Benchmarks.Compare;
using AttentionGen.Benchmarks.Shapes;

namespace AttentionGen.Benchmarks.Report;

/// <summary>How the tables of the documents spell contenders, times and ratios.</summary>
internal static class Cells
{
    public const string Ours = "AttentionGen";

    /// <summary>The contenders other than this library: the name in results, and the name for people.</summary>
    public static IReadOnlyList<(string Contender, string Title)> Peers { get; } =
        [("OnnxRuntime", "ONNX Runtime"), ("Ggml", "ggml"), ("TensorPrimitives", "TensorPrimitives")];

    public static string TitleOf(string contender) => Peers.FirstOrDefault(peer => peer.Contender == contender).Title ?? contender;

    /// <summary>The fastest of the peers over a shape that stores no number in fewer bytes than this library does; null where no peer can do it.</summary>
    public static Result? BestPeer(IReadOnlyCollection<Result> shape)
    {
        int bytes = BytesOf(shape.First(result => result.Contender == Ours).Storage);
        return shape.Where(result => result.Contender != Ours && BytesOf(result.Storage) >= bytes).MinBy(result => result.MedianMs);
    }

    /// <summary>The bytes of a number in storage, by the names that results have.</summary>
    private static int BytesOf(string? storage) => storage switch
    {
        null or "float" or "f32" => 4,
        "Half" or "bfloat16" or "f16" => 2,
        "int8" or "q8_0" => 1,
        _ => throw new ArgumentException($"{storage} is the name of no type of storage.", nameof(storage)),
    };

    public static string Shape(string id) => $"{id}: {ShapeTable.Find(id).Description}";

    public static string Time(Result result) =>
        string.Create(CultureInfo.InvariantCulture, $"{result.MedianMs.ToString(result.MedianMs < 0.01 ? "0.00000" : result.MedianMs < 1 ? "0.000" : result.MedianMs < 100 ? "0.0" : "0", CultureInfo.InvariantCulture)} ms");

    /// <summary>The time and what it is in percent: of the roofline through a cache, of the read bandwidth with one query, otherwise of the peak.</summary>
    public static string TimeAndPercent(Result? result)
    {
        if (result is null) return "-";
        if (result.Storage is not null)
            return result.PercentOfRoofline is { } roofline ? string.Create(CultureInfo.InvariantCulture, $"{Time(result)}, {roofline:0} % of the roofline") : Time(result);
        string percent = result.PercentOfReadBandwidth is { } read && ShapeTable.Find(result.Shape).Queries == 1
            ? string.Create(CultureInfo.InvariantCulture, $"{read:0} % of a read")
            : string.Create(CultureInfo.InvariantCulture, $"{result.PercentOfPeak:0} %");
        return $"{Time(result)}, {percent}";
    }

    /// <summary>The time of a peer in times of ours: above 1, ours is faster.</summary>
    public static string Ratio(Result ours, Result peer) => (peer.MedianMs / ours.MedianMs).ToString("0.00", CultureInfo.InvariantCulture);

    public static string Threads(int threads) => threads switch { 1 => "one thread", 2 => "two threads", _ => $"{threads} threads" };
}
