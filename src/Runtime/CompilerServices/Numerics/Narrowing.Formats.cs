using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace AttentionGen.CompilerServices;

internal static partial class Narrowing
{
    /// <summary>A float format of 16 bits: how it is made from floats, and back. The 16 bits are the lower half of an element of a vector.</summary>
    private interface IFormat
    {
        static abstract ushort Narrow(float value);
        static abstract Vector128<uint> Narrow(Vector128<float> value);
        static abstract Vector256<uint> Narrow(Vector256<float> value);
        static abstract Vector512<uint> Narrow(Vector512<float> value);
        static abstract float Widen(ushort bits);
        static abstract Vector128<float> Widen(Vector128<uint> bits);
        static abstract Vector256<float> Widen(Vector256<uint> bits);
        static abstract Vector512<float> Widen(Vector512<uint> bits);
    }

    /// <summary>The steps of <see cref="BFloat16"/>'s own conversions.</summary>
    private readonly struct BFloat16Format : IFormat
    {
        private const uint BelowHalf = 0x7FFF, QuietBit = 0x40;

        public static ushort Narrow(float value) => ((BFloat16)value).ToBits();

        public static float Widen(ushort bits) => (float)BFloat16.FromBits(bits);

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public static Vector128<uint> Narrow(Vector128<float> value)
        {
            var bits = value.AsUInt32();
            var upper = bits >>> 16;
            var rounded = bits + Vector128.Create(BelowHalf) + (upper & Vector128<uint>.One) >>> 16;
            return Vector128.ConditionalSelect(Vector128.Equals(value, value).AsUInt32(), rounded, upper | Vector128.Create(QuietBit));
        }

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public static Vector256<uint> Narrow(Vector256<float> value)
        {
            var bits = value.AsUInt32();
            var upper = bits >>> 16;
            var rounded = bits + Vector256.Create(BelowHalf) + (upper & Vector256<uint>.One) >>> 16;
            return Vector256.ConditionalSelect(Vector256.Equals(value, value).AsUInt32(), rounded, upper | Vector256.Create(QuietBit));
        }

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public static Vector512<uint> Narrow(Vector512<float> value)
        {
            var bits = value.AsUInt32();
            var upper = bits >>> 16;
            var rounded = bits + Vector512.Create(BelowHalf) + (upper & Vector512<uint>.One) >>> 16;
            return Vector512.ConditionalSelect(Vector512.Equals(value, value).AsUInt32(), rounded, upper | Vector512.Create(QuietBit));
        }

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public static Vector128<float> Widen(Vector128<uint> bits) => (bits << 16).AsSingle();

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public static Vector256<float> Widen(Vector256<uint> bits) => (bits << 16).AsSingle();

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public static Vector512<float> Widen(Vector512<uint> bits) => (bits << 16).AsSingle();
    }

