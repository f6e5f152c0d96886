using AttentionGen.CompilerServices;
using Xunit;
using static AttentionGen.Kernels.Tests.RingCalls;

namespace AttentionGen.Kernels.Tests;

/// <summary>Saved rings: what comes back goes on as the saved one would.</summary>
[Collection(nameof(Isolated))]
public class RingFileTests
{
    /// <summary>Rings that are empty, not full, and wrapped anywhere, in one page or several, some with tokens cut off; layers of different lengths.</summary>
    [Theory]
    [InlineData(false, new[] { 0 }, 0)]
    [InlineData(false, new[] { 3 }, 0)]
    [InlineData(false, new[] { 20, 1 }, 1)]
    [InlineData(false, new[] { 24, 1, 9 }, 0)]
    [InlineData(false, new[] { 200, 7 }, 6)]
    [InlineData(true, new[] { 300 }, 2)]
    [InlineData(true, new[] { 900, 130 }, 9)]
    public void A_saved_ring_goes_on_with_the_same_bits(bool large, int[] pieces, int cut)
    {
        var declaration = large ? Large : First;
        Run<float>();
        if (large) return;
        Run<Half>();
        Run<BFloat16>();
        Run<sbyte>();

        void Run<T>()
            where T : unmanaged
        {
            const int Slack = 10;
            var (step, read) = Of<T>(declaration);
            using var pages = new GuardedCacheMemory();
            using var cache = Create<T>(declaration, Slack, layers: 2);
            var history = new RingHistory<T>[] { new(declaration), new(declaration) };
            int seed = 1;
            foreach (int tokens in pieces) Step([cache], 0, tokens, check: false);
            Step([cache], 1, pieces[0], check: false);
            int cutTo = cache.Length - cut;
            cache.Truncate(cutTo);
            foreach (var of in history) of.Truncate(cutTo);

            byte[] file = [7, .. SavedCaches.Save(cache.Save), 8];
            var stream = new SlowStream(file) { Position = 1 };
            using var loaded = RingKeyValueCache<T>.Load(stream);
            Assert.Equal(file.Length - 1, stream.Position);
            Assert.Equal(
                (cache.Window, cache.Slack, cache.FirstKeys, cache.KeyValueHeads, cache.HeadDim, cache.ValueDim, cache.Layers),
                (loaded.Window, loaded.Slack, loaded.FirstKeys, loaded.KeyValueHeads, loaded.HeadDim, loaded.ValueDim, loaded.Layers));
            Assert.InRange(loaded.Bytes, 0, cache.Bytes);
            Same();
            Assert.Equal(file[1..^1], SavedCaches.Save(loaded.Save));

            foreach (int tokens in new[] { 1, Slack + 1, 30, 2 })
                for (int layer = 0; layer < 2; layer++)
                {
                    Step([cache, loaded], layer, tokens, check: !large || tokens == 2);
                    Same();
                }

            cache.Truncate(cache.Length - 2);
            loaded.Truncate(cache.Length);
            Same();
            loaded.EnsureCapacity(1 << 30);
            Assert.Equal(cache.Bytes, loaded.Bytes);
            Assert.Throws<ArgumentOutOfRangeException>(() => loaded.EnsureCapacity(-1));
            using var clone = loaded.Clone();
            Assert.Equal(SavedCaches.Contents<T>(cache), SavedCaches.Contents<T>(clone));

            void Same()
            {
                for (int layer = 0; layer < 2; layer++)
                {
                    Assert.Equal((cache.LengthOf(layer), cache.RetainedOf(layer)), (loaded.LengthOf(layer), loaded.RetainedOf(layer)));
                    history[layer].Check(loaded, layer);
                }

                Assert.Equal(SavedCaches.Contents<T>(cache), SavedCaches.Contents<T>(loaded));
            }

            void Step(RingKeyValueCache<T>[] rings, int layer, int tokens, bool check)
            {
                var inputs = new Inputs(new Problem(declaration, tokens, tokens), seed++);
                float[][] outputs = [.. rings.Select(_ => new float[inputs.Problem.OutputLength])];
                for (int i = 0; i < rings.Length; i++) step(inputs.Query, inputs.Key, inputs.Value, rings[i], layer, 1, outputs[i]);
                history[layer].Add(inputs);
                Assert.All(outputs, output => Assert.Equal(outputs[0], output));
                if (check && tokens > 0) history[layer].Check(inputs.Query, outputs[0]);
            }
        }
    }

    [Fact]
    public void The_format_of_files_stays()
    {
        using var cache = new RingKeyValueCache<Half>(1, 2, window: 1, slack: 1, valueDim: 1, layers: 2, firstKeys: 1);
        cache.Append([(Half)1, (Half)1, (Half)2, (Half)2, (Half)3, (Half)3, (Half)4, (Half)4], [(Half)1, (Half)2, (Half)3, (Half)4]);
        cache.Append([(Half)5, (Half)5], [(Half)5], layer: 1);
        cache.Truncate(3); // of the tokens 0, 2 and 3
        byte[] file = SavedCaches.Save(cache.Save);
        Assert.Equal(
            "8941474B560D0A0A" + "01000000" + "02000000" + "02000000" + "01000000" + "02000000" + "01000000" + "02000000" // head
            + "01000000" + "01000000" + "01000000" // window, slack, first keys
            + "03000000" + "01000000" + "02000000" + "00000000" // lengths and first tokens
            + "003C003C" + "00000000" + "00420042" + "003C" + "0000" + "0042" // places: token 0, that of the token that was cut off, token 2
            + "00450045" + "0045",
            Convert.ToHexString(file.AsSpan(0, file.Length - 16)));
        Assert.Equal(SavedCaches.Checked(file.AsSpan(0, file.Length - 16)), file);
    }

    [Fact]
    public void A_loaded_ring_whose_memory_fails_changes_nothing()
    {
        var (step, _) = Of<float>(Large);
        using var cache = Create<float>(Large, slack: 4, layers: 2);
        cache.Append(new float[16 * 2], new float[16 * 2]);
        byte[] file = SavedCaches.Save(cache.Save);
        foreach (int tokens in new[] { 720, 500 })
        {
            using var loaded = RingKeyValueCache<float>.Load(new MemoryStream(file));
            float[] rows = new float[16 * tokens], output = new float[16 * tokens];
            Faults.Injected = fault =>
            {
                if (fault == Fault.NativeMemory) throw new InsufficientMemoryException("injected");
            };
            try
            {
                Assert.Throws<InsufficientMemoryException>(() => loaded.Append(rows, rows));
                Assert.Throws<InsufficientMemoryException>(() => loaded.EnsureCapacity(tokens));
                Assert.Throws<InsufficientMemoryException>(() => step(rows, rows, rows, loaded, 0, 1, output));
            }
            finally
            {
                Faults.Injected = null;
            }

            Assert.Equal((2, 0..2, 0), (loaded.Length, loaded.Retained, loaded.LengthOf(1)));
            Assert.Equal(SavedCaches.Contents<float>(cache), SavedCaches.Contents<float>(loaded));
            step(rows, rows, rows, loaded, 0, 1, output);
            Assert.Equal(tokens + 2, loaded.Length);
        }
    }
}
