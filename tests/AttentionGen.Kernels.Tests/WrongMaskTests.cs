using System.Runtime.InteropServices;
using Xunit;

namespace AttentionGen.Kernels.Tests;

/// <summary>Documents, prefixes and lists of blocks that do not fit: an exception that names the parameter and the numbers, before anything is written.</summary>
public class WrongMaskTests
{
    private static readonly Declaration s_packed = new(2, 16)
    {
        Mask = AttentionMask.Causal, Roles = Roles.MaxThreads | Roles.LogSumExp | Roles.Scratch | Roles.DocumentStarts | Roles.KeyDocumentStarts | Roles.QueryStarts | Roles.KeyLengths | Roles.PrefixLengths,
    };

    private static readonly Declaration s_sparse = new(2, 16) { KeyValueHeads = 1, Roles = Roles.MaxThreads | Roles.LogSumExp | Roles.Scratch, Blocks = (4, 32, AttentionAxes.Head | AttentionAxes.Query) };

    internal static readonly Declaration[] Declarations = [s_packed, s_sparse];

    private delegate KernelArguments Change(KernelArguments good);

    [Theory]
    [InlineData("documentStarts has 0 elements: it begins with 0, and the end of each document follows, that of the last being the 10 tokens of query.")]
    [InlineData("documentStarts goes from 0 to 0, from 0 to the 10 tokens of query is needed.", 0)]
    [InlineData("documentStarts goes from 1 to 10, from 0 to the 10 tokens of query is needed.", 1, 4, 10)]
    [InlineData("documentStarts goes from 0 to 9, from 0 to the 10 tokens of query is needed.", 0, 4, 9)]
    [InlineData("documentStarts[2] is 3, but the document before begins at 4: starts must not fall.", 0, 4, 3, 10)]
    [InlineData("documentStarts[1] is -1, but the document before begins at 0: starts must not fall.", 0, -1, 10)]
    public void Documents_that_are_no_cut(string message, params int[] starts) => Throws(s_packed, "documentStarts", message, good => good with { DocumentStarts = starts });

    [Theory]
    [InlineData("keyDocumentStarts goes from 0 to 10, from 0 to the 70 tokens of key is needed.", 0, 4, 10)]
    [InlineData("keyDocumentStarts has 4 elements, documentStarts has 3: both have one for each document and the end of the last.", 0, 4, 5, 70)]
    public void Documents_of_keys_that_do_not_fit(string message, params int[] starts) => Throws(s_packed, "keyDocumentStarts", message, good => good with { KeyDocumentStarts = starts });

    [Fact]
    public void Numbers_that_are_not_one_for_each_document()
    {
        Throws(s_packed, "queryStarts", "queryStarts has 1 elements, one for each of the 2 documents is needed.", good => good with { QueryStarts = new int[1] });
        Throws(s_packed, "keyLengths", "keyLengths has 3 elements, one for each of the 2 documents is needed.", good => good with { KeyLengths = new int[3] });
        Throws(s_packed, "keyLengths", "keyLengths[0] is 41, a number of keys from 0 to 40 is needed.", good => good with { KeyLengths = new[] { 41, 0 } });
        Throws(s_packed, "prefixLengths", "prefixLengths has 3 elements, one for each of the 2 documents is needed.", good => good with { PrefixLengths = new int[3] });
        Throws(s_packed, "prefixLengths", "prefixLengths[1] is -1, a number of keys of 0 or more is needed.", good => good with { PrefixLengths = new[] { 0, -1 } });
    }

    [Theory]
    [InlineData("keyBlockStarts has 3 elements, 4 are needed: where each of the 3 lists begins, and where the last ends.", 0, 1, 2)]
    [InlineData("keyBlockStarts goes from 1 to 4, from 0 to the 4 elements of keyBlocks is needed.", 1, 1, 2, 4)]
    [InlineData("keyBlockStarts goes from 0 to 5, from 0 to the 4 elements of keyBlocks is needed.", 0, 1, 2, 5)]
    [InlineData("keyBlockStarts[2] is 1, but the list before begins at 2: starts must not fall.", 0, 2, 1, 4)]
    [InlineData("keyBlockStarts[2] is 3, but the list before begins at 9: starts must not fall.", 0, 9, 3, 4)]
    [InlineData("keyBlockStarts[1] is -1, but the list before begins at 0: starts must not fall.", 0, -1, 3, 4)]
    public void Lists_that_are_no_cut(string message, params int[] starts) => Throws(s_sparse, "keyBlockStarts", message, good => good with { KeyBlockStarts = starts });

    [Theory]
    [InlineData("keyBlocks[0] is 3, a block from 0 to 2 is needed: list 0 rises, and there are 3 blocks of keys.", 3, 0, 1, 2)]
    [InlineData("keyBlocks[0] is -1, a block from 0 to 2 is needed: list 0 rises, and there are 3 blocks of keys.", -1, 0, 1, 2)]
    [InlineData("keyBlocks[3] is 1, a block from 2 to 2 is needed: list 2 rises, and there are 3 blocks of keys.", 0, 0, 1, 1)]
    public void Blocks_that_are_not_there_or_do_not_rise(string message, params int[] blocks) => Throws(s_sparse, "keyBlocks", message, good => good with { KeyBlocks = blocks });