    /// <summary>
    /// To half: the exponent is rebased and 13 bits are rounded away, ties to even. A result below the normal halves is the lowest bits of the float sum with 0.5,
    /// the lowest of which is worth 2^-24, as that of a subnormal half; the addition rounds. Results beyond infinity become infinity. NaN keeps its upper bits.
    /// To float: the exponent is rebased, twice where it is the highest. A subnormal half gets the exponent of 2^-14, which is then subtracted. The subtraction
    /// makes NaN quiet, as the conversion of a single half does.
    /// </summary>
    private readonly struct HalfFormat : IFormat
    {
        private const int Magnitude = 0x7FFFFFFF, Infinite = 0x7F800000, SmallestNormal = 0x38800000; // of a float; the last is 2^-14
        private const int Rebase = 112 << 23, BelowHalf = 0xFFF; // 112 is the difference of the biases; the upper bits of 2^-14 are those of 112 + 1
        private const int HalfSign = 0x8000, HalfMagnitude = 0x7FFF, HalfSmallestNormal = 0x0400, HalfInfinite = 0x7C00, HalfQuietBit = 0x200;

        public static ushort Narrow(float value) => BitConverter.HalfToUInt16Bits((Half)value);

        public static float Widen(ushort bits) => (float)BitConverter.UInt16BitsToHalf(bits);

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public static Vector128<uint> Narrow(Vector128<float> value)
        {
            var bits = value.AsInt32();
            var magnitude = bits & Vector128.Create(Magnitude);
            var upper = magnitude >>> 13;
            var normal = magnitude + Vector128.Create(BelowHalf - Rebase) + (upper & Vector128<int>.One) >>> 13;
            var subnormal = (magnitude.AsSingle() + Vector128.Create(0.5f)).AsInt32() - Vector128.Create(0.5f).AsInt32();
            var nan = upper & Vector128.Create(HalfMagnitude) | Vector128.Create(HalfQuietBit);
            var half = Vector128.ConditionalSelect(Vector128.LessThan(magnitude, Vector128.Create(SmallestNormal)), subnormal, Vector128.Min(normal, Vector128.Create(HalfInfinite)));
            half = Vector128.ConditionalSelect(Vector128.GreaterThan(magnitude, Vector128.Create(Infinite)), nan, half);
            return (half | bits >>> 16 & Vector128.Create(HalfSign)).AsUInt32();
        }

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public static Vector256<uint> Narrow(Vector256<float> value)
        {
            var bits = value.AsInt32();
            var magnitude = bits & Vector256.Create(Magnitude);
            var upper = magnitude >>> 13;
            var normal = magnitude + Vector256.Create(BelowHalf - Rebase) + (upper & Vector256<int>.One) >>> 13;
            var subnormal = (magnitude.AsSingle() + Vector256.Create(0.5f)).AsInt32() - Vector256.Create(0.5f).AsInt32();
            var nan = upper & Vector256.Create(HalfMagnitude) | Vector256.Create(HalfQuietBit);
            var half = Vector256.ConditionalSelect(Vector256.LessThan(magnitude, Vector256.Create(SmallestNormal)), subnormal, Vector256.Min(normal, Vector256.Create(HalfInfinite)));
            half = Vector256.ConditionalSelect(Vector256.GreaterThan(magnitude, Vector256.Create(Infinite)), nan, half);
            return (half | bits >>> 16 & Vector256.Create(HalfSign)).AsUInt32();
        }

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public static Vector512<uint> Narrow(Vector512<float> value)
        {
            var bits = value.AsInt32();
            var magnitude = bits & Vector512.Create(Magnitude);
            var upper = magnitude >>> 13;
            var normal = magnitude + Vector512.Create(BelowHalf - Rebase) + (upper & Vector512<int>.One) >>> 13;
            var subnormal = (magnitude.AsSingle() + Vector512.Create(0.5f)).AsInt32() - Vector512.Create(0.5f).AsInt32();
            var nan = upper & Vector512.Create(HalfMagnitude) | Vector512.Create(HalfQuietBit);
            var half = Vector512.ConditionalSelect(Vector512.LessThan(magnitude, Vector512.Create(SmallestNormal)), subnormal, Vector512.Min(normal, Vector512.Create(HalfInfinite)));
            half = Vector512.ConditionalSelect(Vector512.GreaterThan(magnitude, Vector512.Create(Infinite)), nan, half);
            return (half | bits >>> 16 & Vector512.Create(HalfSign)).AsUInt32();
        }

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public static Vector128<float> Widen(Vector128<uint> bits)
        {
            var half = bits.AsInt32();
            var magnitude = half & Vector128.Create(HalfMagnitude);
            var lowest = Vector128.LessThan(magnitude, Vector128.Create(HalfSmallestNormal)) & Vector128.Create(SmallestNormal);
            var twice = Vector128.GreaterThanOrEqual(magnitude, Vector128.Create(HalfInfinite)) & Vector128.Create(Rebase);
            var rebased = (magnitude << 13) + (lowest | Vector128.Create(Rebase)) + twice;
            return ((rebased.AsSingle() - lowest.AsSingle()).AsInt32() | (half & Vector128.Create(HalfSign)) << 16).AsSingle();
        }

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public static Vector256<float> Widen(Vector256<uint> bits)
        {
            var half = bits.AsInt32();
            var magnitude = half & Vector256.Create(HalfMagnitude);
            var lowest = Vector256.LessThan(magnitude, Vector256.Create(HalfSmallestNormal)) & Vector256.Create(SmallestNormal);
            var twice = Vector256.GreaterThanOrEqual(magnitude, Vector256.Create(HalfInfinite)) & Vector256.Create(Rebase);
            var rebased = (magnitude << 13) + (lowest | Vector256.Create(Rebase)) + twice;
            return ((rebased.AsSingle() - lowest.AsSingle()).AsInt32() | (half & Vector256.Create(HalfSign)) << 16).AsSingle();
        }

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public static Vector512<float> Widen(Vector512<uint> bits)
        {
            var half = bits.AsInt32();
            var magnitude = half & Vector512.Create(HalfMagnitude);
            var lowest = Vector512.LessThan(magnitude, Vector512.Create(HalfSmallestNormal)) & Vector512.Create(SmallestNormal);
            var twice = Vector512.GreaterThanOrEqual(magnitude, Vector512.Create(HalfInfinite)) & Vector512.Create(Rebase);
            var rebased = (magnitude << 13) + (lowest | Vector512.Create(Rebase)) + twice;
            return ((rebased.AsSingle() - lowest.AsSingle()).AsInt32() | (half & Vector512.Create(HalfSign)) << 16).AsSingle();
        }
    }
}
