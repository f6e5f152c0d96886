namespace AttentionGen.Views;

/// <summary>Numbers as the pages carry them: 16 bits each, in parts that the page shows. So what a page shows is the rounded number itself.</summary>
internal static class Parts
{
    /// <summary>A weight is shown with four decimals.</summary>
    public const int OfWeight = 10_000;

    /// <summary>An entropy is shown with three decimals; 16 bits hold up to 65.</summary>
    public const int OfEntropy = 1_000;

    /// <summary>The numbers as base64 of little-endian 16-bit integers.</summary>
    public static string Text(ReadOnlySpan<ushort> numbers)
    {
        byte[] bytes = new byte[2 * numbers.Length];
        for (int i = 0; i < numbers.Length; i++) System.Buffers.Binary.BinaryPrimitives.WriteUInt16LittleEndian(bytes.AsSpan(2 * i), numbers[i]);
        return Convert.ToBase64String(bytes);
    }

    public static ushort[] Of(ReadOnlySpan<float> numbers, int parts)
    {
        ushort[] whole = new ushort[numbers.Length];
        for (int i = 0; i < numbers.Length; i++) whole[i] = (ushort)Math.Clamp(Math.Round((double)numbers[i] * parts, MidpointRounding.AwayFromZero), 0, ushort.MaxValue);
        return whole;
    }
}
