using System.Reflection;
using AttentionGen.Generator.Lowering;
using AttentionGen.Generator.Model;
using AttentionGen.Generator.Planning;
using AttentionGen.Generator.Validation;
using Xunit;

namespace AttentionGen.Generator.Tests;

/// <summary>The planner's numbers keep what the runtime library and the processors ask of them, for every shape.</summary>
public class PlannerTests
{
    private static readonly Isas[] s_isas = [Isas.Avx512, Isas.Avx2, Isas.Neon, Isas.Portable];

    /// <summary>Every head dimension with a few value dimensions, under each mask, for each instruction set.</summary>
    private static IEnumerable<CorePlan> Plans() =>
        from isa in s_isas
        from visible in VisibleKeys.Forms
        from headDim in Enumerable.Range(1, KernelRules.MaxDim)
        from valueDim in new[] { 1, headDim, KernelRules.MaxDim + 1 - headDim, KernelRules.MaxDim }.Distinct()
        select KernelPlanner.Plan(new CoreSpec(headDim, valueDim, visible, 1f), isa);

    private static int Registers(Isas isa) => isa is Isas.Avx512 or Isas.Neon ? 32 : 16;

    [Fact]
    public void Each_instruction_set_has_a_machine() => Assert.Equal(Enum.GetValues<Isas>().Where(isa => isa != Isas.All), Machine.BestFirst.Select(machine => machine.Isa).Order());

    [Fact]
    public void Tiles_fit_into_registers() => Assert.All(Plans(), plan =>
    {
        int query = plan.Isa == Isas.Neon ? plan.Packed!.TileRows : 1; // multiplied by element, all rows are in registers at a time
        Assert.InRange(plan.Packed!.TileRows * plan.Packed!.TileVectors + plan.Packed!.TileVectors + query, 1, Registers(plan.Isa));
        Assert.All(plan.Packed!.ValueVectors, vectors => Assert.InRange(plan.Packed!.TileRows * vectors + vectors + query, 1, Registers(plan.Isa)));
    });

    [Fact]
    public void Vectors_are_those_of_the_instruction_set() =>
        Assert.All(Plans(), plan => Assert.Equal(plan.Isa switch { Isas.Avx512 => 16, Isas.Avx2 => 8, _ => 4 }, plan.Lanes));

    [Fact]
    public void Strips_of_values_cover_the_padded_dimension_and_are_of_nearly_equal_width() => Assert.All(Plans(), plan =>
    {
        Assert.Equal(plan.PackedValueDim, plan.Lanes * plan.Packed!.ValueVectors.Sum());
        Assert.InRange(plan.PackedValueDim - plan.Spec.ValueDim, 0, plan.Lanes - 1);
        Assert.InRange(plan.Packed!.ValueVectors.Max() - plan.Packed!.ValueVectors.Min(), 0, 1);
    });

    [Fact]
    public void Parts_of_a_workers_memory_stay_aligned_to_64_bytes() => Assert.All(Plans(), plan =>
    {
        Assert.Equal(0, plan.KeyBlock * plan.PackedHeadDim % 16); // packed keys and values come in whole blocks
        Assert.Equal(0, plan.KeyBlock * plan.PackedValueDim % 16);
        Assert.Equal(0, (plan.Packed!.QueryBlock * plan.StateRow) % 16);
        Assert.Equal(0, plan.ScratchFloats % 16);
    });

    [Fact]
    public void Blocks_are_whole_tiles() => Assert.All(Plans(), plan =>
    {
        Assert.Equal(0, plan.Packed!.QueryBlock % plan.Packed!.TileRows);
        Assert.Equal(0, plan.KeyBlock % plan.PanelKeys);
    });

    [Fact]
    public void Sums_of_products_are_short() => Assert.All(Plans(), plan =>
    {
        int products = 4 * plan.Packed!.ChainQuads / plan.Packed!.ChainSets;
        Assert.InRange(products, 1, 48);                 // both the chains, side by side in sets,
        Assert.InRange(products + plan.Chains, 1, 48 + 11); // and the sum of them
        if (plan.Packed.StaggersSums) Assert.Equal(PackedPlan.Turn, products);
        else Assert.InRange(plan.Chains, 0, 11);
        Assert.InRange(plan.Chains * plan.Packed!.ChainQuads, plan.Quads, plan.Quads + plan.Packed!.ChainQuads);
    });

