using AttentionGen.CompilerServices;

namespace AttentionGen;

public abstract unsafe partial class PagedAttentionCache
{
    /// <summary>
    /// Writes all sequences to a stream, little-endian and with a checksum: the tokens that they have, as they are stored, those of a shared page once. Other
    /// calls may read the sequences meanwhile, create, fork and free some; a sequence that is created meanwhile is not saved. The stream stays open.
    /// </summary>
    /// <returns>
    /// The saved sequences in the order of the file, in which <see cref="GetSequences"/> of the loaded cache has them: a loaded cache has other ids, and none of
    /// these is valid there.
    /// </returns>
    /// <exception cref="ArgumentNullException"><paramref name="stream"/> is null.</exception>
    /// <exception cref="InvalidOperationException">Another call is changing a sequence.</exception>
    /// <exception cref="IOException">The stream cannot be written.</exception>
    /// <exception cref="ObjectDisposedException">The cache is disposed.</exception>
    public SequenceId[] Save(Stream stream)
    {
        ArgumentNullException.ThrowIfNull(stream);
        var taken = new List<PagedSequence>();
        EnterPool();
        try
        {
            foreach (var sequence in Living())
            {
                var result = sequence.TryEnter(changes: false);
                if (result == UseGate.Result.Busy) ThrowBusy(sequence.Id, changes: false);
                if (result == UseGate.Result.Entered) taken.Add(sequence); // else freed meanwhile
            }

            Write(stream, taken);
            return [.. taken.Select(sequence => sequence.Id)];
        }
        finally
        {
            foreach (var sequence in taken) Leave(sequence, changes: false);
            ExitPool();
        }
    }

    /// <summary>Takes the memory of pages, so that a loaded cache needs none later. A cache of a constructor has all its memory.</summary>
    /// <param name="pages">The number of pages in all, including those that sequences have.</param>
    /// <exception cref="ArgumentOutOfRangeException">It is negative, or more than <see cref="Pages"/>.</exception>
    /// <exception cref="ObjectDisposedException">The cache is disposed.</exception>
    /// <exception cref="OutOfMemoryException">There is not enough memory.</exception>
    public void EnsureCapacity(int pages)
    {
        if (pages < 0 || pages > Pages) throw new ArgumentOutOfRangeException(nameof(pages), pages, $"{nameof(pages)} is {pages}, the cache has {Pages} pages.");
        EnterPool();
        try
        {
            lock (_pool.Lists) _pool.Ready(pages);
        }
        finally
        {
            ExitPool();
        }
    }

    /// <summary>Reads the sequences of a new cache, as <see cref="Write"/> has written them. It fills the cache, or throws and leaves it to be disposed.</summary>
    internal void Read(CacheReader reader, long maxBytes)
    {
        int count = reader.Number("number of sequences", 0, SequenceId.MaxSlots);
        var saved = new SavedPages(PageTokens);
        var tables = new List<(int[] Lengths, int[] Pages)>(); // both lists grow as numbers arrive
        for (int i = 0; i < count; i++)
        {
            int[] lengths = reader.Lengths(KernelTensor.MaxTokens, $" of sequence {i}");
            int blocks = saved.Blocks(lengths);
            var pages = new List<int>();
            for (int block = 0; block < blocks; block++)
            {
                int page = reader.Number($"page of block {block} of sequence {i}", 0, Math.Min(saved.Count, Pages - 1));
                if (page < saved.Count && saved.BlockOf(page) != block)
                    CacheReader.Refuse($"The page {page} is block {saved.BlockOf(page)} of a sequence and block {block} of sequence {i}: sequences share a page at one place");
                saved.Add(page, block, lengths);
                pages.Add(page);
            }

            tables.Add((lengths, [.. pages]));
        }

        if (saved.Count > maxBytes / _pool.PageBytes)
            CacheReader.Refuse($"The file has {saved.Count} pages of {_pool.PageBytes} bytes, which is more than the {maxBytes} bytes that are allowed");
        lock (_pool.Lists) // of a cache that no other thread has yet
        {
            var places = new List<int>(); // where the pages of the file come to lie
            byte* address;
            for (int page = 0; page < saved.Count; page++)
            {
                for (int layer = 0; layer < Layers; layer++)
                {
                    var memory = _pool.Memory(&address, layer);
                    reader.Rows(
                        _ =>
                        {
                            if (places.Count == page)
                            {
                                _pool.ReadyFree(1);
                                places.Add(_pool.Take());
                            }

                            *memory.Pages = (byte*)_pool.Address(places[page]);
                            return memory;
                        },
                        saved.TokensOf(page, layer));
                }
            }

            foreach (var (lengths, pages) in tables) Add(lengths.Max()).Share(_pool, lengths, [.. pages.Select(page => places[page])]);
            foreach (int page in places) _pool.Release(page); // the sequences have it
        }
    }

    private void Write(Stream stream, List<PagedSequence> sequences)
    {
        using var writer = new CacheWriter(stream, CacheKind.Paged, Shape, Layers);
        writer.Numbers([PageTokens, Pages, sequences.Count]);
        var saved = new SavedPages(PageTokens);
        var numbers = new Dictionary<int, int>(); // of the pages, in the file
        var owners = new List<PagedSequence>();
        foreach (var sequence in sequences)
        {
            int[] lengths = sequence.Lengths.ToArray();
            writer.Numbers(lengths);
            for (int block = 0, blocks = saved.Blocks(lengths); block < blocks; block++)
            {
                int page = sequence.Pages[block];
                if (numbers.TryAdd(page, saved.Count)) owners.Add(sequence);
                saved.Add(numbers[page], block, lengths);
                writer.Number(numbers[page]);
            }
        }

        for (int page = 0; page < saved.Count; page++)
            for (int layer = 0; layer < Layers; layer++)
                writer.Rows(Memory(owners[page], layer), saved.BlockOf(page) * PageTokens, saved.TokensOf(page, layer));
        writer.End();
    }

    /// <summary>
    /// The pages of a file, numbered as they first occur in the tables of its sequences. How many sequences have a page, and how many tokens are in it, follows
    /// from these tables, so that a file cannot say otherwise.
    /// </summary>
    private sealed class SavedPages(int pageTokens)
    {
        private readonly List<(int Block, List<int[]> Lengths)> _pages = [];

        public int Count => _pages.Count;

        public int BlockOf(int page) => _pages[page].Block;

        /// <summary>The pages of a sequence whose layers have some lengths.</summary>
        public int Blocks(int[] lengths) => (int)(((long)lengths.Max() + pageTokens - 1) / pageTokens);

        /// <summary>Notes that a sequence has a page, which may be the next new one.</summary>
        public void Add(int page, int block, int[] lengths)
        {
            if (page == Count) _pages.Add((block, []));
            _pages[page].Lengths.Add(lengths);
        }

        /// <summary>The tokens of a layer in a page: those of the sequence that has most, whose beginning the others have.</summary>
        public int TokensOf(int page, int layer)
        {
            var (block, sequences) = _pages[page];
            int most = 0;
            foreach (int[] lengths in sequences) most = Math.Max(most, lengths[layer] - block * pageTokens);
            return Math.Min(most, pageTokens);
        }
    }
}
