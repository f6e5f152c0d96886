using Xunit;

namespace AttentionGen.Kernels.Tests;

/// <summary>
/// The loops in which a kernel spends its time keep their vectors in registers: a vector on the stack costs a load and a store for every turn, and no
/// result tells. Processes of their own run the kernels once and list what the JIT made of them.
/// </summary>
[Collection(nameof(Isolated))]
public class DisassemblyTests
{
    private const string Listing = "DOTNET_JitStdOutFile", Listed = "*forward_f32*:*";

    /// <summary>Five heads share keys, so that few rows are a tile and a row by itself; or a head has its own.</summary>
    private static readonly Declaration[] s_declarations =
    [
        Of(64), Of(64) with { Mask = AttentionMask.Causal }, Of(128), Of(128) with { Mask = AttentionMask.Causal },
        Of(64) with { Mask = AttentionMask.Causal, Window = (599, -1) }, // a block between the ends of the window, where all rows see all keys
        new(1, 64), new(1, 128) { Mask = AttentionMask.Causal },
        Of(128) with { Mask = AttentionMask.Causal, Rotary = AttentionRotary.Halves }, Of(64) with { Rotary = AttentionRotary.Interleaved },
        Of(32), Of(32) with { QueryLength = 49, KeyLength = 49 }, Of(64) with { QueryLength = 197, KeyLength = 197 },
    ];

    private static readonly KernelGroup s_kernels = new(s_declarations);

    private static readonly Dictionary<AttentionIsas, Lazy<IReadOnlyList<MachineCode>>> s_code = new()
    {
        [AttentionIsas.Avx512] = new(() => Disassemble()),
        [AttentionIsas.Avx2] = new(() => Disassemble(("DOTNET_EnableAVX512", "0"))),
    };

    public static TheoryData<Declaration> Declarations => [.. s_declarations];

    /// <summary>What the other processes run: each way through the kernels.</summary>
    [Theory, MemberData(nameof(Declarations), DisableDiscoveryEnumeration = true)]
    public void Each_way_is_within_the_error_bound(Declaration declaration)
    {
        var lengths = declaration.QueryLength > 0 ? [(declaration.QueryLength, declaration.KeyLength)] : new[] { (1, 900), (3, 900), (7, 900), (100, 900) }; // 3 or 7 queries have tiles of all kinds in decode
        foreach (var (queries, keys) in lengths)
        {
            var inputs = new Inputs(new Problem(declaration, queries, keys));
            Bound.Check(inputs, inputs.Run(s_kernels));
        }
    }

    public static MatrixTheoryData<AttentionIsas, Declaration> Cases => new(s_code.Keys, s_declarations);

    [Theory, MemberData(nameof(Cases), DisableDiscoveryEnumeration = true)]
    public void No_hot_loop_has_a_vector_on_the_stack(AttentionIsas isa, Declaration declaration)
    {
        var code = Code(declaration, isa).FindAll(method => IsProduct(Method(method)));
        string[] ways = declaration.QueryLength > 0 ? [Tile(isa), "Values"] : [Tile(isa), "Values", "DecodeScores"];
        foreach (string way in ways)
            Assert.Contains(code, method => Method(method).StartsWith(way, StringComparison.Ordinal) && HotLoops(method).Count > 0);

        var spills = from method in code
                     from loop in HotLoops(method)
                     let spilled = loop.Where(method.HasVectorOnStack).ToList()
                     where spilled.Count > 0
                     select $"{method.Name}, a loop of {loop.Count} instructions:\n    {string.Join("\n    ", spilled)}";
        Assert.True(!spills.Any(), string.Join('\n', spills));
    }

    /// <summary>
    /// The instructions of softmax that move a vector to or from the stack: in an innermost loop, and in all loops of the method. AVX-512 has registers for all of
    /// it; with 16 of them, an exponential and its constants take 13.
    /// </summary>
    private static (int Innermost, int All) OfSoftmax(Declaration declaration, AttentionIsas isa) => (isa, declaration.QueryLength) switch
    {
        (AttentionIsas.Avx512, _) => (0, 0),

        // A row begins with its constants again: four numbers and a mask.
        (_, 49) => (0, 5),

        // The second of four weights waits for the others; a row begins with the numbers of its level and its constants again.
        (_, 197) => (1, 8),

        // Which keys of the last vector a row sees waits for it; four weights at a time need its register, and read it back.
        _ => (1, 3),
    };

