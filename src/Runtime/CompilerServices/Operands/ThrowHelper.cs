using System.Diagnostics.CodeAnalysis;

namespace AttentionGen.CompilerServices;

/// <summary>The exceptions for invalid calls. Each message names the parameter, its actual shape and the needed one.</summary>
internal static class ThrowHelper
{
    [DoesNotReturn]
    public static void ScratchTooSmall(string name, nint bytes, nint needed) =>
        throw new ArgumentException($"{name} has {bytes} aligned bytes, this call needs {needed} for a thread (64 more where the memory is not aligned to 64).", name);

    /// <param name="name">The parameter.</param>
    /// <param name="length">The number of elements of the span.</param>
    /// <param name="row">The unit between two strides: a token, or in head-major order a row (a head of a token).</param>
    /// <param name="what">The number of elements of a unit, in words.</param>
    /// <param name="width">The number of elements of a unit.</param>
    /// <param name="stride">Elements from one unit to the next.</param>
    /// <param name="rowsOfToken">The number of units in a token.</param>
    /// <param name="heads">The number of units in a token, in words.</param>
    /// <param name="batch">The number of batch items.</param>
    [DoesNotReturn]
    public static void NotTokens(string name, nint length, string row, string what, int width, int stride, int rowsOfToken, string heads, int batch)
    {
        long rows = length < width ? 0 : (length - width) / stride + 1, next = rows * stride;
        if (rows == 0 || length > next)
        {
            if (stride == width) throw new ArgumentException($"{name} has {length} elements, which is not a multiple of {what}.", name);
            string whole = rows == 0 ? "" : $"{rows} {(rows == 1 ? "takes" : "take")} {next - stride + width} to {next} and ";
            throw new ArgumentException(
                $"{name} has {length} elements, which end inside a {row}: {row}s have {what} elements and begin {stride} apart, "
                + $"so {whole}{rows + 1} {(rows == 0 ? "takes" : "take")} {next + width} to {next + stride}.", name);
        }

        throw new ArgumentException(
            rows % rowsOfToken == 0
                ? $"{name} has {rows / rowsOfToken} tokens, which is not a multiple of the batch of {batch}."
                : $"{name} has {rows} rows of {what}, which is not a multiple of {heads}.", name);
    }

    [DoesNotReturn]
    public static void TooManyTokens(string name, long tokens) =>
        throw new ArgumentException($"{name} has {tokens} tokens, at most {KernelTensor.MaxTokens} are possible.", name);

    [DoesNotReturn]
    public static void FixedLength(string name, int tokens, int declared) =>
        throw new ArgumentException($"{name} has {tokens} tokens, the kernel is declared for {declared}.", name);

    [DoesNotReturn]
    public static void SpanShape(string name, nint length, string shape, long rows, int width, int stride)
    {
        long least = rows == 0 ? 0 : (rows - 1) * stride + width;
        throw new ArgumentException(
            stride == width
                ? $"{name} has {length} elements, but its shape {shape} needs {least}."
                : $"{name} has {length} elements, but its shape {shape} with tokens {stride} elements apart needs {least} to {rows * stride}.", name);
    }

    [DoesNotReturn]
    public static void TensorShape(string name, string actual, string needed) =>
        throw new ArgumentException($"{name} has the shape {actual}, {needed} is needed.", name);

    [DoesNotReturn]
    public static void TensorLengths(string name, string lengths) =>
        throw new ArgumentException($"{name} has the shape {lengths}: there are 0 to {int.MaxValue} batch items and 0 to {KernelTensor.MaxTokens} tokens.", name);

    [DoesNotReturn]
    public static void TensorStrides(string name, string strides) =>
        throw new ArgumentException($"{name} has the strides {strides}: the elements of a head must lie side by side, a last stride of 1.", name);

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
    public static void ScratchOverlap(string name, string tensor) =>
        throw new ArgumentException($"{name} overlaps {tensor}. It is written while the tensors are in use: give it memory of its own.", name);

    [DoesNotReturn]
    public static void OneForEachItem(string name, int length, int items, string what) =>
        throw new ArgumentException($"{name} has {length} elements, one for each of the {items} {what} is needed.", name);

    [DoesNotReturn]
    public static void DocumentRange(string name, ReadOnlySpan<int> starts, string tensor, int tokens) =>
        throw new ArgumentException(
            starts.Length < 1
                ? $"{name} has {starts.Length} elements: it begins with 0, and the end of each document follows, that of the last being the {tokens} tokens of {tensor}."
                : $"{name} goes from {starts[0]} to {starts[^1]}, from 0 to the {tokens} tokens of {tensor} is needed.", name);

