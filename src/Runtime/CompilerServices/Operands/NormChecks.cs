namespace AttentionGen.CompilerServices;

/// <summary>The checks of a call that normalises rows. They come before anything is written.</summary>
internal static class NormChecks
{
    public static void Check(
        ReadOnlySpan<float> input, ReadOnlySpan<float> weight, ReadOnlySpan<float> bias, float epsilon, ReadOnlySpan<float> output, ReadOnlySpan<float> residual, int maxThreads)
    {
        int width = weight.Length;
        if (width == 0) throw new ArgumentException($"{nameof(weight)} has 0 elements, one for each column of {nameof(input)} is needed.", nameof(weight));
        if (input.Length % width != 0)
            throw new ArgumentException($"{nameof(input)} has {input.Length} elements, which is not a multiple of the width of {nameof(weight)} = [{width}].", nameof(input));
        int rows = input.Length / width;
        if (!bias.IsEmpty && bias.Length != width) throw new ArgumentException($"{nameof(bias)} has {bias.Length} elements, [width] = [{width}] are needed, or none.", nameof(bias));
        if (!(epsilon >= 0 && float.IsFinite(epsilon)))
            throw new ArgumentOutOfRangeException(nameof(epsilon), epsilon, $"{nameof(epsilon)} is {epsilon}, a finite number of 0 or more is needed.");
        if (output.Length != input.Length) throw new ArgumentException($"{nameof(output)} has {output.Length} elements, [rows, width] = [{rows}, {width}] are needed.", nameof(output));
        if (!residual.IsEmpty && residual.Length != input.Length)
            throw new ArgumentException($"{nameof(residual)} has {residual.Length} elements, [rows, width] = [{rows}, {width}] are needed, or none.", nameof(residual));
        if (maxThreads < 0)
            throw new ArgumentOutOfRangeException(nameof(maxThreads), maxThreads, $"{nameof(maxThreads)} is {maxThreads}, at least 1 is needed, or 0 for the default.");
        CheckOverlap(output, input, nameof(input), mayBeSame: true);
        CheckOverlap(output, residual, nameof(residual), mayBeSame: true);
        CheckOverlap(output, weight, nameof(weight), mayBeSame: false);
        CheckOverlap(output, bias, nameof(bias), mayBeSame: false);
    }

    private static void CheckOverlap(ReadOnlySpan<float> output, ReadOnlySpan<float> other, string name, bool mayBeSame)
    {
        if (!output.Overlaps(other)) return;
        if (!mayBeSame) ThrowHelper.Overlap(nameof(output), name);
        if (output != other)
            throw new ArgumentException($"{nameof(output)} overlaps a part of {name} that is not its own place. Give it all the memory of {name}, or none of it.", nameof(output));
    }
}
