using System.Runtime.InteropServices;
using AttentionGen.Benchmarks.Shapes;

namespace AttentionGen.Benchmarks.Contenders.OnnxRuntime;

/// <summary>Element types by ONNX's numbers.</summary>
internal enum OnnxElement
{
    Float = 1,
    Int8 = 3,
    Int32 = 6,
    Int64 = 7,
    Bool = 9,
}

/// <summary>Memory that an operator reads or writes.</summary>
internal sealed record OnnxTensor(string Name, OnnxElement Element, long[] Shape, nint Address, long Bytes)
{
    // What the memory belongs to, so that it lives as long.
    private object? Owner { get; init; }

    /// <summary>Floats, from one of them on.</summary>
    public static OnnxTensor Of(string name, Tensor tensor, long[] shape, int first = 0) =>
        new(name, OnnxElement.Float, shape, tensor.Address + (nint)first * sizeof(float), Product(shape) * sizeof(float)) { Owner = tensor };

    /// <summary>What one operator of a graph hands to others: memory of ONNX Runtime.</summary>
    public static OnnxTensor Between(string name) => new(name, OnnxElement.Float, [], 0, 0);

    /// <summary>Whether it is memory of ONNX Runtime.</summary>
    public bool IsBetween => Address == 0;

    /// <summary>Bytes with a sign.</summary>
    public static OnnxTensor OfBytes(string name, Tensor tensor, long[] shape) =>
        new(name, OnnxElement.Int8, shape, tensor.Address, Product(shape)) { Owner = tensor };

    /// <summary>Whole numbers or truth values.</summary>
    public static OnnxTensor Of<T>(string name, OnnxElement element, T[] values, long[] shape) where T : unmanaged
    {
        T[] pinned = GC.AllocateUninitializedArray<T>(values.Length, pinned: true);
        values.CopyTo(pinned, 0);
        return new(name, element, shape, Marshal.UnsafeAddrOfPinnedArrayElement(pinned, 0), MemoryMarshal.AsBytes(pinned.AsSpan()).Length) { Owner = pinned };
    }

    private static long Product(long[] shape) => shape.Aggregate(1L, (product, length) => product * length);
}
