using System.Runtime.CompilerServices;

namespace AttentionGen.CompilerServices;

/// <summary>
/// Turns a call and its mask into sequences, pieces of rows and zones of keys. Documents and chunks are sequences. A dilated mask gives interleaved sequences,
/// one for each remainder. The terms of the mask become pieces and zones, so that no core touches keys outside.
/// </summary>
internal unsafe ref struct ForwardLayout(ForwardSequence* sequences, RowPiece* pieces, KeyZone* zones, int room)
{
    public Growing<ForwardSequence> Sequences = new(ref *sequences, room);
    public Growing<RowPiece> Pieces = new(ref *pieces, room);
    public Growing<KeyZone> Zones = new(ref *zones, room);

    /// <summary>Query rows in a block of prefill; 0 for decode, which has no blocks.</summary>
    private int _queryBlock;

    /// <summary>The number of sequences that the other walk runs.</summary>
    public int LeftOut { get; private set; }

    public readonly void Dispose()
    {
        Sequences.Dispose();
        Pieces.Dispose();
        Zones.Dispose();
    }

    /// <summary>Lays out the sequences that one walk of a core runs: all of them if the core has no other walk.</summary>
    /// <param name="shape">The lengths of the call.</param>
    /// <param name="mask">The mask of the call.</param>
    /// <param name="walks">The walks of the core.</param>
    /// <param name="isDecode">Whether the walk is decode.</param>
    public void Build(in ForwardShape shape, scoped in ForwardMask mask, in ForwardWalks walks, bool isDecode)
    {
        Sequences.Clear();
        Pieces.Clear();
        Zones.Clear();
        LeftOut = 0;
        _queryBlock = isDecode ? 0 : walks.Prefill.Plan.QueryBlock;
        for (int item = 0; item < mask.Items(shape); item++)
        {
            var (batch, query, queries, key, keys) = mask.Item(shape, item);
            int length = mask.Length(item, keys);
            long start = mask.Start(item, queries, keys);
            var whole = new ForwardSequence { Batch = batch, Item = item, Query = query, Queries = queries, Key = key, Keys = length, Step = 1, Start = (nint)start };
            if (walks.IsDecode(shape, queries, keys) != isDecode) LeftOut++;
            else Chunks(mask, whole);
        }
    }

    /// <summary>Cuts a sequence at the ends of its chunks, where position / length changes.</summary>
    private void Chunks(scoped in ForwardMask mask, in ForwardSequence whole)
    {
        if (mask.ChunkLength == 0)
        {
            Interleaved(mask, whole);
            return;
        }

        for (int row = 0, rows; row < whole.Queries; row += rows)
        {
            long position = whole.Start + row, chunk = position / mask.ChunkLength, next = EndOf(chunk, mask.ChunkLength);
            rows = (int)Math.Min(next - position, whole.Queries - row);
            int first = (int)Math.Clamp(chunk * mask.ChunkLength, 0, whole.Keys), end = (int)Math.Clamp(next, first, whole.Keys);
            Interleaved(mask, whole with
            {
                Query = whole.Query + row, Queries = rows, Key = whole.Key + first, Keys = chunk < 0 ? 0 : end - first, Start = (nint)(position - first), Origin = first,
            });
        }
    }

    /// <summary>The first position after a chunk. C# rounds a quotient towards 0, so chunk 0 has positions on both sides of 0.</summary>
    private static long EndOf(long chunk, int length) => chunk < 0 ? chunk * length + 1 : (chunk + 1) * length;

    /// <summary>Splits a dilated sequence into one sequence for each remainder of positions.</summary>
    private void Interleaved(scoped in ForwardMask mask, in ForwardSequence whole)
    {
        if (mask.Dilation <= 1)
        {
            Add(mask, whole);
            return;
        }

        int step = mask.Dilation;
        for (int rest = 0; rest < step; rest++)
        {
            int row = (int)(((rest - whole.Start) % step + step) % step);
            if (row >= whole.Queries) continue;
            Add(mask, whole with
            {
                Query = whole.Query + row, Queries = (whole.Queries - 1 - row) / step + 1, Key = whole.Key + rest, Keys = rest < whole.Keys ? (whole.Keys - 1 - rest) / step + 1 : 0,
                Step = step, Start = (whole.Start + row - rest) / step, Origin = whole.Origin + rest,
            });
        }
    }

    [SkipLocalsInit]
    private void Add(scoped in ForwardMask mask, ForwardSequence sequence)
    {
        // The declared terms (causal, window, first keys, prefix), each combined with each term of the user's own mask.
        MaskTerm* terms = stackalloc MaskTerm[MaskTerm.MaxCombined];
        int count = mask.AddTerms(sequence.Item, terms);
        sequence.FirstPiece = Pieces.Count;
        for (int row = 0, end; row < sequence.Queries; row = end)
        {
            var piece = new RowPiece { Sequence = Sequences.Count, FirstRow = row, BlocksBefore = sequence.RowBlocks, FirstZone = Zones.Count, List = -1 };
            int limit = sequence.Queries;
            if (mask.Lists.QueryBlock > 0)
            {
                piece.List = (sequence.Query + row) / mask.Lists.QueryBlock;
                limit = (int)Math.Min(limit, ((long)piece.List + 1) * mask.Lists.QueryBlock - sequence.Query);
            }

            bool asTheyAre = mask.RowChunk == 0 && sequence.Step == 1 && sequence.Origin == 0;
            end = asTheyAre ? AddZones(sequence, row, limit, terms, count) : AddZonesOf(mask, sequence, row, limit, terms, count);
            piece.Rows = end - row;
            piece.Zones = Zones.Count - piece.FirstZone;
            for (int i = piece.FirstZone; i < Zones.Count; i++)
            {
                var (from, to) = Unsafe.Add(ref Zones.First, i).Range(row, end - 1);
                piece.Keys += (long)to - from;
            }

            Pieces.Add(piece);
            if (_queryBlock > 0) sequence.RowBlocks += (int)(((long)piece.Rows + _queryBlock - 1) / _queryBlock); // at most the number of rows
        }

        sequence.Pieces = Pieces.Count - sequence.FirstPiece;
        Sequences.Add(sequence);
    }

    /// <summary>Adds the zones of rows from one on. It first converts the terms to the sequence's first key, its steps and the chunk of the row.</summary>
    /// <returns>The row after the last of these rows.</returns>
    [SkipLocalsInit]
    private int AddZonesOf(scoped in ForwardMask mask, in ForwardSequence sequence, int row, int end, MaskTerm* terms, int count)
    {
        MaskTerm* own = stackalloc MaskTerm[MaskTerm.MaxCombined];
        long chunk = 0;
        if (mask.RowChunk > 0)
        {
            long place = sequence.Origin + (sequence.Start + row) * sequence.Step;
            chunk = place / mask.RowChunk;
            end = (int)Math.Min(end, row + (EndOf(chunk, mask.RowChunk) - place + sequence.Step - 1) / sequence.Step);
        }

        for (int i = 0; i < count; i++) own[i] = terms[i].Of(chunk).From(sequence.Origin, sequence.Step);
        return AddZones(sequence, row, end, own, count);
    }

    /// <summary>
    /// Adds the zones of rows from one on, up to the row where a term begins or ends to apply. Each zone excludes the keys of the earlier terms.
    /// </summary>
    /// <returns>The row after the last of these rows.</returns>
    [SkipLocalsInit]
    private int AddZones(in ForwardSequence sequence, int first, int end, MaskTerm* terms, int count)
    {
        long position = sequence.Start + first;
        for (int i = 0; i < count; i++)
        {
            ref readonly var term = ref terms[i];
            if (term.FromQuery > position) end = (int)Math.Min(end, term.FromQuery - sequence.Start);
            if (term.ToQuery > position) end = (int)Math.Min(end, term.ToQuery - sequence.Start);
        }

        KeyZone* earlier = stackalloc KeyZone[MaskTerm.MaxCombined];
        int zones = 0;
        for (int i = 0; i < count; i++)
        {
            ref readonly var term = ref terms[i];
            if (term.FromQuery > position || term.ToQuery <= position) continue;
            var zone = new KeyZone
            {
                Begin = (int)Math.Clamp(term.FromKey, 0, sequence.Keys), End = (int)Math.Clamp(term.ToKey, 0, sequence.Keys),
                Low = sequence.Start + term.FromDistance, High = sequence.Start + term.ToDistance, Decided = term.Decided,
            };
            AddWithout(zone, first, end - 1, earlier, zones);
            earlier[zones++] = zone;
        }

        return end;
    }

    private void AddWithout(KeyZone zone, int first, int last, KeyZone* earlier, int count)
    {
        if (!zone.Trim(first, last)) return;
        if (count == 0)
        {
            Zones.Add(zone);
            return;
        }

        // Each bound of the earlier zone cuts off an outer part. The remainder is inside the earlier zone and is dropped.
        var other = *earlier++;
        count--;
        AddWithout(zone with { End = Math.Min(zone.End, other.Begin) }, first, last, earlier, count);
        zone.Begin = Math.Max(zone.Begin, other.Begin);
        AddWithout(zone with { Begin = Math.Max(zone.Begin, other.End) }, first, last, earlier, count);
        zone.End = Math.Min(zone.End, other.End);
        AddWithout(zone with { High = Math.Min(zone.High, other.Low) }, first, last, earlier, count);
        zone.Low = Math.Max(zone.Low, other.Low);
        AddWithout(zone with { Low = Math.Max(zone.Low, other.High) }, first, last, earlier, count);
    }
}

