namespace AttentionGen.CompilerServices;

/// <summary>Marks the type that says which products with packed weights run here. The generator writes them into this assembly.</summary>
[AttributeUsage(AttributeTargets.Class)]
internal sealed class LinearCoresAttribute : Attribute;

/// <summary>The products with packed weights of this process.</summary>
[LinearCores]
internal static unsafe partial class LinearCores
{
    /// <summary>The methods for the best instruction set of this processor.</summary>
    public static readonly LinearWalk Best = Choose();

    private static partial LinearWalk Choose();
}

/// <summary>The plan and the methods of a core as data: see <see cref="ILinearCore"/>.</summary>
internal unsafe struct LinearWalk
{
    public LinearPlan Plan;

    public delegate*<ref float, ref float, ref float, int, int, ref float, void> Multiply;

    public delegate*<ref float, ref BFloat16, ref BFloat16, int, int, ref float, void> MultiplyBFloat16;

    public delegate*<ref float, ref sbyte, ref sbyte, int, int, ref float, void> MultiplySByte;

    public delegate*<ref float, nint, int, ref float, nint, int, int, ref float, void> Few;

    public delegate*<ref float, nint, int, ref BFloat16, nint, int, int, ref float, void> FewBFloat16;

    public delegate*<ref float, nint, int, ref sbyte, nint, int, int, ref float, void> FewSByte;

    public static LinearWalk Of<TCore>()
        where TCore : struct, ILinearCore => new()
        {
            Plan = TCore.Plan,
            Multiply = &TCore.Multiply, MultiplyBFloat16 = &TCore.MultiplyBFloat16, MultiplySByte = &TCore.MultiplySByte,
            Few = &TCore.Few, FewBFloat16 = &TCore.FewBFloat16, FewSByte = &TCore.FewSByte,
        };
}
