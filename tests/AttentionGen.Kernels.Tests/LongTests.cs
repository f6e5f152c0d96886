using System.Numerics.Tensors;
using Xunit;

namespace AttentionGen.Kernels.Tests;

/// <summary>Many keys, and tensors whose elements lie further apart than 32 bits can count.</summary>
[Collection(nameof(Isolated))]
public unsafe class LongTests
{
    private const int Keys = 131_072;

    private static readonly Declaration s_apart = new(4, 16) { KeyValueHeads = 2, Batched = true, TensorSpans = true };

    internal static readonly Declaration[] Declarations =
    [
        .. from mask in Enum.GetValues<AttentionMask>() select new Declaration(1, 64) { Mask = mask },
        s_apart, s_apart with { TensorSpans = false },
    ];

    [Theory, InlineData(AttentionMask.None), InlineData(AttentionMask.Causal)]
    public void The_working_memory_of_many_keys_is_bounded(AttentionMask mask)
    {
        var all = new Inputs(new Problem(Declarations.First(d => d.Mask == mask && d.HeadDim == 64), 200, Keys));
        foreach (var (queries, workerBytes) in new[] { (1, 1 << 20), (4, 1 << 20), (200, 8 << 20) })
        {
            var inputs = all.LastQueries(queries);
            var shared = new Inputs(inputs, inputs.Problem with { MaxThreads = 2 });
            AttentionScratch.Trim();
            float[] output = shared.Run(Catalogue.Kernels);
            Assert.InRange(AttentionScratch.CachedBytes, 1, 2 * workerBytes);
            Bound.Check(inputs, output, queries: [.. new[] { 0, queries / 2, queries - 1 }.Distinct()]);
            ThreadTests.AssertSameBits(output, inputs.Run(Catalogue.Kernels));
        }

        AttentionScratch.Trim();
    }

    /// <summary>An axis of a tensor.</summary>
    public enum Axis
    {
        Batch,
        Token,
        Head,
    }

    public static MatrixTheoryData<Axis, int, int> Apart => new(Enum.GetValues<Axis>(), [3, 20], [5, 400]);

    /// <summary>The last batch item, token or head lies beyond 2^31 elements from the first, in all tensors. 3 queries are few rows, 20 are not.</summary>
    [Theory, MemberData(nameof(Apart))]
    public void Elements_further_apart_than_32_bits_count(Axis axis, int queries, int keys)
    {
        if (ReservedMemory.Missing is { } reason) Assert.Skip(reason);
        var inputs = new Inputs(new Problem(s_apart with { TensorSpans = false }, queries, keys) { Batch = 3, MaxThreads = 2 });
        float[] expected = inputs.Run(Catalogue.Kernels), actual = new float[expected.Length];
        using WideTensor query = new(axis, 3, queries, 4), key = new(axis, 3, keys, 2), value = new(axis, 3, keys, 2), output = new(axis, 3, queries, 4);
        query.Copy(inputs.Query, toWide: true);
        key.Copy(inputs.Key, toWide: true);
        value.Copy(inputs.Value, toWide: true);
        Catalogue.Kernels[s_apart].Body(new KernelArguments
        {
            QueryTensor = query.Tensor, KeyTensor = key.Tensor, ValueTensor = value.Tensor, OutputTensor = output.Tensor, MaxThreads = 2,
        });
        output.Copy(actual, toWide: false);
        ThreadTests.AssertSameBits(expected, actual);
    }

    [Theory, InlineData(Axis.Batch), InlineData(Axis.Token), InlineData(Axis.Head)]
    public void An_output_that_meets_an_input_beyond_32_bits_is_refused(Axis axis)
    {
        if (ReservedMemory.Missing is { } reason) Assert.Skip(reason);
        var inputs = new Inputs(new Problem(s_apart with { TensorSpans = false }, 3, 5) { Batch = 3, MaxThreads = 1 });
        using WideTensor query = new(axis, 3, 3, 4), key = new(axis, 3, 5, 2);
        float[] value = inputs.Value, expected = inputs.Run(Catalogue.Kernels), actual = new float[expected.Length];
        query.Copy(inputs.Query, toWide: true);
        key.Copy(inputs.Key, toWide: true);

        // The first token of the output is the last one's neighbour, or shares an element with it.
        Run(key.End);
        new Span<float>(key.End, actual.Length).CopyTo(actual);
        ThreadTests.AssertSameBits(expected, actual);
        new Span<float>(key.End, actual.Length).Clear();
        var exception = Assert.Throws<ArgumentException>(() => Run(key.End - 1));
        Assert.Contains("output overlaps key", exception.Message, StringComparison.Ordinal);
        Assert.Equal(inputs.Key[^1], key.End[-1]);
        Assert.Equal(0f, new ReadOnlySpan<float>(key.End, actual.Length).ToArray().Max(Math.Abs));

        void Run(float* output) => Catalogue.Kernels[s_apart].Body(new KernelArguments
        {
            QueryTensor = query.Tensor, KeyTensor = key.Tensor, ValueTensor = new(value, [3, 5, 2, 16]),
            OutputTensor = new(output, expected.Length, [3, 3, 4, 16]), MaxThreads = 1,
        });
    }

    /// <summary>A tensor [batch, tokens, heads, 16] that is dense but for one axis, whose last index begins beyond 2^31 elements.</summary>
    private sealed class WideTensor : IDisposable
    {
        private const int Dim = 16;

        private readonly nint[] _lengths, _strides;
        private readonly nint _length;
        private readonly ReservedMemory _memory;

        public WideTensor(Axis axis, int batch, int tokens, int heads)
        {
            _lengths = [batch, tokens, heads, Dim];
            _strides = [0, 0, 0, 1];
            nint inner = Dim;
            foreach (int i in new[] { 2, 1, 0 })
            {
                if (i == (int)axis) continue;
                _strides[i] = inner;
                inner *= _lengths[i];
            }

            _strides[(int)axis] = ((nint)1 << 31) / (_lengths[(int)axis] - 1) + 5;
            _length = (_lengths[(int)axis] - 1) * _strides[(int)axis] + inner;
            _memory = ReservedMemory.Of(_length + (1 << 16));
        }

        public TensorSpan<float> Tensor => new(_memory.Start, _length, _lengths, _strides);

        /// <summary>Behind the last element; some memory follows.</summary>
        public float* End => _memory.Start + _length;

        public void Copy(Span<float> dense, bool toWide)
        {
            for (nint b = 0; b < _lengths[0]; b++)
                for (nint t = 0; t < _lengths[1]; t++)
                    for (nint h = 0; h < _lengths[2]; h++)
                    {
                        var wide = new Span<float>(_memory.Start + b * _strides[0] + t * _strides[1] + h * _strides[2], Dim);
                        var row = dense.Slice((int)(((b * _lengths[1] + t) * _lengths[2] + h) * Dim), Dim);
                        if (toWide) row.CopyTo(wide);
                        else wide.CopyTo(row);
                    }
        }

        public void Dispose() => _memory.Dispose();
    }
}
