using AttentionGen.CompilerServices;

namespace AttentionGen;

/// <summary>
/// The pages of a paged cache, each with the keys and values of some tokens in all layers, one <see cref="PageLayout"/> after the other. Sequences share pages:
/// each page counts how many have it. The memory is taken in large pieces, by <see cref="Ready"/>: of all pages at once, or, for a loaded cache, as pages are needed.
/// </summary>
/// <remarks>What nobody disposed is freed by the finaliser.</remarks>
internal sealed unsafe class PagePool : IDisposable
{
    /// <summary>The size of a piece of memory: few pieces, each small enough to be found.</summary>
    private const long SlabBytes = 64 << 20;

    private readonly PageLayout _layout;
    private readonly nint _pageBytes;
    private readonly int _pagesOfSlab;
    private nint[] _slabs = [];
    private int[] _references = []; // sequences that have a page; 0 for a free one
    private int[] _free = [];       // of the pages with memory
    private int _slabCount, _ready, _freeCount, _freePages;

    public PagePool(CacheShape shape, int layers, int pageTokens, int pages)
    {
        PageTokens = pageTokens;
        Pages = _freePages = pages;
        _layout = new PageLayout(shape, pageTokens);
        _pageBytes = checked(_layout.Bytes * layers);
        _ = checked(_pageBytes * pages);

        _pagesOfSlab = (int)Math.Clamp(SlabBytes / _pageBytes, 1, pages);
    }

    /// <summary>Tokens of a page.</summary>
    public int PageTokens { get; }

    /// <summary>The number of pages.</summary>
    public int Pages { get; }

    /// <summary>The number of pages that no sequence has.</summary>
    public int FreePages => Volatile.Read(ref _freePages);

    public long Bytes => (long)Volatile.Read(ref _ready) * _pageBytes;

    /// <summary>The bytes of a page.</summary>
    public static nint PageBytesOf(CacheShape shape, int layers, int pageTokens) => checked(new PageLayout(shape, pageTokens).Bytes * layers);

    public nint PageBytes => _pageBytes;

    /// <summary>Guards the lists of pages and of sequences. Nothing waits or computes while it is held; only a loaded cache takes memory then.</summary>
    public Lock Lists { get; } = new();

    /// <summary>Where the keys and values of a layer lie in pages.</summary>
    public KeyMemory Memory(byte** pages, int layer) => _layout.Memory(pages, layer * _layout.Bytes);

    /// <summary>The address of a page.</summary>
    public nint Address(int page) => Volatile.Read(ref _slabs)[page / _pagesOfSlab] + page % _pagesOfSlab * _pageBytes;

    /// <summary>Takes memory until so many pages have it. The lists are locked. Nothing else changes, even where it throws.</summary>
    /// <exception cref="OutOfMemoryException">There is not enough memory.</exception>
    public void Ready(int pages)
    {
        while (_ready < pages) AddSlab(pages);
    }

    /// <summary>Takes memory until so many free pages have it, of those that are free.</summary>
    /// <inheritdoc cref="Ready"/>
    public void ReadyFree(int pages) => Ready(_ready + Math.Max(pages - _freeCount, 0));

    /// <summary>Takes a free page. The lists are locked, and there is one with memory.</summary>
    public int Take()
    {
        int page = _free[--_freeCount];
        Volatile.Write(ref _freePages, _freePages - 1);
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
        _free[_freeCount++] = page;
        Volatile.Write(ref _freePages, _freePages + 1);
    }

    public void Copy(int from, int to) => Buffer.MemoryCopy((void*)Address(from), (void*)Address(to), _pageBytes, _pageBytes);

    public void Dispose()
    {
        FreeAll();
        GC.SuppressFinalize(this);
    }

    ~PagePool() => FreeAll();

    private nuint BytesOf(int slab) => (nuint)_pageBytes * (nuint)Math.Min(_pagesOfSlab, Pages - slab * _pagesOfSlab);

    /// <summary>Takes memory for the next pages.</summary>
    /// <param name="expected">The number of pages that are to have memory, for which lists get room at once.</param>
    private void AddSlab(int expected)
    {
        int end = _ready + Math.Min(_pagesOfSlab, Pages - _ready);
        if (end > _free.Length)
        {
            Faults.Before(Fault.Array);
            int room = (int)Math.Min(Math.Max(Math.Max(expected, end), 2L * _free.Length), Pages);
            int[] references = new int[room], free = new int[room];
            var slabs = new nint[(room - 1) / _pagesOfSlab + 1];
            _references.CopyTo(references, 0);
            _free.CopyTo(free, 0);
            _slabs.CopyTo(slabs, 0);
            (_references, _free) = (references, free);
            Volatile.Write(ref _slabs, slabs); // addresses are read outside of the lock
        }

        _slabs[_slabCount] = (nint)OwnedMemory.Allocate(BytesOf(_slabCount));
        _slabCount++;
        for (int page = end; page > _ready; _freeCount++) _free[_freeCount] = --page; // the first one is taken first
        Volatile.Write(ref _ready, end);
    }

    private void FreeAll()
    {
        for (; _slabCount > 0; _slabCount--) OwnedMemory.Free((byte*)_slabs[_slabCount - 1], BytesOf(_slabCount - 1));
        _ready = 0;
    }
}