    [DoesNotReturn]
    public static void DocumentOrder(string name, int index, int before, int start) =>
        throw new ArgumentException($"{name}[{index}] is {start}, but the document before begins at {before}: starts must not fall.", name);

    [DoesNotReturn]
    public static void AsManyStarts(string name, int length, string other, int needed) =>
        throw new ArgumentException($"{name} has {length} elements, {other} has {needed}: both have one for each document and the end of the last.", name);

    [DoesNotReturn]
    public static void NegativePrefix(string name, int? index, int length) =>
        throw new ArgumentOutOfRangeException(name, length, $"{(index is { } i ? $"{name}[{i}]" : name)} is {length}, a number of keys of 0 or more is needed.");

    [DoesNotReturn]
    public static void BlockStarts(string name, ReadOnlySpan<int> starts, string blocksName, int blocks, long lists) =>
        throw new ArgumentException(
            starts.Length != lists + 1
                ? $"{name} has {starts.Length} elements, {lists + 1} are needed: where each of the {lists} lists begins, and where the last ends."
                : $"{name} goes from {starts[0]} to {starts[^1]}, from 0 to the {blocks} elements of {blocksName} is needed.", name);

    [DoesNotReturn]
    public static void BlockStartOrder(string name, int index, int before, int start) =>
        throw new ArgumentException($"{name}[{index}] is {start}, but the list before begins at {before}: starts must not fall.", name);

    [DoesNotReturn]
    public static void BadKeyBlock(string name, int index, int block, int least, int blocks, int list) =>
        throw new ArgumentOutOfRangeException(name, block, $"{name}[{index}] is {block}, a block from {least} to {blocks - 1} is needed: list {list} rises, and there are {blocks} blocks of keys.");

    [DoesNotReturn]
    public static void OperandLength(string name, int length, AttentionAxes axes, int batch, int heads, int queries, int keys)
    {
        var own = new[] { (AttentionAxes.Batch, "batch", batch), (AttentionAxes.Head, "heads", heads), (AttentionAxes.Query, "queries", queries), (AttentionAxes.Key, "keys", keys) }
            .Where(axis => (axes & axis.Item1) != 0).ToList();
        throw new ArgumentException(
            $"{name} has {length} elements, [{string.Join(", ", own.Select(axis => axis.Item2))}] = [{string.Join(", ", own.Select(axis => axis.Item3))}] are needed.", name);
    }

    [DoesNotReturn]
    public static void StateLength(string name, int length, string shape, long needed) =>
        throw new ArgumentException($"{name} has {length} elements, {shape} needs {needed}.", name);

    [DoesNotReturn]
    public static void AsManyTokens(string name, int keys, string queryName, int queries) =>
        throw new ArgumentException($"{name} has {keys} tokens and {queryName} has {queries}, but each token has a query and a key.", name);

    public static ArgumentOutOfRangeException NoSuchOperand(string name, AttentionRole role, OperandKind kind, ElementType element, AttentionAxes axes) =>
        new(name, role, $"{role} with the axes {axes} is no {kind} of {element}.");

    [DoesNotReturn]
    public static void OneForEachBucket(string name, int length, int buckets, int heads) =>
        throw new ArgumentException($"{name} has {length} elements, [buckets, heads] = [{buckets}, {heads}] are needed.", name);

    [DoesNotReturn]
    public static void NotFinite(string name, int index, float value) =>
        throw new ArgumentException($"{name}[{index}] is {value}, a finite number is needed.", name);

    [DoesNotReturn]
    public static void BadSink(string name, int index, float value) =>
        throw new ArgumentException($"{name}[{index}] is {value}, a finite number is needed, or -infinity for a head without a sink.", name);

    [DoesNotReturn]
    public static void BadIndex(string name, int index, int count) =>
        throw new ArgumentOutOfRangeException(name, index, $"{name} is {index}, a number from 0 to {count - 1} is needed.");

    [DoesNotReturn]
    public static void SpanTooShort(string name, int length, long needed, string what) =>
        throw new ArgumentException($"{name} has {length} elements, one for each of the {needed} {what} is needed.", name);

    [DoesNotReturn]
    public static void OneForEachElement(string name, int length, string shape, long needed) =>
        throw new ArgumentException($"{name} has {length} elements, but its shape {shape} needs {needed}.", name);

