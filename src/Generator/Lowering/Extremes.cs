namespace AttentionGen.Generator.Lowering;

/// <summary>A linear sum, or the minimum or maximum of several.</summary>
internal sealed class Extremes
{
    /// <summary>The limit of sums in one expression.</summary>
    private const int MaxParts = 16;

    private readonly Linear? _sum;
    private readonly bool _isLeast;
    private readonly Extremes[] _parts;

    public Extremes(Linear sum)
    {
        (_sum, _parts) = (sum, []);
    }

    private Extremes(bool isLeast, Extremes[] parts)
    {
        (_isLeast, _parts) = (isLeast, parts);
    }

    private int Count => _sum is null ? _parts.Sum(part => part.Count) : 1;

    public static Extremes? Least(Extremes a, Extremes b) => Of(isLeast: true, [a, b]);

    public static Extremes? Most(Extremes a, Extremes b) => Of(isLeast: false, [a, b]);

    private static Extremes? Of(bool isLeast, Extremes[] parts)
    {
        var result = new Extremes(isLeast, parts);
        return result.Count <= MaxParts ? result : null;
    }

    /// <summary>The product with a factor. A negative factor turns minima into maxima.</summary>
    public Extremes Times(long factor) => _sum is not null
        ? new(_sum.Times(factor))
        : new(factor < 0 ? !_isLeast : _isLeast, [.. _parts.Select(part => part.Times(factor))]);

    /// <summary>The sum of both: the minimum or maximum of the sums of each part with the other; null if it has too many parts.</summary>
    public Extremes? Plus(Extremes other)
    {
        if (_sum is { } sum && other._sum is { } another) return new(sum.Plus(another));
        var (parts, rest, isLeast) = _sum is null ? (_parts, other, _isLeast) : (other._parts, this, other._isLeast);
        var sums = parts.Select(part => part.Plus(rest)).ToArray();
        return sums.Any(part => part is null) ? null : Of(isLeast, sums!);
    }

    /// <summary>The condition that the value is at most 0. A maximum is at most 0 if all parts are, a minimum if any part is.</summary>
    public Condition IsAtMostZero(int chunk) => _sum is { } sum
        ? Condition.Of(MaskTerm.OfAtMostZero(sum, chunk))
        : _parts.Select(part => part.IsAtMostZero(chunk)).Aggregate((x, y) => _isLeast ? x.Or(y) : x.And(y));
}
