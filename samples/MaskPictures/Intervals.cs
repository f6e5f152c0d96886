using AttentionGen.CompilerServices;
using AttentionGen.Generator.Model;

namespace AttentionGen.MaskPictures;

/// <summary>What a kernel does with a pair of query and key.</summary>
internal enum Touch
{
    /// <summary>It is never read.</summary>
    None,

    /// <summary>It is computed as its tile is, and hidden.</summary>
    Hidden,

    /// <summary>It is visible, in a tile that has hidden ones.</summary>
    Partly,

    /// <summary>It is visible, as its whole tile is: the loop without a mask.</summary>
    Whole,

    /// <summary>It is visible because the user's own mask, computed for it, says so.</summary>
    Computed,

    /// <summary>The user's own mask, computed for it, hides it.</summary>
    ComputedHidden,
}

/// <summary>From a declaration to what is touched: parsed by the generator, cut by the runtime library.</summary>
internal static unsafe class Intervals
{
    /// <summary>A tile, smaller than any of a kernel so that a picture shows some.</summary>
    private const int TileRows = 2, TileKeys = 4;

    public static Touch[,] Of(Picture picture, int tileRows = TileRows, int tileKeys = TileKeys)
    {
        var touched = new Touch[picture.Queries, picture.Keys];
        var (spec, visible) = Declaration.Of(picture);
        var call = new ForwardArguments { Shape = new ForwardShape(1, picture.Queries, picture.Keys, 1, 1), ScratchName = "" };
        var mask = Mask(spec, picture);
        const int Room = 4;
        ForwardSequence* firstSequence = stackalloc ForwardSequence[Room];
        RowPiece* firstPiece = stackalloc RowPiece[Room];
        KeyZone* firstZone = stackalloc KeyZone[Room];
        var layout = new ForwardLayout(firstSequence, firstPiece, firstZone, Room);
        layout.Build(call.Shape, mask, new ForwardWalks(), isDecode: true);
        fixed (ForwardSequence* sequences = &layout.Sequences.First)
        fixed (RowPiece* pieces = &layout.Pieces.First)
        fixed (KeyZone* zones = &layout.Zones.First)
        fixed (int* starts = picture.Lists?.Starts ?? [], blocks = picture.Lists?.Blocks ?? [])
        {
            call.Sequences = sequences;
            call.Pieces = pieces;
            call.Zones = zones;
            call.Lists = mask.Lists with { Starts = starts, Blocks = blocks };
            for (int i = 0; i < layout.Pieces.Count; i++)
            {
                var piece = pieces[i];
                for (int row = piece.FirstRow; row < piece.FirstRow + piece.Rows; row += tileRows)
                    Tiles(call, sequences[piece.Sequence], piece, row, Math.Min(row + tileRows, piece.FirstRow + piece.Rows) - 1, tileKeys, visible, touched);
            }
        }

        layout.Dispose();
        return touched;
    }

    /// <summary>The tiles of some rows, from the ranges of keys that the rows see.</summary>
    private static void Tiles(in ForwardArguments call, ForwardSequence sequence, RowPiece piece, int first, int last, int tileKeys, Func<int, int, bool> visible, Touch[,] touched)
    {
        foreach (var range in new KeyRanges(call, piece, keyHead: 0, first, last))
        {
            for (int tile = range.Begin / tileKeys * tileKeys; tile < range.End; tile += tileKeys)
            {
                int end = Math.Min(tile + tileKeys, sequence.Keys);
                bool Sees(int row, int key) => key >= range.Begin && key < range.End && range.Zone->Range(row) is var (begin, bound) && key >= begin && key < bound;
                bool whole = Enumerable.Range(first, last - first + 1).All(row => Enumerable.Range(tile, end - tile).All(key => Sees(row, key)));
                for (int row = first; row <= last; row++)
                {
                    for (int key = tile; key < end; key++)
                    {
                        ref var place = ref touched[sequence.Query + row * sequence.Step, sequence.Key + key * sequence.Step];
                        if (place > Touch.Hidden) continue; // by another zone
                        place = !Sees(row, key) ? Touch.Hidden
                            : range.Zone->Decided ? (whole ? Touch.Whole : Touch.Partly)
                            : visible((int)(sequence.Origin + (sequence.Start + row) * sequence.Step), (int)(sequence.Origin + key * sequence.Step)) ? Touch.Computed : Touch.ComputedHidden;
                    }
                }
            }
        }
    }

    private static ForwardMask Mask(KernelSpec spec, Picture picture)
    {
        var attention = spec.Attention;
        var program = Generator.Lowering.MaskProgram.Of(spec);
        var mask = new ForwardMask
        {
            QueryStart = -1, Left = program.Left ?? -1, Right = program.Right ?? -1, FirstKeys = attention.FirstKeys, PrefixLength = attention.GivenPrefixLength ?? 0, ChunkLength = program.ChunkLength, Dilation = program.Dilation,
            KeyLengths = picture.KeyLengths, DocumentStarts = picture.DocumentStarts, KeyDocumentStarts = picture.DocumentStarts,
            HasTerms = program.Terms.Count > 0, Terms = program.Terms.Select(Term).ToArray(), RowChunk = program.Own?.RowChunk ?? 0,
        };
        if (picture.Lists is var (_, _, size)) mask.Lists = new KeyBlockLists { QueryBlock = size, KeyBlock = size };
        return mask;

        static MaskTerm Term(Generator.Lowering.MaskTerm term)
        {
            var all = MaskTerm.All with { Decided = term.Rest is null };
            long One(EquatableArray<Generator.Lowering.MaskBound> side, long open) => Generator.Lowering.MaskTerm.One(side) ?? open;
            return all with
            {
                FromQuery = One(term.FromQuery, all.FromQuery), ToQuery = One(term.ToQuery, all.ToQuery), FromKey = One(term.FromKey, all.FromKey), ToKey = One(term.ToKey, all.ToKey),
                FromDistance = One(term.FromDistance, all.FromDistance), ToDistance = One(term.ToDistance, all.ToDistance),
                FromChunk = term.FromChunk?.OfChunk ?? 0, FromChunkKey = term.FromChunk?.Bound.Constant ?? all.FromChunkKey, ToChunk = term.ToChunk?.OfChunk ?? 0, ToChunkKey = term.ToChunk?.Bound.Constant ?? all.ToChunkKey,
            };
        }
    }
}