    [Fact]
    public void A_workers_memory_holds_a_block_of_keys_of_the_widest_heads()
    {
        int states = (int)Constant(Library("PrefillSchedule"), "LongRangeBlocks");
        Assert.All(Plans(), plan =>
        {
            long floats = plan.ScratchFloats + (long)states * (plan.Packed!.QueryBlock * plan.StateRow) + (long)plan.KeyBlock * (plan.PackedHeadDim + plan.PackedValueDim);
            Assert.InRange(sizeof(float) * floats, 1, KernelPlanner.WorkerBytes);
        });
    }

    [Fact]
    public void A_workers_memory_is_what_the_library_bounds_it_to() => Assert.Equal(KernelPlanner.WorkerBytes, Constant(Library("ScratchCache"), "MaxBytes"));

    [Fact]
    public void Names_of_cores_are_unique()
    {
        float[] scales = [1f, -1f, 0.1f, 1e-10f, 1e10f, -1e-10f, 1.5f, 15f, float.Epsilon, KernelRules.MaxScale];
        var other = from scale in scales from visible in VisibleKeys.Forms from isa in s_isas select KernelPlanner.Plan(new CoreSpec(64, 64, visible, scale), isa);
        var names = Plans().Where(plan => plan.Spec.HeadDim != 64).Concat(other).Select(plan => plan.Name).ToList();
        Assert.Equal(names.Count, names.Distinct(StringComparer.OrdinalIgnoreCase).Count());
        Assert.All(names, name => Assert.Matches("^[a-z][a-z0-9_]*$", name.ToLowerInvariant()));
    }

    [Fact]
    public void Kernels_that_differ_only_in_heads_share_their_cores()
    {
        var one = Kernel(new AttentionSpec(12, 64, null, null, Mask.Causal, null, false, Isas.All));
        var other = Kernel(new AttentionSpec(32, 64, 8, 64, Mask.Causal, 0.125f, true, Isas.All));
        Assert.Equal(one.Cores, other.Cores);
        Assert.Equal("forward_f32_h12d64_causal", one.Name);
        Assert.Equal("forward_f32_h32kv8d64_causal_batched", other.Name);
    }

    [Theory]
    [InlineData(65, null, Mask.Causal, null)]
    [InlineData(64, 65, Mask.Causal, null)]
    [InlineData(64, null, Mask.None, null)]
    [InlineData(64, null, Mask.Causal, 0.5f)]
    public void Kernels_of_other_shapes_share_none(int headDim, int? valueDim, object mask, float? scale)
    {
        var one = Kernel(new AttentionSpec(12, 64, null, null, Mask.Causal, null, false, Isas.All));
        var other = Kernel(new AttentionSpec(12, headDim, null, valueDim, (Mask)mask, scale, false, Isas.All));
        Assert.Empty(one.Cores.Select(core => core.Name).Intersect(other.Cores.Select(core => core.Name)));
        Assert.NotEqual(one.Name, other.Name);
    }

    [Theory]
    [InlineData(Isas.All, "Avx512 Avx2 Neon Portable")]
    [InlineData(Isas.Portable, "Portable")]
    [InlineData(Isas.Avx512 | Isas.Portable, "Avx512 Portable")]
    public void Cores_are_those_asked_for_best_first(object isas, string expected) =>
        Assert.Equal(expected, string.Join(' ', Kernel(new AttentionSpec(1, 64, null, null, Mask.None, null, false, (Isas)isas)).Cores.Select(core => core.Isa)));

    private static KernelPlan Kernel(AttentionSpec attention)
    {
        var method = new MethodSpec("", default, "static partial", "void", "Attend", default, "", "", null, true, false, false, false);
        return KernelPlanner.Plan(new KernelSpec(method, attention));
    }

    private static Type Library(string name) =>
        typeof(AttentionInfo).Assembly.GetType("AttentionGen.CompilerServices." + name) ?? throw new TypeLoadException(name);

    private static object Constant(Type type, string name) => type.GetField(name, BindingFlags.Static | BindingFlags.Public | BindingFlags.NonPublic)!.GetRawConstantValue()!;
}
