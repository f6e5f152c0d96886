using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using AttentionGen.CompilerServices;

namespace AttentionGen.Neon.Tests;

/// <summary>Lengths and strides of a call, as the harness lays them out.</summary>
[StructLayout(LayoutKind.Sequential)]
public struct NeonCall
{
    public long Queries, Keys, Start, QueryStride, KeyStride, ValueStride, OutputStride, HeadDim, ValueDim, Stretch;

    /// <summary>For few rows: the heads, 0 for packed keys, and elements from head to head.</summary>
    public long Group, QueryHeadStride, OutputHeadStride;
}

/// <summary>What the runtime library does around a core, on one thread and for one head: a leaf, so that it runs without a .NET runtime.</summary>
public static class Driver
{
    /// <param name="scratch">Packed keys and values, the states of all query blocks, working memory; as large as the harness likes.</param>
    public static void Run<TCore>(ref float query, ref float key, ref float value, ref float output, ref float scratch, ref NeonCall call)
        where TCore : struct, IForwardCore, IRowsCore
    {
        if (call.Group > 0)
        {
            RowsDriver.Run<TCore>(ref query, ref key, ref value, ref output, ref scratch, ref call);
            return;
        }

        RunPacked<TCore>(ref query, ref key, ref value, ref output, ref scratch, ref call);
    }

    /// <summary>The same for a core that has no way for few rows.</summary>
    public static void RunPacked<TCore>(ref float query, ref float key, ref float value, ref float output, ref float scratch, ref NeonCall call)
        where TCore : struct, IForwardCore
    {
        var plan = TCore.Plan;
        int stretch = (int)call.Stretch / plan.KeyBlock * plan.KeyBlock;
        ref float packedKeys = ref scratch;
        ref float packedValues = ref Unsafe.Add(ref packedKeys, (nint)stretch * plan.PackedKeyFloats);
        ref float working = ref Unsafe.Add(ref packedValues, (nint)stretch * plan.PackedValueFloats);
        ref float states = ref Unsafe.Add(ref working, plan.ScratchFloats);

        for (long first = 0; first < call.Keys; first += stretch)
        {
            int count = (int)Math.Min(stretch, call.Keys - first);
            var keys = new ForwardKeys
            {
                Key = ref Unsafe.Add(ref key, (nint)(first * call.KeyStride)),
                KeyStride = (nint)call.KeyStride,
                Value = ref Unsafe.Add(ref value, (nint)(first * call.ValueStride)),
                ValueStride = (nint)call.ValueStride,
                Count = count,
                PackedKeys = ref packedKeys,
                PackedValues = ref packedValues,
            };
            bool finite = TCore.Pack(in keys);
            for (long row = 0, index = 0; row < call.Queries; row += plan.QueryBlock, index++)
            {
                var block = new ForwardBlock
                {
                    Query = ref Unsafe.Add(ref query, (nint)(row * call.QueryStride)),
                    QueryStride = (nint)call.QueryStride,
                    Rows = (int)Math.Min(plan.QueryBlock, call.Queries - row),
                    PackedKeys = ref packedKeys,
                    PackedValues = ref packedValues,
                    Keys = count,
                    Visible = (nint)(call.Start + row + 1 - first),
                    ValuesFinite = finite,
                    First = first == 0,
                    Last = first + stretch >= call.Keys,
                    Output = ref Unsafe.Add(ref output, (nint)(row * call.OutputStride)),
                    OutputStride = (nint)call.OutputStride,
                    State = ref Unsafe.Add(ref states, (nint)(index * plan.StateFloats)),
                    Scratch = ref working,
                };
                TCore.Attend(in block);
            }
        }
    }
}