    /// <summary>All of them are read while output, log-sum-exps and scratch are written.</summary>
    [Fact]
    public void Numbers_of_a_mask_in_memory_that_is_written()
    {
        foreach (var (declaration, names) in new[] { (s_packed, new[] { "documentStarts", "keyDocumentStarts", "queryStarts", "keyLengths", "prefixLengths" }), (s_sparse, ["keyBlockStarts", "keyBlocks"]) })
        {
            foreach (string name in names)
            {
                float[] shared = new float[1 << 16];
                Throws(declaration, "output", $"output overlaps {name}.", good => Place(good, name, shared) with { Output = shared.AsSpan(0, good.Output.Length) });
                Throws(declaration, "logSumExp", $"logSumExp overlaps {name}.", good => Place(good, name, shared) with { LogSumExp = shared.AsSpan(0, good.LogSumExp.Length) });
                Throws(declaration, "scratch", $"scratch overlaps {name}.", good => Place(good, name, shared) with { Scratch = MemoryMarshal.AsBytes(shared.AsSpan()) });
            }
        }
    }

    /// <summary>Some documents are read as they lie and others packed, which takes more memory: with too little for one of them nothing is written of the others.</summary>
    [Fact]
    public void Memory_for_some_documents_only()
    {
        var problem = new Problem(s_packed, 301, 301) { DocumentStarts = [0, 1, 300, 301], KeyDocumentStarts = [0, 1, 300, 301], QueryStarts = [0, 0, 0], KeyLengths = [1, 299, 1], PrefixLengths = [0, 0, 0] };
        var inputs = new Inputs(problem);
        float[] expected = inputs.Run(Catalogue.Kernels), output = new float[problem.OutputLength];
        int refused = 0, size = 64;
        for (bool fits = false; !fits; size *= 2)
        {
            output.AsSpan().Fill(7);
            var arguments = inputs.Arguments(inputs.Query, inputs.Key, inputs.Value, output) with { Scratch = new byte[size] };
            try
            {
                Catalogue.Kernels[s_packed].Body(arguments);
                fits = true;
                ThreadTests.AssertSameBits(expected, output);
            }
            catch (ArgumentException exception)
            {
                Assert.Equal("scratch", exception.ParamName);
                Assert.All(output, x => Assert.Equal(7, x));
                Assert.True(++refused < 24, exception.Message);
            }
        }

        Assert.InRange(refused, 5, 24);
    }

    /// <summary>The numbers of a parameter, moved to the beginning of some memory.</summary>
    private static KernelArguments Place(KernelArguments good, string name, float[] shared)
    {
        var place = MemoryMarshal.Cast<float, int>(shared.AsSpan());
        ReadOnlySpan<int> Moved(ReadOnlySpan<int> numbers, Span<int> to)
        {
            numbers.CopyTo(to);
            return to[..numbers.Length];
        }

        return name switch
        {
            "documentStarts" => good with { DocumentStarts = Moved(good.DocumentStarts, place) },
            "keyDocumentStarts" => good with { KeyDocumentStarts = Moved(good.KeyDocumentStarts, place) },
            "queryStarts" => good with { QueryStarts = Moved(good.QueryStarts, place) },
            "keyLengths" => good with { KeyLengths = Moved(good.KeyLengths, place) },
            "prefixLengths" => good with { PrefixLengths = Moved(good.PrefixLengths, place) },
            "keyBlockStarts" => good with { KeyBlockStarts = Moved(good.KeyBlockStarts, place) },
            _ => good with { KeyBlocks = Moved(good.KeyBlocks, place) },
        };
    }

    private static void Throws(Declaration declaration, string parameter, string message, Change change)
    {
        var problem = declaration == s_packed
            ? new Problem(declaration, 10, 70) { DocumentStarts = [0, 4, 10], KeyDocumentStarts = [0, 40, 70], QueryStarts = [0, 3], KeyLengths = [40, 30], PrefixLengths = [0, 5] }
            : new Problem(declaration, 10, 70) { Lists = ([0, 1, 2, 4], [0, 2, 0, 1]) };
        var inputs = new Inputs(problem);
        float[] output = new float[problem.OutputLength];
        Catalogue.Kernels[declaration].Body(inputs.Arguments(inputs.Query, inputs.Key, inputs.Value, output)); // what is changed is all that is wrong
        output.AsSpan().Fill(7);
        var good = inputs.Arguments(inputs.Query, inputs.Key, inputs.Value, output);
        float[] logSumExp = inputs.LogSumExp;
        ArgumentException? thrown = null;
        try
        {
            Catalogue.Kernels[declaration].Body(change(good));
        }
        catch (ArgumentException exception)
        {
            thrown = exception;
        }

        Assert.NotNull(thrown);
        Assert.Equal(parameter, thrown.ParamName);
        Assert.StartsWith(message, thrown.Message, StringComparison.Ordinal);
        Assert.All(output, x => Assert.Equal(7, x));
        Assert.All(logSumExp, x => Assert.True(float.IsNaN(x)));
    }
}
