using System.Runtime.CompilerServices;

namespace AttentionGen.CompilerServices;

// The table of rotary positions: it must have those of all queries and keys, because cores read it without looking.
public unsafe ref partial struct ForwardCall
{
    /// <summary>The table by which cores rotate queries and keys. Call it after the numbers of the mask, which say where queries and keys are.</summary>
    /// <param name="rotary">The table.</param>
    /// <param name="dim">The number of elements that the core rotates.</param>
    /// <param name="name">The name of the parameter.</param>
    /// <exception cref="ArgumentNullException"><paramref name="rotary"/> is null.</exception>
    /// <exception cref="ArgumentException">It is for another number of elements, it does not have a position of the call, or a query that may see keys is before the position 0.</exception>
    public void Rotary(RotaryTable rotary, int dim, [CallerArgumentExpression(nameof(rotary))] string name = "")
    {
        ArgumentNullException.ThrowIfNull(rotary, name);
        if (rotary.RotaryDim != dim) ThrowHelper.RotaryDim(name, rotary.RotaryDim, dim);
        for (int i = 0; i < _mask.Items(_shape); i++)
        {
            var (_, _, queries, _, keys) = _mask.Item(_shape, i);
            int length = _mask.Length(i, keys);
            if (queries == 0 || length == 0) continue; // nothing is rotated
            long start = _mask.Start(i, queries, keys);
            int? item = _mask.Items(_shape) > 1 ? i : null;
            string what = _mask.DocumentStarts.IsEmpty ? "batch item" : "document";
            if (start + queries > rotary.Positions) ThrowHelper.RotaryPositions(name, rotary.Positions, _query.Name, start, start + queries - 1, what, item);
            if (length > rotary.Positions && _cache is null) ThrowHelper.RotaryPositions(name, rotary.Positions, _key.Name, 0, length - 1, what, item);
            if (start < 0 && SeesBefore(i)) ThrowHelper.RotaryBefore(_query.Name, start, queries, length, what, item);
        }

        _rotary = rotary;
    }

    /// <summary>Whether the mask may show keys to queries before the position 0. A causal mask without a prefix does not.</summary>
    [SkipLocalsInit]
    private readonly bool SeesBefore(int item)
    {
        MaskTerm* terms = stackalloc MaskTerm[MaskTerm.MaxCombined];
        int count = _mask.AddTerms(item, terms);
        for (int i = 0; i < count; i++)
            if (terms[i].FromQuery < 0 && terms[i].ToDistance > 1) return true;
        return false;
    }
}
