using AttentionGen.CompilerServices;
using Xunit;

namespace AttentionGen.Kernels.Tests;

/// <summary>What generated code calls is public, so that safe code can call it with any numbers: it gets an exception, and memory stays as it was.</summary>
public unsafe class HiddenCallTests
{
    private delegate void Use(ref ForwardCall call);

    [Theory, InlineData(-1), InlineData(8), InlineData(int.MaxValue), InlineData(int.MinValue)]
    public void Numbers_and_spans_of_no_index(int index)
    {
        Throws<ArgumentOutOfRangeException>("index", (ref ForwardCall call) => call.Number(index, 1));
        Throws<ArgumentOutOfRangeException>("index", (ref ForwardCall call) => call.Number(index, 1f));
        Throws<ArgumentOutOfRangeException>("slot", (ref ForwardCall call) => call.Span(index, new float[4], AttentionAxes.None));
        Throws<ArgumentOutOfRangeException>("slot", (ref ForwardCall call) => call.Span(index == 8 ? 4 : index, new int[4], AttentionAxes.None));
    }

    [Fact]
    public void Blocks_without_a_size()
    {
        Throws<ArgumentOutOfRangeException>("queries", (ref ForwardCall call) => call.Blocks(new int[1], default, 0, 32, AttentionAxes.Query));
        Throws<ArgumentOutOfRangeException>("keys", (ref ForwardCall call) => call.Blocks(new int[1], default, 16, -32, AttentionAxes.Query));
    }

    [Theory, InlineData(0, 8, 16), InlineData(2, 0, 16), InlineData(2, 8, 15), InlineData(2, 8, -1)]
    public void Tensors_of_no_shape(int heads, int dim, int stride) =>
        Assert.Throws<ArgumentOutOfRangeException>(() => { _ = KernelTensor.Of(new float[16], AttentionLayout.TokenMajor, heads, dim, stride); });

    /// <summary>A core for other dimensions would read past each row.</summary>
    [Fact]
    public void A_core_for_other_tensors() => Throws<InvalidOperationException>(null, (ref ForwardCall call) => call.RunPrefill<NoCore>());

    private static void Throws<T>(string? parameter, Use use)
        where T : Exception
    {
        float[] query = new float[16], key = new float[16], value = new float[16], output = [.. Enumerable.Repeat(7f, 16)];
        var call = new ForwardCall(
            -1, -1, KernelTensor.Of(query, AttentionLayout.TokenMajor, 2, 8, 16), KernelTensor.Of(key, AttentionLayout.TokenMajor, 2, 8, 16), KernelTensor.Of(value, AttentionLayout.TokenMajor, 2, 8, 16),
            KernelTensor.Of(output, AttentionLayout.TokenMajor, 2, 8, 16));
        Exception? thrown = null;
        try
        {
            use(ref call);
        }
        catch (T exception)
        {
            thrown = exception;
        }

        Assert.NotNull(thrown);
        if (parameter is not null) Assert.Equal(parameter, ((ArgumentException)thrown).ParamName);
        Assert.All(output, x => Assert.Equal(7f, x));
    }

    public static TheoryData<string, ForwardPlan> Promises => new()
    {
        { "rows of a block", Plan(leastRows: 6) }, { "keys of a row", Plan(runKeys: 9) }, { "keys of a row", Plan(mostKeys: 9) },
    };

    private static ForwardPlan Plan(int leastRows = 0, int runKeys = 0, int mostKeys = 0) => new() { QueryBlock = 96, KeyBlock = 384, LeastRows = leastRows, RunKeys = runKeys, MostKeys = mostKeys };

    [Theory, MemberData(nameof(Promises), DisableDiscoveryEnumeration = true)]
    public void A_layout_that_a_core_is_not_written_for(string what, ForwardPlan plan)
    {
        Check(plan, isDecode: true, (_, _, _) => { });
        Check(Plan(), isDecode: false, (_, _, _) => { });
        Assert.Contains(what, Assert.Throws<InvalidOperationException>(() => Check(plan, isDecode: false, (_, _, _) => { })).Message, StringComparison.Ordinal);
    }

    private delegate void Break(ForwardSequence[] sequences, RowPiece[] pieces, KeyZone[] zones);

    [Fact]
    public void A_layout_outside_of_the_tensors()
    {
        Broken("queries", (sequences, _, _) => sequences[1].Query++);
        Broken("queries", (sequences, _, _) => sequences[0].Query = -1);
        Broken("queries", (sequences, _, _) => sequences[1].Step = 3);
        Broken("keys", (sequences, _, _) => sequences[1].Keys = 21);
        Broken("keys", (sequences, _, _) => sequences[0].Key = 11);
        Broken("batch items", (sequences, _, _) => sequences[0].Batch = 1);
        Broken("rows", (_, pieces, _) => pieces[0].Rows = 4);
        Broken("rows", (_, pieces, _) => pieces[0].Rows = 0);
        Broken("rows", (_, pieces, _) => pieces[1].FirstRow = 1);
        Broken("rows", (_, pieces, _) => pieces[1].Sequence = 0);
        Broken("zones", (_, _, zones) => zones[1].End = 11);
        Broken("zones", (_, _, zones) => zones[0].Begin = -1);

        static void Broken(string what, Break change) =>
            Assert.Contains(what, Assert.Throws<InvalidOperationException>(() => Check(Plan(), isDecode: true, change)).Message, StringComparison.Ordinal);
    }

    /// <summary>Two sequences of five queries and ten keys.</summary>
    private static void Check(ForwardPlan plan, bool isDecode, Break change)
    {
        ForwardSequence[] sequences = [new() { Queries = 5, Keys = 10, Step = 1, Pieces = 1 }, new() { Query = 5, Queries = 5, Key = 10, Keys = 10, Step = 1, FirstPiece = 1, Pieces = 1 }];
        RowPiece[] pieces = [new() { Rows = 5, Zones = 1, Keys = 10, List = -1 }, new() { Sequence = 1, Rows = 5, FirstZone = 1, Zones = 1, Keys = 10, List = -1 }];
        KeyZone[] zones = [new() { End = 10, Low = -MaskTerm.Far, High = MaskTerm.Far }, new() { End = 10, Low = -MaskTerm.Far, High = MaskTerm.Far }];
        change(sequences, pieces, zones);
        fixed (ForwardSequence* s = sequences)
        fixed (RowPiece* p = pieces)
        fixed (KeyZone* z = zones)
        {
            var call = new ForwardArguments { Shape = new ForwardShape(1, 10, 20, 2, 2), Sequences = s, Pieces = p, Zones = z, SequenceCount = 2, PieceCount = 2 };
            ForwardChecks.Layout(call, plan, isDecode);
        }
    }

    private readonly struct NoCore : IPrefillCore
    {
        public static ForwardPlan Plan => new() { QueryBlock = 6, TileRows = 6, KeyBlock = 16, PackedKeyFloats = 24, PackedValueFloats = 24, StateRowFloats = 64, ScratchFloats = 1024 };

        public static bool Pack(in KeysToPack keys) => throw new NotSupportedException();

        public static void Prefill(in PrefillBlock block) => throw new NotSupportedException();
    }
}