    /// <summary>
    /// Between the products, too: scores become weights in the loops around theirs, and rows by themselves have a method for each step. Only rare code may call.
    /// What softmax has on the stack is counted, so that it does not grow.
    /// </summary>
    [Theory, MemberData(nameof(Cases), DisableDiscoveryEnumeration = true)]
    public void Scores_and_softmax_keep_their_vectors_in_registers(AttentionIsas isa, Declaration declaration)
    {
        var code = Code(declaration, isa);
        string[] steps = declaration.QueryLength == 0 ? [Tile(isa), "OnlineSoftmax", "CopyQueries", .. Decode(isa), "AddValues"]
            : isa == AttentionIsas.Avx512 ? [Tile(isa), "OnlineSoftmax"] : [Tile(isa), "RowWeights"];
        foreach (string step in steps) Assert.Contains(code, method => Method(method) == step && VectorLoops(method).Count > 0);

        foreach (var method in code.Where(method => IsProduct(Method(method)) || steps.Contains(Method(method))))
        {
            var (innermost, all) = Method(method) is "OnlineSoftmax" or "RowWeights" ? OfSoftmax(declaration, isa) : (0, 0);
            foreach (var loop in VectorLoops(method))
            {
                AssertAtMost(innermost, loop.Where(method.HasVectorOnStack), $"{method.Name}, a loop of {loop.Count} instructions");
                AssertAtMost(0, loop.Where(IsCall), $"{method.Name}, a loop of {loop.Count} instructions");
            }

            AssertAtMost(all, method.InLoops.Where(method.HasVectorOnStack), $"{method.Name}, all loops");

            // With AVX2 decode asks for the tile of rows, once for each kind of tiles, then calls its method; and it asks beside each call for a row. Tiles of rows that see different keys have a method each.
            bool asks = isa == AttentionIsas.Avx2;
            int calls = Method(method) switch { "Scores" or "Weights" => 1, "DecodeScores" => asks ? 4 : 0, "DecodeValues" => asks ? 12 : 3, _ => 0 };
            AssertAtMost(calls, method.InLoops.Where(IsCall), $"{method.Name}, all loops");
        }
    }

    private static void AssertAtMost(int count, IEnumerable<string> found, string place)
    {
        var instructions = found.ToList();
        Assert.True(instructions.Count <= count, $"{place}: {instructions.Count} instead of at most {count}:\n    {string.Join("\n    ", instructions)}");
    }

    private static List<MachineCode> Code(Declaration declaration, AttentionIsas isa)
    {
        if (IsaMatrixTests.Expected is not null) Assert.Skip("The process that started this one looks at the code of all instruction sets.");
        if (AttentionInfo.Isa is not (AttentionIsas.Avx512 or AttentionIsas.Avx2) || isa > AttentionInfo.Isa) Assert.Skip($"This machine has no {isa}.");
        return [.. s_code[isa].Value.Where(method => method.Name.StartsWith(Core(declaration, isa), StringComparison.Ordinal))];
    }

    /// <summary>The method of a score tile, which leaves weights where scores become weights in registers.</summary>
    private static string Tile(AttentionIsas isa) => isa == AttentionIsas.Avx512 ? "Weights" : "Scores";

    /// <summary>The methods of products in decode: with AVX2 one for each kind of tiles.</summary>
    private static string[] Decode(AttentionIsas isa) =>
        isa == AttentionIsas.Avx512 ? ["DecodeScores", "DecodeValues"] : [.. new[] { "4x3", "2x6", "1x4" }.SelectMany(tile => new[] { $"DecodeScores{tile}", $"DecodeValues{tile}" })];

    private static string Method(MachineCode code) => code.Name.Split(':')[1];

    private static bool IsProduct(string method) =>
        method is "Scores" or "Weights" || method.StartsWith("Values", StringComparison.Ordinal) || method.StartsWith("DecodeScores", StringComparison.Ordinal) || method.StartsWith("OneRow", StringComparison.Ordinal)
        || method.StartsWith("AddValues", StringComparison.Ordinal);

    private static bool IsCall(string instruction) => instruction.StartsWith("call", StringComparison.Ordinal);

    /// <summary>A jump to the end of a loop, where it is decided whether there is a turn at all, and what pads its beginning.</summary>
    [Fact]
    public void A_loop_that_begins_at_its_end_is_found()
    {
        var method = Assert.Single(MachineCode.Read("""
            ; Assembly listing for method AttentionGen.Generated.forward_f32_d1__avx2_6x2:Softmax(byref,int) (FullOpts)
            ; rbp based frame

            G_M000_IG01:                ;; offset=0x0000
                   xor      r13d, r13d
                   jmp      G_M000_IG03
                   align    [2 bytes for IG02]
            G_M000_IG02:                ;; offset=0x0010
                   vfmadd213ps ymm5, ymm14, ymm12
                   vmovups  ymm0, ymmword ptr [rbp-0x50]
                   call     [Some.Other:Softmax(int)]
            G_M000_IG03:                ;; offset=0x0020
                   cmp      ebx, r15d
                   jle      G_M000_IG02
            G_M000_IG04:                ;; offset=0x0030
                   vmovups  ymm0, ymmword ptr [rbp-0x50]
                   ret
            """.ReplaceLineEndings("\n")));
        var loop = Assert.Single(VectorLoops(method));
        Assert.Equal(loop, Assert.Single(HotLoops(method)));
        Assert.Equal(loop, method.InLoops);
        Assert.Single(loop, method.HasVectorOnStack);
        Assert.Single(loop, IsCall);
    }

