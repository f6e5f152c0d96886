using System.Diagnostics.CodeAnalysis;

namespace AttentionGen.CompilerServices;

/// <summary>The exceptions of wrong calls: each names the parameter and both shapes.</summary>
internal static class ThrowHelper
{
    [DoesNotReturn]
    public static void ScratchTooSmall(string name, nint bytes, nint needed) =>
        throw new ArgumentException($"{name} has {bytes} aligned bytes, this call needs {needed} for a thread (64 more where the memory is not aligned to 64).", name);

    // A row is a token, or a head of a token where heads come first: `heads` then says how many of them make a token.
    [DoesNotReturn]
    public static void NotTokens(string name, nint length, string what, int width, int stride, string? heads, int rowsOfToken, int batch)
    {
        nint rest = length - width;
        if (length < width || rest % stride > stride - width)
            throw new ArgumentException(
                stride == width
                    ? $"{name} has {length} elements, which is not a multiple of {what}."
                    : $"{name} has {length} elements, which do not end behind {what} of a token: tokens are {stride} elements apart.", name);
        nint rows = rest / stride + 1;
        throw new ArgumentException(
            heads is null || rows % rowsOfToken == 0
                ? $"{name} has {rows / rowsOfToken} tokens, which is not a multiple of the batch of {batch}."
                : $"{name} has {rows} rows of {what}, which is not a multiple of {heads}.", name);
    }

    [DoesNotReturn]
    public static void FixedLength(string name, int tokens, int declared) =>
        throw new ArgumentException($"{name} has {tokens} tokens, the kernel is declared for {declared}.", name);

    [DoesNotReturn]
    public static void Shape(string name, nint length, string shape, long expected, int stride, bool isDense) =>
        throw new ArgumentException(
            isDense
                ? $"{name} has {length} elements, but its shape {shape} needs {expected}."
                : $"{name} has {length} elements, but its shape {shape} with tokens {stride} elements apart needs {expected}.", name);

    [DoesNotReturn]
    public static void TensorShape(string name, ReadOnlySpan<nint> lengths, string shape) =>
        throw new ArgumentException($"{name} has the shape [{string.Join(", ", lengths.ToArray())}], {shape} is needed.", name);

    [DoesNotReturn]
    public static void TensorShape(string name, int batch, int tokens, string shape) =>
        throw new ArgumentException($"{name} has {(batch == 1 ? "" : $"a batch of {batch} and ")}{tokens} tokens, the shape {shape} is needed.", name);

    [DoesNotReturn]
    public static void TensorStrides(string name, ReadOnlySpan<nint> strides) =>
        throw new ArgumentException($"{name} has the strides [{string.Join(", ", strides.ToArray())}]: the elements of a head must lie side by side, a last stride of 1.", name);

    [DoesNotReturn]
    public static void BatchMismatch(string name, int batch, string other, int otherBatch) =>
        throw new ArgumentException($"{name} has a batch of {batch}, {other} one of {otherBatch}.", name);

    [DoesNotReturn]
    public static void OverlapsItself(string name) =>
        throw new ArgumentException($"The strides of {name} let two of its elements share a place, and it is written.", name);

    [DoesNotReturn]
    public static void Overlap(string output, string other) =>
        throw new ArgumentException($"{output} overlaps {other}. The output is written while the inputs are read: give it memory of its own.", output);

    [DoesNotReturn]
    public static void OneForEachItem(string name, int length, int batch) =>
        throw new ArgumentException($"{name} has {length} elements, one for each of the {batch} batch items is needed.", name);

    [DoesNotReturn]
    public static void BadKeyLength(string name, int index, int length, int keys) =>
        throw new ArgumentOutOfRangeException(name, length, $"{name}[{index}] is {length}, a number of keys from 0 to {keys} is needed.");

    [DoesNotReturn]
    public static void NegativeStart(string name, int? index, int start) =>
        throw new ArgumentOutOfRangeException(name, start, $"{(index is { } i ? $"{name}[{i}]" : name)} is {start}, a position of 0 or more is needed.");

    [DoesNotReturn]
    public static void TooFewThreads(string name, int threads) =>
        throw new ArgumentOutOfRangeException(name, threads, $"{name} is {threads}, at least 1 is needed.");

    [DoesNotReturn]
    public static void BadBatch(string name, int batch) =>
        throw new ArgumentOutOfRangeException(name, batch, $"{name} is {batch}, at least 1 is needed.");
}
