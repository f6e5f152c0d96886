using System.Security.Cryptography;
using AttentionGen.SentenceEncoder.Tests.Harness;
using AttentionGen.Samples.Tests.Harness;
using Google.Protobuf;
using Onnx;
using SentenceEncoder.Weights;
using Xunit;

namespace AttentionGen.SentenceEncoder.Tests;

/// <summary>Files of weights: those that were published are read, all others are refused with a message.</summary>
public sealed class WeightFileTests : IDisposable
{
    private const string Remedy = "Bring it again.";

    private static readonly byte[] s_bytes = [.. Enumerable.Range(0, 5000).Select(i => (byte)i)];
    private static readonly KnownFile s_known = new("weights.bin", s_bytes.Length, Convert.ToHexStringLower(SHA256.HashData(s_bytes)));

    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void The_published_file_is_read_from_its_beginning()
    {
        using var stream = s_known.Open(_folder.Write("weights.bin", s_bytes), Remedy);
        byte[] read = new byte[s_bytes.Length];
        stream.ReadExactly(read);
        Assert.Equal(s_bytes, read);
    }

    [Fact]
    public void Any_altered_bit_is_found()
    {
        for (int n = 0; n < 50; n++)
        {
            byte[] altered = [.. s_bytes];
            altered[n * 100] ^= (byte)(1 << n % 8);
            string path = _folder.Write("weights.bin", altered);
            var e = Assert.Throws<WeightsException>(() => s_known.Open(path, Remedy));
            Assert.StartsWith($"{path} is not the published file: its SHA-256 begins with ", e.Message, StringComparison.Ordinal);
            Assert.EndsWith(Remedy, e.Message, StringComparison.Ordinal);
        }
    }

