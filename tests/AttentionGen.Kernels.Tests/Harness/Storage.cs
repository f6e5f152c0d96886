using System.Runtime.InteropServices;

namespace AttentionGen.Kernels.Tests;

/// <summary>The type of the elements of keys and values.</summary>
public enum Storage
{
    Wide,
    Half,
    BFloat16,

    /// <summary>Integers with a scale for each row, which only caches store.</summary>
    SByte,
}

/// <summary>Rounds, encodes and decodes elements with the conversions of the types themselves, one by one.</summary>
internal static class StorageExtensions
{
    public static string TypeName(this Storage storage) => storage switch { Storage.Wide => "float", Storage.SByte => "sbyte", _ => storage.ToString() };

    /// <summary>What rounding to the type changes a number by, at most.</summary>
    public static double Rounding(this Storage storage, double number) => storage switch
    {
        Storage.Half => Math.Max(Math.Abs(number) * (1.0 / 2048), 1.0 / (1 << 25)) * (1 + 1e-6),
        Storage.BFloat16 => Math.Abs(number) * (1.0 / 256) * (1 + 1e-6),
        _ => 0,
    };

    public static void Round(this Storage storage, Span<float> numbers)
    {
        if (storage != Storage.Wide) storage.Decode(storage.Encode(numbers), numbers);
    }

    public static byte[] Encode(this Storage storage, ReadOnlySpan<float> numbers)
    {
        ushort[] bits = new ushort[numbers.Length];
        for (int i = 0; i < bits.Length; i++) bits[i] = storage == Storage.Half ? BitConverter.HalfToUInt16Bits((Half)numbers[i]) : ((BFloat16)numbers[i]).ToBits();
        return MemoryMarshal.AsBytes(bits.AsSpan()).ToArray();
    }

    public static void Decode(this Storage storage, ReadOnlySpan<byte> bytes, Span<float> numbers)
    {
        var bits = MemoryMarshal.Cast<byte, ushort>(bytes);
        for (int i = 0; i < bits.Length; i++) numbers[i] = storage == Storage.Half ? (float)BitConverter.UInt16BitsToHalf(bits[i]) : (float)BFloat16.FromBits(bits[i]);
    }
}
