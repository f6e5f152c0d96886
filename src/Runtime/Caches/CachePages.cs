using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using AttentionGen.CompilerServices;

namespace AttentionGen;

/// <summary>
/// Native memory in pages, each with the keys and values of some tokens in all layers: [layers, (keys [heads, tokens, headDim], values [heads, tokens, valueDim])],
/// each part aligned to 64 bytes. Head by head, since decode then reads the keys of a head in the order of memory.
/// </summary>
/// <remarks>What nobody disposed is freed by the finaliser.</remarks>
internal sealed unsafe class CachePages : IDisposable
{
    private readonly nint _valuesOffset, _layerBytes;
    private readonly nuint _pageBytes;
    private byte** _pages;
    private int _room;

    public CachePages(CacheShape shape, int layers, int pageTokens)
    {
        PageTokens = pageTokens;
        checked
        {
            _valuesOffset = Aligned((nint)shape.Heads * pageTokens * shape.HeadDim * shape.ElementBytes);
            _layerBytes = _valuesOffset + Aligned((nint)shape.Heads * pageTokens * shape.ValueDim * shape.ElementBytes);
            _pageBytes = (nuint)(_layerBytes * layers);
        }

        static nint Aligned(nint bytes) => checked(bytes + (nint)CacheMemory.Alignment - 1) & -(nint)CacheMemory.Alignment;
    }

    /// <summary>Tokens of a page.</summary>
    public int PageTokens { get; }

    public int Count { get; private set; }

    public long Bytes => Count * (long)_pageBytes;

    /// <summary>The tokens that there is room for.</summary>
    public long Room => (long)Count * PageTokens;

    /// <summary>Adds pages until there is room for so many tokens. Pages that were added before one fails stay: they are room for later.</summary>
    /// <exception cref="OutOfMemoryException">There is not enough memory.</exception>
    public void Reserve(int tokens)
    {
        while (Room < tokens)
        {
            if (Count == _room) Grow();
            _pages[Count] = CacheMemory.Allocate(_pageBytes);
            Count++;
        }
    }

    /// <summary>Where the keys and values of a layer lie.</summary>
    public KeyMemory Memory(int layer) => new() { Pages = _pages, PageTokens = PageTokens, Keys = layer * _layerBytes, Values = layer * _layerBytes + _valuesOffset };

    /// <summary>Copies the contents of other pages of the same shape.</summary>
    public void CopyFrom(CachePages other)
    {
        for (int i = 0; i < other.Count; i++) Buffer.MemoryCopy(other._pages[i], _pages[i], _pageBytes, _pageBytes);
    }

    public void Dispose()
    {
        FreeAll();
        GC.SuppressFinalize(this);
    }

    ~CachePages() => FreeAll();

    private void FreeAll()
    {
        while (Count > 0) CacheMemory.Free(_pages[--Count], _pageBytes);
        NativeMemory.Free(_pages);
        _pages = null;
        _room = 0;
    }

    private void Grow()
    {
        Faults.Before(Fault.NativeMemory);
        int room = Math.Max(4, 2 * _room);
        _pages = (byte**)NativeMemory.Realloc(_pages, (nuint)room * (nuint)sizeof(byte*));
        _room = room;
    }
}
