using System.Runtime.InteropServices;
using static AttentionGen.Kernels.Tests.LibC;

namespace AttentionGen.Kernels.Tests;

/// <summary>Tokens of a tensor, each in a page of its own: whatever a kernel must not touch is protected, token by token. The stride of the tensor is a page.</summary>
internal sealed unsafe class TokenPages : IDisposable
{
    /// <summary>Elements from token to token.</summary>
    public const int Stride = 1024;

    private const int Page = Stride * sizeof(float), ReadWrite = 3, Private = 2, Anonymous = 0x20;

    private readonly int _tokens, _width;
    private readonly nint _start, _first;

    /// <param name="tokens">How many there are.</param>
    /// <param name="width">Elements of each.</param>
    /// <param name="atEnd">Whether a token ends where its page does; or begins there.</param>
    public TokenPages(int tokens, int width, bool atEnd)
    {
        (_tokens, _width) = (tokens, width);
        _start = mmap(0, Bytes, 0, Private | Anonymous, -1, 0);
        if (_start == -1 || mprotect(_start + Page, (nint)tokens * Page, ReadWrite) != 0) throw new InvalidOperationException($"mmap: {Marshal.GetLastPInvokeErrorMessage()}");
        _first = _start + Page + (atEnd ? Page - width * sizeof(float) : 0);
    }

    /// <summary>Why there is no such memory on this machine; null where there is.</summary>
    public static string? Missing => GuardedMemory.Missing ?? (Environment.SystemPageSize == Page ? null : $"pages have {Environment.SystemPageSize} bytes here, not {Page}");

    /// <summary>From the first token to the last.</summary>
    public Span<float> Span => new((void*)_first, _tokens == 0 ? 0 : (_tokens - 1) * Stride + _width);

    private nint Bytes => (nint)(_tokens + 2) * Page;

    public Span<float> Token(int token) => new((float*)_first + (nint)token * Stride, _width);

    /// <summary>From now on, the process ends when somebody touches the token.</summary>
    public void Protect(int token)
    {
        if (mprotect(_start + (nint)(token + 1) * Page, Page, 0) != 0) throw new InvalidOperationException($"mprotect: {Marshal.GetLastPInvokeErrorMessage()}");
    }

    public void Dispose() => munmap(_start, Bytes);
}