    [DoesNotReturn]
    public static void BadFactor(string name, int index, float value, float most) =>
        throw new ArgumentException(string.Create(System.Globalization.CultureInfo.InvariantCulture, $"{name}[{index}] is {value}, but must be a number of at most {most} in magnitude."), name);

    [DoesNotReturn]
    public static void NormWeightLength(string name, int length, int headDim) =>
        throw new ArgumentException($"{name} has {length} elements, [headDim] = [{headDim}] are needed.", name);

    [DoesNotReturn]
    public static void RotaryDim(string name, int given, int needed) =>
        throw new ArgumentException($"{name} has a RotaryDim of {given}, the kernel rotates {needed} elements.", name);

    /// <param name="name">The parameter.</param>
    /// <param name="positions">The number of positions of the table.</param>
    /// <param name="tensor">The tensor whose tokens are outside.</param>
    /// <param name="first">The position of its first token.</param>
    /// <param name="last">The position of its last token.</param>
    /// <param name="what">What an item is, in words.</param>
    /// <param name="item">The item; null if there is only one.</param>
    [DoesNotReturn]
    public static void RotaryPositions(string name, int positions, string tensor, long first, long last, string what, int? item) =>
        throw new ArgumentException($"{name} has {positions} positions, but {tensor}{Item(what, item)} has tokens at the positions {first} to {last}: build a table of {last + 1} positions or more.", name);

    [DoesNotReturn]
    public static void RotaryBefore(string name, long start, int queries, int keys, string what, int? item) =>
        throw new ArgumentException(
            $"{name}{Item(what, item)} has {queries} tokens for {keys} keys and no start, so that its first token is at the position {start}, which has no rotation: give the start.", name);

    private static string Item(string what, int? item) => item is { } index ? $" of {what} {index}" : "";

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
        throw new ArgumentOutOfRangeException(name, batch, $"{name} is {batch}, at least 0 is needed.");

    [DoesNotReturn]
    public static void CacheShape(string name, CacheShape shape, int heads, int headDim, int valueDim, bool valueFromKey) => throw new ArgumentException(
        $"{name} has {shape.Heads} heads with keys of {shape.HeadDim} and values of {shape.ValueDim} elements{Part(shape.ValueFromKey)}, the kernel is declared for {heads} heads with keys of {headDim} and values of {valueDim}{Part(valueFromKey)}.", name);

    private static string Part(bool valueFromKey) => valueFromKey ? " that are parts of the keys" : "";

    [DoesNotReturn]
    public static void OneKeyForEachQuery(string name, int keys, string queryName, int queries) => throw new ArgumentException(
        $"{name} has {keys} tokens and {queryName} has {queries}, but one token is appended to the cache for each query.", name);

    [DoesNotReturn]
    public static void CacheIsFull(string name, int tokens, string cacheName, int length, int most) =>
        throw new ArgumentException($"{name} has {tokens} tokens, but {cacheName} has {length} of at most {most}.", name);

    [DoesNotReturn]
    public static void OneSequenceForEachDocument(string name, int sequences, int items, string? documents) => throw new ArgumentException(
        documents is null ? $"{name} has {sequences} sequences, but a call without documents has 1." : $"{name} has {sequences} sequences, but {documents} has {items} documents.", name);

    [DoesNotReturn]
    public static void SequenceTwice(string name, int first, int second, string id) => throw new ArgumentException($"{name}[{first}] and {name}[{second}] are the same sequence {id}.", name);

    [DoesNotReturn]
    public static void TooManyKeys(string name, int most) => throw new ArgumentException($"{name} have more than {most} keys together: call the kernel for some of them at a time.", name);

    [DoesNotReturn]
    public static void RingWindow(string name, int window, int firstKeys, int left, int first) => throw new ArgumentException(
        $"{name} is a ring with a window of {window} and {firstKeys} first keys, the kernel is declared with WindowLeft = {left} and FirstKeys = {first}.", name);

    [DoesNotReturn]
    public static void RingForgets(string name, string kept, string queryName, long start, long seen) => throw new ArgumentException(
        $"{queryName} begins at the position {start}, where a query sees keys from {seen} on, but {name} retains {kept}.", name);

    [DoesNotReturn]
    public static void CacheChanged(string name) => throw new InvalidOperationException($"Another thread has changed {name} while this call began: calls that change a cache must follow one another.");
}
