using Xunit;

namespace AttentionGen.Kernels.Tests;

/// <summary>Kernels whose rows are stored with 16 bits, beside everything that changes the code that loads and stores rows: dimensions with and without tails, norms, masks, fixed lengths.</summary>
public class StorageKernelTests
{
    private static readonly Declaration[] s_kinds =
    [
        new(4, 64) { KeyValueHeads = 1, Mask = AttentionMask.Causal },
        new(4, 31) { KeyValueHeads = 2, ValueDim = 13, Mask = AttentionMask.Causal, Norm = AttentionNorm.Rms, Roles = Roles.MaxThreads | Roles.QueryNormWeight | Roles.KeyNormWeight },
        new(2, 5) { ValueDim = 3, Norm = AttentionNorm.L2 },
        new(2, 300) { KeyValueHeads = 1, ValueDim = 20, Window = (9, 4) },
        new(2, 24) { Mask = AttentionMask.Causal, Keep = AttentionAxes.Query | AttentionAxes.Key, Rotary = AttentionRotary.Halves },
        new(2, 32) { QueryLength = 49, KeyLength = 49 },
        new Declaration(4, 33) { KeyValueHeads = 2, ValueDim = 19, Mask = AttentionMask.Causal }.Hard,
        new(2, 20) { QueryLength = 20, KeyLength = 30, Mask = AttentionMask.Causal },
    ];

    private static readonly Declaration[] s_declarations =
    [
        .. from kind in s_kinds
           from storage in new[] { Storage.Half, Storage.BFloat16 }
           from narrow in new[] { (false, false), (true, true) }
           select kind with { Storage = storage, Narrow = narrow },
    ];

    private static readonly KernelGroup s_kernels = new(s_declarations);

    public static TheoryData<string> Names => [.. s_declarations.Select(declaration => $"{declaration}")];

    [Theory, MemberData(nameof(Names))]
    public void Results_are_those_of_the_stored_values(string name)
    {
        var declaration = s_declarations.Single(declaration => declaration.ToString() == name);
        (int Queries, int Keys)[] lengths = declaration.QueryLength > 0 ? [(declaration.QueryLength, declaration.KeyLength)] : [(1, 70), (3, 17), (40, 50), (8, 400)];
        foreach (var (queries, keys) in lengths)
        {
            var inputs = new Inputs(new Problem(declaration, queries, keys));
            Bound.Check(inputs, inputs.RunEverywhere(s_kernels[declaration]));
        }
    }
}
