using Xunit;

namespace AttentionGen.Kernels.Tests;

/// <summary>States of linear attention as objects and as files, which may be damaged or hostile.</summary>
public class LinearAttentionStateTests
{
    [Fact]
    public void A_saved_state_is_read_again_and_the_stream_is_left_behind_it()
    {
        var state = Filled();
        var stream = new MemoryStream();
        state.Save(stream);
        long end = stream.Position;
        stream.WriteByte(7);
        stream.Position = 0;
        var loaded = LinearAttentionState.Load(stream);
        Assert.Equal(end, stream.Position);
        Same(state, loaded);
        Same(state, state.Clone());
        var clone = state.Clone();
        clone.Clear();
        Assert.All(clone.StateOf(1).ToArray(), x => Assert.Equal(0, x));
        Assert.NotEqual(0, state.StateOf(1)[0]);
    }

    [Fact]
    public void A_changed_or_cut_file_is_refused()
    {
        var stream = new MemoryStream();
        Filled().Save(stream);
        byte[] file = stream.ToArray();
        for (int i = 0; i < file.Length; i += i < 60 ? 1 : 97)
        {
            byte[] wrong = [.. file];
            wrong[i] ^= 0x40;
            Assert.Throws<InvalidDataException>(() => LinearAttentionState.Load(new MemoryStream(wrong)));
            Assert.Throws<InvalidDataException>(() => LinearAttentionState.Load(new MemoryStream(file[..i])));
        }
    }

    /// <summary>Numbers that promise gigabytes take no memory before these arrive.</summary>
    [Fact]
    public void Memory_is_taken_as_numbers_arrive()
    {
        var stream = new MemoryStream();
        new LinearAttentionState(2, 4).Save(stream);
        byte[] file = stream.ToArray();
        foreach (var (offset, number) in new[] { (20, 4096), (24, 512), (28, 512), (32, int.MaxValue) }) BitConverter.TryWriteBytes(file.AsSpan(offset), number);
        long before = GC.GetAllocatedBytesForCurrentThread();
        Assert.Throws<InvalidDataException>(() => LinearAttentionState.Load(new MemoryStream(file)));
        Assert.InRange(GC.GetAllocatedBytesForCurrentThread() - before, 0, 1 << 20);
    }

    [Fact]
    public void Another_kind_of_file_is_refused()
    {
        var stream = new MemoryStream();
        using var cache = new KeyValueCache<float>(2, 4);
        cache.Save(stream);
        stream.Position = 0;
        Assert.Contains("not a LinearAttentionState", Assert.Throws<InvalidDataException>(() => LinearAttentionState.Load(stream)).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Wrong_numbers_are_refused()
    {
        Assert.Throws<ArgumentOutOfRangeException>(() => new LinearAttentionState(0, 4));
        Assert.Throws<ArgumentOutOfRangeException>(() => new LinearAttentionState(1, 513));
        Assert.Throws<ArgumentOutOfRangeException>(() => new LinearAttentionState(1, 4, layers: 0));
        Assert.Throws<ArgumentOutOfRangeException>(() => new LinearAttentionState(1, 4, batch: 0));
        Assert.Throws<OverflowException>(() => new LinearAttentionState(4096, 512, 512, batch: 2));
        Assert.Throws<ArgumentOutOfRangeException>(() => new LinearAttentionState(1, 4).StateOf(1));
        Assert.Throws<InvalidOperationException>(() => new LinearAttentionState(1, 4).NormalizerOf());
    }

    private static LinearAttentionState Filled()
    {
        var state = new LinearAttentionState(2, 8, 12, layers: 3, batch: 2, hasNormalizer: true);
        var random = new Random(1);
        for (int layer = 0; layer < 3; layer++)
        {
            foreach (ref float x in state.StateOf(layer)) x = random.NextSingle() + 0.5f;
            foreach (ref float x in state.NormalizerOf(layer)) x = random.NextSingle() + 0.5f;
        }

        return state;
    }

    private static void Same(LinearAttentionState expected, LinearAttentionState actual)
    {
        Assert.Equal((expected.KeyValueHeads, expected.HeadDim, expected.ValueDim, expected.Layers, expected.Batch, expected.HasNormalizer), (actual.KeyValueHeads, actual.HeadDim, actual.ValueDim, actual.Layers, actual.Batch, actual.HasNormalizer));
        for (int layer = 0; layer < expected.Layers; layer++)
        {
            Assert.Equal(expected.StateOf(layer), actual.StateOf(layer));
            Assert.Equal(expected.NormalizerOf(layer), actual.NormalizerOf(layer));
        }
    }
}