    /// <summary>Innermost but for a loop that only fetches memory; code behind the end that jumps back into it is none; what lies outside may be on the stack.</summary>
    [Theory]
    [InlineData("rbp based frame", "[rbp-0x50]", true)]
    [InlineData("rbp based frame", "[rsp+0x40]", true)]
    [InlineData("rsp based frame", "[rsp+0x40]", true)]
    [InlineData("rsp based frame", "[rbp+4*rax]", false)]
    [InlineData("rbp based frame", "[rsi+0x40]", false)]
    public void A_vector_on_the_stack_is_found(string frame, string address, bool isFound)
    {
        var method = Assert.Single(MachineCode.Read($"""
            ; Assembly listing for method Some.Other:Scores(int) (Tier0)
            ; Assembly listing for method AttentionGen.Generated.forward_f32_d1__avx512_6x4:Scores(byref,int) (FullOpts)
            ; {frame}

            G_M000_IG01:                ;; offset=0x0000
                   vmovups  zmmword ptr [rsp+0x80], zmm7
            G_M000_IG02:                ;; offset=0x0010
                   xor      r9d, r9d
                   ja       G_M000_IG06
            G_M000_IG03:                ;; offset=0x0020
                   prefetcht0 byte  ptr [r10]
                   jl       SHORT G_M000_IG03
            G_M000_IG04:                ;; offset=0x0030
                   vfmadd231ps zmm0, zmm8, zmmword ptr {address}
                   mov      qword ptr [rsp], rax
                   jg       SHORT G_M000_IG02
            G_M000_IG05:                ;; offset=0x0040
                   vmovups  zmm7, zmmword ptr [rsp+0x80]
                   ret
            G_M000_IG06:                ;; offset=0x0050
                   jmp      G_M000_IG04
            """.ReplaceLineEndings("\n")));
        Assert.Equal("forward_f32_d1__avx512_6x4:Scores", method.Name);
        var loop = Assert.Single(HotLoops(method));
        Assert.Equal(isFound ? [$"vfmadd231ps zmm0, zmm8, zmmword ptr {address}"] : [], loop.Where(method.HasVectorOnStack));
    }

    private static IReadOnlyList<IReadOnlyList<string>> HotLoops(MachineCode method) => method.InnermostLoops("vfmadd");

    private static IReadOnlyList<IReadOnlyList<string>> VectorLoops(MachineCode method) => method.InnermostLoops("v");

    /// <summary>The name of the type of a core, up to its tile.</summary>
    private static string Core(Declaration declaration, AttentionIsas isa)
    {
        string lengths = declaration.QueryLength > 0 ? $"m{declaration.QueryLength}n{declaration.KeyLength}_" : "";
        string mask = declaration.Window.Left >= 0 ? "_window" : declaration.Mask == AttentionMask.Causal ? "_causal" : "";
        string rotary = declaration.Rotary switch { AttentionRotary.Halves => "_rope", AttentionRotary.Interleaved => "_ropei", _ => "" };
        return $"forward_f32_{lengths}d{declaration.HeadDim}{mask}{rotary}__{isa.ToString().ToLowerInvariant()}_";
    }

    private static Declaration Of(int headDim) => new(5, headDim) { KeyValueHeads = 1 };

    private static IReadOnlyList<MachineCode> Disassemble(params (string, string)[] environment)
    {
        foreach (var declaration in s_declarations) _ = s_kernels[declaration]; // compiled here, loaded there
        string file = Path.Combine(KernelGroup.Images.FullName, $"{Guid.NewGuid():N}.asm");
        string test = $"{typeof(DisassemblyTests).FullName}.{nameof(Each_way_is_within_the_error_bound)}";
        var (exitCode, text) = TestProcess.Run(["-method", test], [("DOTNET_JitDisasm", Listed), (Listing, file), .. environment]);
        Assert.True(exitCode == 0, text);
        return MachineCode.Read(File.ReadAllText(file));
    }
}
