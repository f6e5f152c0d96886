using System.Runtime.InteropServices;
using AttentionGen.CompilerServices;

namespace AttentionGen;

/// <summary>Native memory in pages, each with the keys and values of some tokens of a layer: see <see cref="PageLayout"/>.</summary>
/// <remarks>What nobody disposed is freed by the finaliser.</remarks>
internal sealed unsafe class CachePages : IDisposable
{
    /// <summary>Tokens of a chunk: enough keys for a long run of a kernel, little memory for a short sequence.</summary>
    private const int ChunkTokens = 512;

    /// <summary>Bytes of a chunk, so that the first tokens of a wide shape do not take the memory of many.</summary>
    private const int ChunkBytes = 64 << 20;

    private readonly PageLayout _layout;
    private readonly nuint _pageBytes;
    private readonly Table[] _tables; // of the layers: each grows with its own pages alone
    private long _count;

    public CachePages(CacheShape shape, int layers, int pageTokens)
    {
        PageTokens = pageTokens;
        _layout = new PageLayout(shape, pageTokens);
        _pageBytes = (nuint)_layout.Bytes;
        _tables = new Table[layers];
    }

    /// <summary>Tokens of a page.</summary>
    public int PageTokens { get; }

    /// <summary>The tokens of a page where memory is to follow the tokens.</summary>
    public static int ChunkOf(CacheShape shape) => Math.Clamp(ChunkBytes / (shape.Heads * (shape.HeadDim + shape.StoredValueDim) * shape.ElementBytes), 1, ChunkTokens);

    public long Bytes => _count * (long)_pageBytes;

    /// <summary>
    /// Adds pages until there is room for so many tokens in all layers. Pages that were added before one fails stay: they are room for later.
    /// </summary>
    /// <exception cref="OutOfMemoryException">There is not enough memory.</exception>
    public void Reserve(int tokens)
    {
        for (int layer = 0; layer < _tables.Length; layer++) Reserve(layer, tokens);
    }

    /// <summary>Adds pages until there is room for so many tokens in a layer.</summary>
    /// <exception cref="OutOfMemoryException">There is not enough memory.</exception>
    public void Reserve(int layer, int tokens)
    {
        ref var table = ref _tables[layer];
        while ((long)table.Count * PageTokens < tokens) Add(ref table);
    }

    /// <summary>Where the keys and values of a layer lie.</summary>
    public KeyMemory Memory(int layer) => _layout.Memory(_tables[layer].Pages);

    /// <summary>Copies the pages of another cache of the same shape.</summary>
    /// <exception cref="OutOfMemoryException">There is not enough memory.</exception>
    public void CopyFrom(CachePages other)
    {
        for (int layer = 0; layer < _tables.Length; layer++)
        {
            ref var table = ref _tables[layer];
            ref readonly var source = ref other._tables[layer];
            for (int i = 0; i < source.Count; i++)
            {
                if (i == table.Count) Add(ref table);
                Buffer.MemoryCopy(source.Pages[i], table.Pages[i], _pageBytes, _pageBytes);
            }
        }
    }

    public void Dispose()
    {
        FreeAll();
        GC.SuppressFinalize(this);
    }

    ~CachePages() => FreeAll();

    private void Add(ref Table table)
    {
        if (table.Count == table.Room)
        {
            Faults.Before(Fault.NativeMemory);
            int room = Math.Max(4, 2 * table.Room);
            table.Pages = (byte**)NativeMemory.Realloc(table.Pages, (nuint)room * (nuint)sizeof(byte*));
            table.Room = room;
        }

        byte* page = OwnedMemory.Allocate(_pageBytes);
        _layout.Memory(&page).RemoveMark(); // a ring may skip the first token of a page, which would begin it
        table.Pages[table.Count] = page;
        table.Count++;
        _count++;
    }

    private void FreeAll()
    {
        foreach (ref var table in (_tables ?? []).AsSpan()) // null where the constructor threw
        {
            while (table.Count > 0) OwnedMemory.Free(table.Pages[--table.Count], _pageBytes);
            NativeMemory.Free(table.Pages);
            table = default;
        }

        _count = 0;
    }

    private struct Table
    {
        public byte** Pages;
        public int Count, Room;
    }
}
