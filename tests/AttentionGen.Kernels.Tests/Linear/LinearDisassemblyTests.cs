using Xunit;

namespace AttentionGen.Kernels.Tests;

/// <summary>The products with packed weights keep their vectors in registers, as <see cref="DisassemblyTests"/> prove it of kernels.</summary>
[Collection(nameof(Isolated))]
public class LinearDisassemblyTests
{
    private static readonly Dictionary<AttentionIsas, Lazy<IReadOnlyList<MachineCode>>> s_code = new()
    {
        [AttentionIsas.Avx512] = new(() => Disassemble()),
        [AttentionIsas.Avx2] = new(() => Disassemble(("DOTNET_EnableAVX512", "0"))),
    };

    /// <summary>What the other processes run: every number of rows of a tile and of few rows, panels by fours, threes and ones.</summary>
    [Fact]
    public void Each_way_is_within_the_error_bound()
    {
        foreach (var type in LinearProblem.Types)
            foreach (int rows in Enumerable.Range(1, 24)) LinearInputs.Check(new(type, rows, 20, 160));
    }

    public static MatrixTheoryData<AttentionIsas, Storage> Cases => new(s_code.Keys, LinearProblem.Types);

    [Theory, MemberData(nameof(Cases))]
    public void No_hot_loop_has_a_vector_on_the_stack_and_none_has_a_call(AttentionIsas isa, Storage type)
    {
        if (IsaMatrixTests.Expected is not null) Assert.Skip("The process that started this one looks at the code of all instruction sets.");
        if (AttentionInfo.Isa is not (AttentionIsas.Avx512 or AttentionIsas.Avx2) || isa > AttentionInfo.Isa) Assert.Skip($"This machine has no {isa}.");
        var (tileRows, streams) = isa == AttentionIsas.Avx512 ? (12, new[] { 4, 4, 4, 3 }) : (6, [4, 3]); // panels side by side for one row, two, ...
        string suffix = type == Storage.Wide ? "" : $"{type}";
        string[] methods =
        [
            .. Enumerable.Range(1, tileRows).Select(rows => $"Multiply{rows}{suffix}"),
            .. streams.SelectMany((panels, i) => new[] { $"Few{i + 1}x{panels}{suffix}", $"Few{i + 1}x1{suffix}" }),
        ];
        foreach (string name in methods)
        {
            var method = Assert.Single(s_code[isa].Value, code => code.Name == $"linear_f32__{isa.ToString().ToLowerInvariant()}_{tileRows}x2:{name}");
            var onStack = Assert.Single(method.InnermostLoops("vfmadd")).Where(method.HasVectorOnStack).ToList(); // a partial sum of few rows may begin and end with one
            Assert.True(onStack.Count <= OnStack(isa, name), $"{method.Name}: {string.Join(", ", onStack)}");
            Assert.DoesNotContain(method.InLoops, instruction => instruction.StartsWith("call", StringComparison.Ordinal));
        }
    }

    /// <summary>
    /// Two rows and three panels have twelve sums, two numbers of the input, a pair of weights, one of them as floats and the mask of the other: one more than there are registers. A sum that
    /// waits on the stack makes a step of the depth take 9 cycles instead of 6: 96 bytes of weights, still more than DRAM gives to a core.
    /// </summary>
    private static int OnStack(AttentionIsas isa, string method) => (isa, method) == (AttentionIsas.Avx2, "Few2x3BFloat16") ? 2 : 0;

    private static IReadOnlyList<MachineCode> Disassemble(params (string, string)[] environment)
    {
        string file = Path.Combine(KernelGroup.Images.FullName, $"{Guid.NewGuid():N}.asm");
        string test = $"{typeof(LinearDisassemblyTests).FullName}.{nameof(Each_way_is_within_the_error_bound)}";
        var (exitCode, text) = TestProcess.Run(["-method", test], [("DOTNET_JitDisasm", "*linear_f32*:*"), ("DOTNET_JitStdOutFile", file), .. environment]);
        Assert.True(exitCode == 0, text);
        return MachineCode.Read(File.ReadAllText(file));
    }
}
