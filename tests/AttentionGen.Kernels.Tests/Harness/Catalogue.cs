namespace AttentionGen.Kernels.Tests;

/// <summary>
/// The kernels of the tests that are not about dimensions, compiled together: they share a few shapes, so that many declarations cost little.
/// </summary>
internal static class Catalogue
{
    public static readonly KernelGroup Kernels = new(
    [
        .. LengthTests.Declarations,
        .. FeatureTests.Declarations,
        .. ScaleTests.Declarations,
        .. HostileInputTests.Declarations,
        .. NonFiniteTests.Declarations,
        .. LongKeyRangeTests.Declarations,
        .. LongTests.Declarations,
        .. ThreadTests.Declarations,
        .. StarvationTests.Declarations,
        .. AllocationTests.Declarations,
        .. ScratchTests.Declarations,
        .. WrongCallTests.Declarations,
        .. RealDataTests.Declarations,
        .. InfoTests.Declarations,
        .. MemoryBoundsTests.Padded,
        .. DecodeTests.Declarations,
        .. WindowTests.Declarations,
        .. LayoutTests.Declarations,
        .. WrongLayoutTests.Declarations,
        .. WrongTensorTests.Declarations,
        .. OverlapTests.Declarations,
        .. ScoringTests.Declarations,
        .. OwnMethodTests.Declarations,
        .. MaskTests.Declarations,
        .. WrongMaskTests.Declarations,
        .. ChangedNumbersTests.Declarations,
        .. EmptyBatchTests.Declarations,
        .. FaultTests.Declarations,
        .. RelativeBiasTests.Declarations,
    ]);
}
