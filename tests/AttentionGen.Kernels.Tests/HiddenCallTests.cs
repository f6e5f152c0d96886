using System.Runtime.InteropServices;
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

    /// <summary>Other axes would let a core read or write where the operand has no element.</summary>
    [Fact]
    public void Operands_of_no_role_or_other_axes()
    {
        Throws<ArgumentOutOfRangeException>("role", (ref ForwardCall call) => call.Input((AttentionRole)(-1), new float[2], AttentionAxes.Head));
        Throws<ArgumentOutOfRangeException>("role", (ref ForwardCall call) => call.Input((AttentionRole)1000, new float[2], AttentionAxes.Head));
        Throws<ArgumentOutOfRangeException>("role", (ref ForwardCall call) => call.Input(AttentionRole.LogSumExp, new float[2], AttentionAxes.Batch | AttentionAxes.Head | AttentionAxes.Query));
        Throws<ArgumentOutOfRangeException>("role", (ref ForwardCall call) => call.Input(AttentionRole.Keep, new float[1], AttentionAxes.Query | AttentionAxes.Key));
        Throws<ArgumentOutOfRangeException>("role", (ref ForwardCall call) => call.Input(AttentionRole.RelativeBias, new float[2], AttentionAxes.Head));
        Throws<ArgumentOutOfRangeException>("role", (ref ForwardCall call) => call.Input(AttentionRole.Slopes, new float[1], AttentionAxes.None));
        Throws<ArgumentOutOfRangeException>("role", (ref ForwardCall call) => call.Result(AttentionRole.Slopes, new float[2], AttentionAxes.Head));
        Throws<ArgumentOutOfRangeException>("role", (ref ForwardCall call) => call.Result(AttentionRole.ArgMax, new float[2], AttentionAxes.Batch | AttentionAxes.Head | AttentionAxes.Query));
        Throws<ArgumentOutOfRangeException>("role", (ref ForwardCall call) => call.Result(AttentionRole.Scores, new float[2], AttentionAxes.Batch | AttentionAxes.Head | AttentionAxes.Query));
    }

    /// <summary>Memory that is written is compared with all other memory, whichever of the two is given first; the message names both parameters.</summary>
    [Fact]
    public void Arguments_that_overlap_in_any_order()
    {
        float[] shared = new float[4];
        int[] ints = new int[4];
        const AttentionAxes OfRows = AttentionAxes.Batch | AttentionAxes.Head | AttentionAxes.Query;
        Names("sums", "sinks", (ref ForwardCall call) =>
        {
            call.Result(AttentionRole.LogSumExp, shared.AsSpan(0, 2), OfRows, "sums");
            call.Input(AttentionRole.Sinks, shared.AsSpan(1, 2), AttentionAxes.Head, "sinks");
        });
        Names("sums", "sinks", (ref ForwardCall call) =>
        {
            call.Input(AttentionRole.Sinks, shared.AsSpan(1, 2), AttentionAxes.Head, "sinks");
            call.Result(AttentionRole.LogSumExp, shared.AsSpan(0, 2), OfRows, "sums");
        });
        Names("highest", "lengths", (ref ForwardCall call) =>
        {
            call.Result(AttentionRole.ArgMax, ints.AsSpan(0, 2), OfRows, "highest");
            call.KeyLengths(ints.AsSpan(0, 1), "lengths");
        });
        Names("scratch", "table", (ref ForwardCall call) =>
        {
            call.Scratch(MemoryMarshal.AsBytes(shared.AsSpan()), "scratch");
            call.Span(0, shared.AsSpan(3), AttentionAxes.None, "table");
        });
        Names("highest", "table", (ref ForwardCall call) =>
        {
            call.Result(AttentionRole.MaxScore, shared.AsSpan(2), OfRows, "highest");
            call.Span(1, shared.AsSpan(3), AttentionAxes.None, "table");
        });
        Throws<InvalidOperationException>(null, (ref ForwardCall call) => // inputs may share memory, and what is only beside what is written is apart from it
        {
            call.Result(AttentionRole.MaxScore, shared.AsSpan(0, 2), OfRows);
            call.Input(AttentionRole.Sinks, shared.AsSpan(2), AttentionAxes.Head);
            call.Input(AttentionRole.Slopes, shared.AsSpan(2), AttentionAxes.Head);
            call.RunPrefill<NoCore>();
        });

        static void Names(string written, string other, Use use)
        {
            var thrown = Throws<ArgumentException>(written, use);
            Assert.Contains($"{written} overlaps {other}.", thrown.Message, StringComparison.Ordinal);
        }
    }

    [Fact]
    public void More_arguments_than_a_kernel_can_have() => Throws<InvalidOperationException>(null, (ref ForwardCall call) =>
    {
        float[] slopes = new float[2];
        for (int i = 0; i < 100; i++) call.Input(AttentionRole.Slopes, slopes, AttentionAxes.Head);
    });

    /// <summary>The numbers of a call are returned once, whatever is done with copies of it: returned twice, two later calls would share an array.</summary>
    [Fact]
    public void Copies_of_a_call_do_not_return_its_numbers_again()
    {
        float[] query = new float[16], output = new float[16];
        var tensor = KernelTensor.Of(query, AttentionLayout.TokenMajor, 2, 8, 16);
        ForwardCall call = default;
        call.Tensors(-1, -1, tensor, tensor, tensor, KernelTensor.Of(output, AttentionLayout.TokenMajor, 2, 8, 16));
        call.KeyLengths([1]);
        var copy = call;
        call.RunPrefill<EmptyCore>();
        bool thrown = false;
        try
        {
            copy.RunPrefill<EmptyCore>();
        }
        catch (InvalidOperationException e)
        {
            thrown = e.Message.Contains("run already", StringComparison.Ordinal);
        }

        Assert.True(thrown);
    }

    /// <summary>The loops of linear attention take the dimensions, types and lengths of some tensors for those of others.</summary>
    [Fact]
    public void Linear_attention_of_tensors_that_do_not_fit()
    {
        Broken("head dimensions", keyDim: 4);
        Broken("head dimensions", outputDim: 4);
        Broken("head dimensions", queryDim: 1024, keyDim: 1024);
        Broken("heads", valueHeads: 1);
        Broken("heads", outputHeads: 1);
        Assert.Throws<ArgumentException>(() =>
        {
            RecurrenceCall call = default;
            call.Tensors(Tensor(2, 8, tokens: 3), Tensor(2, 8), Tensor(2, 8), Tensor(2, 8, tokens: 3), ordered: false);
            call.Run(causal: true, LinearAttentionFeatureMap.None, 1, normalizes: false);
        });
        foreach (bool hasState in new[] { false, true })
            Assert.Throws<InvalidOperationException>(() =>
            {
                RecurrenceCall call = default;
                call.Tensors(Tensor(2, 8), Tensor(2, 8), Tensor(2, 8), Tensor(2, 8), ordered: true);
                if (hasState) call.State(new float[2 * 8 * 8]);
                else call.DocumentStarts([0, 2]);
                call.DocumentStarts([0, 1, 2]);
            });

        static void Broken(string what, int queryDim = 8, int keyDim = 8, int outputDim = 8, int valueHeads = 2, int outputHeads = 2) => Assert.Contains(what, Assert.Throws<InvalidOperationException>(() =>
        {
            RecurrenceCall call = default;
            call.Tensors(Tensor(2, queryDim), Tensor(2, keyDim), Tensor(valueHeads, 8), Tensor(outputHeads, outputDim), ordered: true);
        }).Message, StringComparison.Ordinal);

        static KernelTensor Tensor(int heads, int dim, int tokens = 2) => KernelTensor.Of(new float[tokens * heads * dim], AttentionLayout.TokenMajor, heads, dim, heads * dim);
    }

    private static T Throws<T>(string? parameter, Use use)
        where T : Exception
    {
        float[] query = new float[16], key = new float[16], value = new float[16], output = [.. Enumerable.Repeat(7f, 16)];
        ForwardCall call = default;
        call.Tensors(
            -1, -1, KernelTensor.Of(query, AttentionLayout.TokenMajor, 2, 8, 16), KernelTensor.Of(key, AttentionLayout.TokenMajor, 2, 8, 16), KernelTensor.Of(value, AttentionLayout.TokenMajor, 2, 8, 16),
            KernelTensor.Of(output, AttentionLayout.TokenMajor, 2, 8, 16));
        T? thrown = null;
        try
        {
            use(ref call);
        }
        catch (T exception)
        {
            thrown = exception;
        }

        Assert.NotNull(thrown);
        if (parameter is not null) Assert.Equal(parameter, ((ArgumentException)(Exception)thrown).ParamName);
        Assert.All(output, x => Assert.Equal(7f, x));
        return thrown;
    }

    public static TheoryData<string, PrefillPlan> Promises => new()
    {
        { "rows of a block", Plan(leastRows: 6) }, { "keys of a row", Plan(runKeys: 9) }, { "keys of a row", Plan(mostKeys: 9) },
    };

    private static PrefillPlan Plan(int leastRows = 0, int runKeys = 0, int mostKeys = 0) => new() { QueryBlock = 96, KeyBlock = 384, LeastRows = leastRows, RunKeys = runKeys, MostKeys = mostKeys };

    [Theory, MemberData(nameof(Promises), DisableDiscoveryEnumeration = true)]
    public void A_layout_that_a_core_is_not_written_for(string what, PrefillPlan plan)
    {
        Check(plan: null, (_, _, _) => { });
        Check(Plan(), (_, _, _) => { });
        Assert.Contains(what, Assert.Throws<InvalidOperationException>(() => Check(plan, (_, _, _) => { })).Message, StringComparison.Ordinal);
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
            Assert.Contains(what, Assert.Throws<InvalidOperationException>(() => Check(plan: null, change)).Message, StringComparison.Ordinal);
    }

    /// <summary>Two sequences of five queries and ten keys.</summary>
    private static void Check(PrefillPlan? plan, Break change)
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
            if (plan is { } prefill) ForwardChecks.Layout(call, prefill);
            else ForwardChecks.Layout(call);
        }
    }

    private readonly struct EmptyCore : IPrefillCore
    {
        public static PrefillPlan PrefillPlan => new() { HeadDim = 8, ValueDim = 8, Elements = new(sizeof(float), sizeof(float), sizeof(float), sizeof(float)), QueryBlock = 6, TileRows = 6, KeyBlock = 16, PackedKeyFloats = 16, PackedValueFloats = 16, StateRowFloats = 64, ScratchFloats = 1024 };

        public static bool Pack(in KeysToPack keys) => true;

        public static void Prefill(in PrefillBlock block)
        {
        }
    }

    private readonly struct NoCore : IPrefillCore
    {
        public static PrefillPlan PrefillPlan => new() { HeadDim = 24, ValueDim = 24, Elements = new(sizeof(float), sizeof(float), sizeof(float), sizeof(float)), QueryBlock = 6, TileRows = 6, KeyBlock = 16, PackedKeyFloats = 24, PackedValueFloats = 24, StateRowFloats = 64, ScratchFloats = 1024 };

        public static bool Pack(in KeysToPack keys) => throw new NotSupportedException();

        public static void Prefill(in PrefillBlock block) => throw new NotSupportedException();
    }
}
