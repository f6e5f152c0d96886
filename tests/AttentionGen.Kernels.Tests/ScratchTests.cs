using System.Globalization;
using System.Runtime.InteropServices;
using System.Text.RegularExpressions;
using Xunit;

namespace AttentionGen.Kernels.Tests;

/// <summary>Working memory: the caller's, and what the library keeps.</summary>
[Collection(nameof(Isolated))]
public class ScratchTests
{
    private const Roles Given = Roles.Scratch | Roles.MaxThreads;

    internal static readonly Declaration[] Declarations =
    [
        .. from dim in new[] { 16, 64, 512 }
           from mask in Enum.GetValues<AttentionMask>()
           from window in dim == 16 ? new[] { (-1, -1) } : [(-1, -1), (100, -1)]
           select new Declaration(2, dim) { Mask = mask, Window = window, Roles = Given },
        new Declaration(4, 64),
    ];

    public static TheoryData<Problem> Problems =>
    [
        .. from declaration in Declarations where declaration.Has(Roles.Scratch)
           from lengths in new[] { (1, 1), (4, 2000), (50, 70), (100, 2000) }
           select new Problem(declaration, lengths.Item1, lengths.Item2),
    ];

    [Theory, MemberData(nameof(Problems), DisableDiscoveryEnumeration = true)]
    public void Memory_of_exactly_the_needed_size_is_enough_and_a_byte_less_is_not(Problem problem)
    {
        var inputs = new Inputs(problem);
        var kernel = Catalogue.Kernels[problem.Declaration];
        float[] expected = inputs.Run(kernel);
        int needed = Needed(inputs, kernel);
        Assert.InRange(needed, 1, AttentionInfo.Describe(kernel.Method).ScratchBytes);
        var scratch = Aligned(needed + 64);

        AssertGives(expected, inputs, kernel, scratch[..needed]);
        AssertTooSmall(inputs, kernel, scratch[..(needed - 1)], needed - 1, needed);
        foreach (int offset in new[] { 1, 4, 63 })
        {
            AssertGives(expected, inputs, kernel, scratch[offset..]); // 64 less the offset are lost to the alignment
            AssertTooSmall(inputs, kernel, scratch[offset..^1], needed - 1, needed);
        }
    }

    [Theory, InlineData(300, 300), InlineData(3, 4000)]
    public void More_memory_serves_more_threads_with_the_same_bits(int queries, int keys)
    {
        var problem = new Problem(Declarations.First(d => d.HeadDim == 64 && d.Has(Roles.Scratch)), queries, keys);
        var inputs = new Inputs(problem with { MaxThreads = 3 });
        var kernel = Catalogue.Kernels[problem.Declaration];
        float[] expected = new Inputs(problem).Run(kernel);
        int needed = Needed(inputs, kernel);
        foreach (int size in new[] { needed, 2 * needed - 1, 2 * needed, 3 * needed, 10 * needed })
            for (int i = 0; i < 5; i++) AssertGives(expected, inputs, kernel, Aligned(size));
    }

    [Fact]
    public void A_call_with_memory_of_its_own_takes_none_of_the_library()
    {
        var problem = new Problem(Declarations.First(d => d.HeadDim == 64 && d.Has(Roles.Scratch)), 50, 70);
        var inputs = new Inputs(problem);
        var kernel = Catalogue.Kernels[problem.Declaration];
        int needed = Needed(inputs, kernel);
        AttentionScratch.Trim();
        AssertGives(inputs.Run(kernel), inputs, kernel, Aligned(needed));
        AttentionScratch.Trim();
        inputs.Run(kernel, new float[problem.OutputLength], Aligned(needed).Span);
        Assert.Equal(0, AttentionScratch.CachedBytes);
    }

    [Fact]
    public void The_library_keeps_memory_until_it_is_trimmed()
    {
        var inputs = new Inputs(new Problem(Declarations.First(d => d.Roles == Roles.MaxThreads), 100, 500));
        AttentionScratch.Trim();
        Assert.Equal(0, AttentionScratch.CachedBytes);
        float[] expected = inputs.Run(Catalogue.Kernels);
        long kept = AttentionScratch.CachedBytes;
        Assert.InRange(kept, 1, 8 << 20);
        inputs.Run(Catalogue.Kernels);
        Assert.Equal(kept, AttentionScratch.CachedBytes);
        AttentionScratch.Trim();
        Assert.Equal(0, AttentionScratch.CachedBytes);
        ThreadTests.AssertSameBits(expected, inputs.Run(Catalogue.Kernels));
    }

