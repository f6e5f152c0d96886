using System.Diagnostics.CodeAnalysis;

namespace AttentionGen.CompilerServices;

/// <summary>The exceptions of wrong calls: each names the parameter and both shapes.</summary>
internal static class ThrowHelper
{
    [DoesNotReturn]
    public static void ScratchTooSmall(string name, nint bytes, nint needed) =>
        throw new ArgumentException($"{name} has {bytes} aligned bytes, this call needs {needed} for a thread (64 more where the memory is not aligned to 64).", name);

    [DoesNotReturn]
    public static void NotTokens(string name, int length, int heads, string headsName, int dim, string dimName) =>
        throw new ArgumentException($"{name} has {length} elements, which is not a multiple of {headsName} * {dimName} = {heads} * {dim} = {heads * dim}.", name);

    [DoesNotReturn]
    public static void NotBatches(string name, int tokens, int batch) =>
        throw new ArgumentException($"{name} has {tokens} tokens, which is not a multiple of the batch of {batch}.", name);

    [DoesNotReturn]
    public static void Shape(string name, int length, string shape, long expected) =>
        throw new ArgumentException($"{name} has {length} elements, but its shape {shape} needs {expected}.", name);

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