/// <summary>The mask of a call.</summary>
internal ref struct ForwardMask
{
    public ReadOnlySpan<int> QueryStarts, KeyLengths;

    /// <summary>The first query and the first key of each document, and the end of the last; empty without documents.</summary>
    public ReadOnlySpan<int> DocumentStarts, KeyDocumentStarts;

    public string DocumentsName;

    /// <summary>The number of keys that every query of an item sees under a causal mask: for each item, or one for all; empty and 0 without a prefix.</summary>
    public ReadOnlySpan<int> PrefixLengths;

    public int PrefixLength;

    /// <summary>The position of the first query of every item, -1 if not given.</summary>
    public int QueryStart;

    /// <summary>The number of keys that a row sees before and after its position, -1 without a limit.</summary>
    public int Left, Right;

    /// <summary>The number of first keys that the left side of the window does not hide.</summary>
    public int FirstKeys;

    /// <summary>The length of the chunks and the distance of visible keys; 0 if not declared.</summary>
    public int ChunkLength, Dilation;

    /// <summary>The terms of the user's own mask; empty without one.</summary>
    public ReadOnlySpan<MaskTerm> Terms;

    /// <summary>Whether the user's own mask has terms. With an empty list of terms it hides everything.</summary>
    public bool HasTerms;

    /// <summary>The length of the chunks in the terms' bounds; 0 without such bounds.</summary>
    public int RowChunk;

    /// <summary>The lists of a block-sparse mask, and their memory.</summary>
    public KeyBlockLists Lists;

    public ReadOnlySpan<int> KeyBlockStarts, KeyBlocks;

    /// <summary>The number of documents, or of batch items.</summary>
    public readonly int Items(in ForwardShape shape) => DocumentStarts.IsEmpty ? shape.Batch : DocumentStarts.Length - 1;

    /// <summary>Whether decode runs the first item. In most calls one walk runs all items.</summary>
    public readonly bool FirstIsDecode(in ForwardShape shape, in ForwardWalks walks)
    {
        var (_, _, queries, _, keys) = Item(shape, 0);
        return walks.IsDecode(shape, queries, keys);
    }

    /// <summary>The batch item in the tensors, the queries and the keys of an item.</summary>
    public readonly (int Batch, int Query, int Queries, int Key, int Keys) Item(in ForwardShape shape, int item)
    {
        if (DocumentStarts.IsEmpty) return (item, 0, shape.Queries, 0, shape.Keys);
        int query = DocumentStarts[item], key = KeyDocumentStarts[item];
        return (0, query, DocumentStarts[item + 1] - query, key, KeyDocumentStarts[item + 1] - key);
    }

    /// <summary>The number of visible keys of an item with <paramref name="keys"/> keys.</summary>
    public readonly int Length(int item, int keys) => KeyLengths.IsEmpty ? keys : KeyLengths[item];

    /// <summary>The position of the first query of an item: as given, or such that the last query is at the last visible key.</summary>
    public readonly long Start(int item, int queries, int keys) => !QueryStarts.IsEmpty ? QueryStarts[item] : QueryStart >= 0 ? QueryStart : (long)Length(item, keys) - queries;

    /// <summary>The least and the largest distance, key - position, of a query and a key that it may see.</summary>
    public readonly (long Least, long Most) Distances(in ForwardShape shape)
    {
        long least = long.MaxValue, most = long.MinValue;
        for (int i = 0; i < Items(shape); i++)
        {
            var (_, _, queries, _, keys) = Item(shape, i);
            int length = Length(i, keys);
            long start = Start(i, queries, keys);
            if (queries == 0 || length == 0) continue;
            least = Math.Min(least, -(start + queries - 1));
            most = Math.Max(most, length - 1 - start);
        }

        if (Left >= 0 && FirstKeys == 0) least = Math.Max(least, -Left);
        if (Right >= 0 && PrefixLength == 0 && PrefixLengths.IsEmpty) most = Math.Min(most, Right);
        return least <= most ? (least, most) : (0, 0);
    }

    /// <summary>
    /// Writes the terms of an item: the declared ones, each combined with each term of the user. The declared ones are one or two for different rows (causal,
    /// window, prefix), then the same for the first keys. These come last because a zone of them needs no least key to exclude the window.
    /// </summary>
    /// <returns>The number of terms.</returns>
    public readonly unsafe int AddTerms(int item, MaskTerm* terms)
    {
        int prefix = PrefixLengths.IsEmpty ? PrefixLength : PrefixLengths[item], declared = 1;
        ref var causal = ref terms[0];
        causal = MaskTerm.All;
        if (Left >= 0) causal.FromDistance = -Left;
        if (prefix > 0)
        {
            declared = 2;
            terms[1] = causal;
            (terms[1].ToQuery, terms[1].ToKey) = (prefix, prefix);
            causal.FromQuery = prefix;
        }

        if (Right >= 0) causal.ToDistance = (long)Right + 1;
        if (FirstKeys > 0 && Left >= 0)
        {
            for (int i = 0; i < declared; i++)
            {
                terms[declared + i] = terms[i];
                terms[declared + i].FromDistance = -MaskTerm.Far;
                terms[declared + i].ToKey = Math.Min(terms[i].ToKey, FirstKeys);
            }

            declared *= 2;
        }

        if (!HasTerms) return declared;

        // Backwards, because the declared terms occupy the first places of the result.
        for (int j = declared - 1; j >= 0; j--)
            for (int i = Terms.Length - 1; i >= 0; i--)
                terms[j * Terms.Length + i] = Terms[i].And(terms[j]);
        return Terms.Length * declared;
    }
}
