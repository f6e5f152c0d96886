using System.Diagnostics.CodeAnalysis;
using System.Globalization;

namespace AttentionGen;

/// <summary>
/// A sequence of a <see cref="PagedKeyValueCache{T}"/>. The id of another cache, or of a freed sequence, is recognised as such, even when a newer sequence has
/// taken its place. The default value is the id of no sequence.
/// </summary>
public readonly struct SequenceId : IEquatable<SequenceId>
{
    // 20 bits for the cache, 20 for the place in the cache, 24 for the number of the sequence among those that had the place.
    private const int SlotBits = 20, GenerationBits = 24;

    internal const int MaxPool = (1 << (64 - SlotBits - GenerationBits)) - 1, MaxSlots = 1 << SlotBits, MaxGeneration = (1 << GenerationBits) - 1;

    private readonly ulong _bits;

    internal SequenceId(int pool, int slot, int generation) => _bits = (((ulong)pool << SlotBits) + (ulong)slot << GenerationBits) + (ulong)generation;

    /// <summary>The number of the cache, from 1 on.</summary>
    internal int Pool => (int)(_bits >> (SlotBits + GenerationBits));

    internal int Slot => (int)(_bits >> GenerationBits) & (MaxSlots - 1);

    /// <summary>The number of the sequence among those of its slot, from 1 on.</summary>
    internal int Generation => (int)_bits & MaxGeneration;

    /// <inheritdoc/>
    public bool Equals(SequenceId other) => _bits == other._bits;

    /// <inheritdoc/>
    public override bool Equals([NotNullWhen(true)] object? obj) => obj is SequenceId other && Equals(other);

    /// <inheritdoc/>
    public override int GetHashCode() => _bits.GetHashCode();

    /// <summary>The cache, the place in the cache, and the number of the sequence in this place.</summary>
    public override string ToString() => _bits == 0 ? "none" : string.Create(CultureInfo.InvariantCulture, $"{Pool}/{Slot}/{Generation}");

    /// <summary>Whether both are the same sequence.</summary>
    public static bool operator ==(SequenceId left, SequenceId right) => left.Equals(right);

    /// <summary>Whether they are different sequences.</summary>
    public static bool operator !=(SequenceId left, SequenceId right) => !left.Equals(right);
}