    [Fact]
    public void A_worker_never_takes_more_than_8_MiB()
    {
        var inputs = new Inputs(new Problem(new Declaration(2, 512) { Roles = Given }, 100, 5000));
        var kernel = Catalogue.Kernels[inputs.Problem.Declaration];
        int needed = Needed(inputs, kernel);
        Assert.InRange(needed, 7 << 20, 8 << 20);
        AssertGives(inputs.Run(kernel), inputs, kernel, Aligned(needed));
    }

    [Fact]
    public void Trimming_while_kernels_run_takes_nothing_from_them()
    {
        var inputs = new Inputs(new Problem(Declarations.First(d => d.Roles == Roles.MaxThreads), 40, 60) { MaxThreads = 2 });
        float[] expected = inputs.Run(Catalogue.Kernels);
        bool done = false;
        long sum = 0;
        var trimmer = new Thread(() =>
        {
            while (!Volatile.Read(ref done))
            {
                AttentionScratch.Trim();
                sum += AttentionScratch.CachedBytes;
            }
        });
        trimmer.Start();
        for (int i = 0; i < 300; i++) ThreadTests.AssertSameBits(expected, inputs.Run(Catalogue.Kernels));
        Volatile.Write(ref done, true);
        trimmer.Join();
        Assert.True(sum >= 0);
    }

    /// <summary>What a call needs, as the exception for a single byte says.</summary>
    internal static int Needed(Inputs inputs, Kernel kernel)
    {
        int needed = NeededBeside(inputs, kernel, new byte[1]);
        Assert.True(needed > 0, $"{inputs.Problem} needs no memory");
        return needed;
    }

    /// <summary>
    /// The same for any call: 0 where it runs with a single byte, as no row of it sees a key. What the first exception says is enough, also where some sequences have few rows and others many.
    /// </summary>
    internal static int NeededByAll(Inputs inputs, Kernel kernel)
    {
        int needed = NeededBeside(inputs, kernel, new byte[1]);
        if (needed > 0) Assert.Equal(0, NeededBeside(inputs, kernel, new byte[needed + 63]));
        return needed;
    }

    /// <summary>What the exception for too little memory says; 0 where there is none.</summary>
    private static int NeededBeside(Inputs inputs, Kernel kernel, byte[] scratch)
    {
        var exception = Record.Exception(() => inputs.Run(kernel, new float[inputs.Problem.OutputLength], scratch));
        if (exception is null) return 0;
        Assert.IsType<ArgumentException>(exception);
        return int.Parse(Regex.Match(exception.Message, @"needs (\d+)").Groups[1].Value, CultureInfo.InvariantCulture);
    }

    private static void AssertGives(float[] expected, Inputs inputs, Kernel kernel, Memory<byte> scratch)
    {
        float[] output = new float[expected.Length];
        inputs.Run(kernel, output, scratch.Span);
        ThreadTests.AssertSameBits(expected, output);
    }

    private static void AssertTooSmall(Inputs inputs, Kernel kernel, Memory<byte> scratch, int bytes, int needed)
    {
        float[] output = new float[inputs.Problem.OutputLength];
        output.AsSpan().Fill(-7);
        var exception = Assert.Throws<ArgumentException>(() => inputs.Run(kernel, output, scratch.Span));
        Assert.Equal("scratch", exception.ParamName);
        Assert.Contains($"{bytes} aligned bytes", exception.Message, StringComparison.Ordinal);
        Assert.Contains($"{needed}", exception.Message, StringComparison.Ordinal);
        Assert.All(output, x => Assert.Equal(-7f, x));
    }

    /// <summary>Pinned memory that starts at a multiple of 64.</summary>
    private static unsafe Memory<byte> Aligned(int bytes)
    {
        byte[] memory = GC.AllocateArray<byte>(bytes + 63, pinned: true);
        nint address = (nint)Marshal.UnsafeAddrOfPinnedArrayElement(memory, 0);
        return memory.AsMemory((int)(-address & 63), bytes);
    }
}
