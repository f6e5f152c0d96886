using AttentionGen.CompilerServices;

namespace AttentionGen;

/// <summary>
/// The pages of a paged cache, each with the keys and values of some tokens in all layers, one <see cref="PageLayout"/> after the other. Sequences share
/// pages: each page counts how many have it. The memory is taken at once, in large pieces, so that the cache never fails later for want of it.
/// </summary>
/// <remarks>What nobody disposed is freed by the finaliser.</remarks>
internal sealed unsafe class PagePool : IDisposable
{
    /// <summary>The size of a piece of memory: few pieces, each small enough to be found.</summary>
    private const long SlabBytes = 64 << 20;

    private readonly PageLayout _layout;
    private readonly nint _pageBytes;
    private readonly int _pagesOfSlab;
    private readonly nint[] _slabs;
    private readonly int[] _references; // sequences that have a page; 0 for a free one
    private readonly int[] _free;
    private int _freeCount;

    /// <exception cref="OutOfMemoryException">There is not enough memory.</exception>
    public PagePool(CacheShape shape, int layers, int pageTokens, int pages)
    {
        PageTokens = pageTokens;
        Pages = pages;
        _layout = new PageLayout(shape, pageTokens);
        checked
        {
            _pageBytes = _layout.Bytes * layers;
            _ = _pageBytes * (nint)pages;
        }

        _pagesOfSlab = (int)Math.Clamp(SlabBytes / _pageBytes, 1, pages);
        _references = new int[pages];
        _free = new int[pages];
        for (; _freeCount < pages; _freeCount++) _free[_freeCount] = pages - 1 - _freeCount; // the first page is taken first
        _slabs = new nint[(pages - 1) / _pagesOfSlab + 1];
        try
        {
            for (int i = 0; i < _slabs.Length; i++)
            {
                _slabs[i] = (nint)CacheMemory.Allocate(BytesOf(i));
                Bytes += (long)BytesOf(i);
            }
        }
        catch
        {
            Dispose();
            throw;
        }
    }

    /// <summary>Tokens of a page.</summary>
    public int PageTokens { get; }

    /// <summary>The number of pages.</summary>
    public int Pages { get; }

    /// <summary>The number of pages that no sequence has.</summary>
    public int FreePages => Volatile.Read(ref _freeCount);

    public long Bytes { get; private set; }

    /// <summary>Guards the lists of pages and of sequences. Nothing waits or computes while it is held.</summary>
    public Lock Lists { get; } = new();

    /// <summary>Where the keys and values of a layer lie in pages.</summary>
    public KeyMemory Memory(byte** pages, int layer) => _layout.Memory(pages, layer * _layout.Bytes);

    /// <summary>The address of a page.</summary>
    public nint Address(int page) => _slabs[page / _pagesOfSlab] + page % _pagesOfSlab * _pageBytes;

    /// <summary>Takes a free page. The lists are locked, and there is one.</summary>
    public int Take()
    {
        int page = _free[_freeCount - 1];
        Volatile.Write(ref _freeCount, _freeCount - 1);
        _references[page] = 1;
        return page;
    }

    /// <summary>Whether other sequences have a page, too. The lists are locked.</summary>
    public bool IsShared(int page) => _references[page] > 1;

    /// <summary>Counts another sequence that has a page. The lists are locked.</summary>
    public void Share(int page) => _references[page]++;

    /// <summary>Counts a sequence less. The lists are locked.</summary>
    public void Release(int page)
    {
        if (--_references[page] > 0) return;
        _free[_freeCount] = page;
        Volatile.Write(ref _freeCount, _freeCount + 1);
    }

    public void Copy(int from, int to) => Buffer.MemoryCopy((void*)Address(from), (void*)Address(to), _pageBytes, _pageBytes);

    public void Dispose()
    {
        FreeAll();
        GC.SuppressFinalize(this);
    }

    ~PagePool() => FreeAll();

    private nuint BytesOf(int slab) => (nuint)_pageBytes * (nuint)Math.Min(_pagesOfSlab, Pages - slab * _pagesOfSlab);

    private void FreeAll()
    {
        if (_slabs is null) return; // the constructor threw before
        for (int i = 0; i < _slabs.Length && _slabs[i] != 0; i++)
        {
            CacheMemory.Free((byte*)_slabs[i], BytesOf(i));
            _slabs[i] = 0;
        }

        Bytes = 0;
    }
}