    [Theory]
    [InlineData(0)]
    [InlineData(4999)]
    [InlineData(5001)]
    public void Another_length_is_found(int length)
    {
        byte[] file = s_bytes;
        Array.Resize(ref file, length);
        var e = Assert.Throws<WeightsException>(() => s_known.Open(_folder.Write("weights.bin", file), Remedy));
        Assert.Contains($"it has {length:N0} bytes instead of 5,000".Replace('\u00A0', ','), e.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void What_is_no_file_is_refused()
    {
        string there = _folder.Write("x", s_bytes), folder = Path.GetDirectoryName(there)!;
        Assert.Contains("does not exist", Assert.Throws<WeightsException>(() => s_known.Open(there + "y", Remedy)).Message, StringComparison.Ordinal);
        Assert.Contains("does not exist", Assert.Throws<WeightsException>(() => s_known.Open(Path.Combine(folder, "no", "x"), Remedy)).Message, StringComparison.Ordinal);
        Assert.Contains("is a folder", Assert.Throws<WeightsException>(() => s_known.Open(folder, Remedy)).Message, StringComparison.Ordinal);
        Assert.SkipUnless(File.Exists("/dev/zero"), "There are no such files here.");
        Assert.Contains("it has 0 bytes", Assert.Throws<WeightsException>(() => s_known.Open("/dev/zero", Remedy)).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_resource_is_read_out_of_an_assembly()
    {
        using var stream = File.OpenRead(typeof(WeightFileTests).Assembly.Location);
        byte[] expected = File.ReadAllBytes(Path.Combine(AppContext.BaseDirectory, "data", "embeddings.json"));
        Assert.Equal(expected, AssemblyResource.Read(stream, "Tests.embeddings.json"));
        Assert.Equal(expected, AssemblyResource.Read(stream, "Tests.embeddings.json")); // wherever the stream stands
        Assert.Contains("no resource nothing", Assert.Throws<InvalidDataException>(() => AssemblyResource.Read(stream, "nothing")).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void What_is_no_assembly_has_no_resources()
    {
        byte[] assembly = File.ReadAllBytes(typeof(WeightFileTests).Assembly.Location);
        foreach (byte[] bytes in new[] { [], s_bytes, assembly[..100], assembly[..1000] })
        {
            using var stream = new MemoryStream(bytes);
            Assert.Throws<InvalidDataException>(() => AssemblyResource.Read(stream, "Tests.embeddings.json"));
        }
    }

    [Fact]
    public void Tensors_of_a_model_have_names_and_shapes()
    {
        var weights = new OnnxWeights(RandomModels.MiniLm());
        Assert.Equal(384, weights.Floats("embeddings.LayerNorm.bias", 384).Length);
        Assert.Equal(384 * 1536, weights.MatrixBeside("encoder.layer.2.intermediate.dense.bias", 384, 1536).Length);
        Assert.Contains("no tensor nothing", Assert.Throws<InvalidDataException>(() => weights.Floats("nothing", 1)).Message, StringComparison.Ordinal);
        Assert.Contains("is 384, 385 is needed", Assert.Throws<InvalidDataException>(() => weights.Floats("embeddings.LayerNorm.bias", 385)).Message, StringComparison.Ordinal);
        Assert.Contains("is 384 x 1536, 1536 x 384 is needed", Assert.Throws<InvalidDataException>(() => weights.MatrixBeside("encoder.layer.2.intermediate.dense.bias", 1536, 384)).Message, StringComparison.Ordinal);
        Assert.Contains("no product", Assert.Throws<InvalidDataException>(() => weights.MatrixBeside("embeddings.LayerNorm.bias", 1, 1)).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_damaged_model_is_refused()
    {
        Assert.Throws<InvalidDataException>(() => new OnnxWeights([0xFF, 0xFF, 0xFF]));
        Assert.Throws<InvalidDataException>(() => new OnnxWeights([]));
        var tensor = new TensorProto { Name = "x", DataType = (int)TensorProto.Types.DataType.Float, RawData = ByteString.CopyFrom(1, 2, 3) };
        tensor.Dims.Add(1);
        var model = new ModelProto { Graph = new GraphProto() };
        model.Graph.Initializer.Add(tensor);
        Assert.Contains("has 3 bytes", Assert.Throws<InvalidDataException>(() => new OnnxWeights(model.ToByteArray()).Floats("x", 1)).Message, StringComparison.Ordinal);
        tensor.DataType = (int)TensorProto.Types.DataType.Int64;
        Assert.Contains("does not hold floats", Assert.Throws<InvalidDataException>(() => new OnnxWeights(model.ToByteArray()).Floats("x", 1)).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_list_of_tensors_and_its_bytes_belong_together()
    {
        byte[] list = RandomModels.ListOf([("a", [1, 1, 2], "float32"), ("b", [], "int32"), ("c", [2, 1], "float32")]);
        byte[] bytes = new byte[20];
        BitConverter.TryWriteBytes(bytes.AsSpan(4), 7f);
        var tensors = new TensorList(list, bytes);
        Assert.Equal([0f, 7f], tensors.Floats("a", 2));
        Assert.Equal([0f, 0f], tensors.Floats("c", 2, 1));
        Assert.Throws<InvalidDataException>(() => tensors.Floats("a", 3));
        Assert.Throws<InvalidDataException>(() => tensors.Floats("b"));
        Assert.Throws<InvalidDataException>(() => tensors.Floats("d", 1));
        Assert.Throws<InvalidDataException>(() => new TensorList(list, new byte[19]));
        Assert.Throws<InvalidDataException>(() => new TensorList(list, new byte[24]));
        Assert.Throws<InvalidDataException>(() => new TensorList(RandomModels.ListOf([("a", [1], "float16")]), new byte[4]));
    }

    [Fact]
    public void One_altered_byte_of_the_published_weights_is_found()
    {
        _ = Published.UseLite;
        string original = WeightPlaces.UseLite(), copy = "";
        foreach (string file in Directory.EnumerateFiles(original)) copy = Path.GetDirectoryName(_folder.Write(Path.GetFileName(file), File.ReadAllBytes(file)))!;
        UseLitePackage.Read(copy);
        foreach (var file in UseLitePackage.Shards.Append(UseLitePackage.List).Append(UseLitePackage.Vocabulary))
        {
            string path = Path.Combine(copy, file.Name);
            Flip();
            Assert.Contains($"{path} is not the published file", Assert.Throws<WeightsException>(() => UseLitePackage.Read(copy)).Message, StringComparison.Ordinal);
            Flip();

            void Flip()
            {
                using var stream = new FileStream(path, FileMode.Open, FileAccess.ReadWrite);
                stream.Position = file.Length / 2;
                int value = stream.ReadByte();
                stream.Position--;
                stream.WriteByte((byte)(value ^ 1));
            }
        }
        File.Delete(Path.Combine(copy, "group1-shard5of7"));
        Assert.Contains("group1-shard5of7 does not exist", Assert.Throws<WeightsException>(() => UseLitePackage.Read(copy)).Message, StringComparison.Ordinal);
    }
}
