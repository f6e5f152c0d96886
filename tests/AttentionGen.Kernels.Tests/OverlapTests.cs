using System.Numerics.Tensors;
using System.Runtime.InteropServices;
using AttentionGen.CompilerServices;
using Xunit;

namespace AttentionGen.Kernels.Tests;

/// <summary>An output may lie among the elements of the inputs, and may share none of them.</summary>
public class OverlapTests
{
    private static readonly Declaration s_quarters = new(2, 16) { Strides = (128, 128, 128, 128) };

    // Of different strides, so that an output beside an input meets it somewhere.
    private static readonly Declaration s_wide = new(2, 16) { KeyValueHeads = 1, Strides = (61, 50, 71, 83) };

    internal static readonly Declaration[] Declarations =
    [
        .. from tensors in new[] { false, true }
           from layout in Enum.GetValues<AttentionLayout>()
           select s_quarters with { Layout = layout, TensorSpans = tensors },
        s_wide, s_wide with { TensorSpans = true },
        new(2, 16), new(2, 16) { KeyValueHeads = 1 },
    ];

    /// <summary>Tensors that are as long as a caller says, without memory: nobody waits for all of their rows.</summary>
    [Theory, InlineData(16, false), InlineData(15, true), InlineData(0, true)]
    public void Tokens_and_batch_items_that_share_their_place(int offset, bool overlap)
    {
        float[] memory = new float[200];
        nint[] lengths = [1 << 20, 1 << 30, 4, 16], strides = [0, 0, 32, 1];
        var one = KernelTensor.Of(new ReadOnlyTensorSpan<float>(memory, lengths, strides), AttentionLayout.TokenMajor, 4, 16, batched: true);
        var other = KernelTensor.Of(new ReadOnlyTensorSpan<float>(memory.AsSpan(offset), lengths, strides), AttentionLayout.TokenMajor, 4, 16, batched: true);
        Assert.Equal(overlap, one.Overlaps(other));
        Assert.Equal(overlap, other.Overlaps(one));
    }

    public static MatrixTheoryData<AttentionLayout, bool, int> Quarters => new(Enum.GetValues<AttentionLayout>(), [false, true], [1, 2, 7, 40]);

    [Theory, MemberData(nameof(Quarters))]
    [Trait(IsaMatrixTests.Scalar, "yes")]
    public void Query_key_output_and_value_as_quarters_of_one_buffer(AttentionLayout layout, bool tensors, int tokens)
    {
        var declaration = s_quarters with { Layout = layout, TensorSpans = tensors };
        float[] expected = new Inputs(new Problem(new Declaration(2, 16), tokens, tokens)).Run(Catalogue.Kernels);

        // Where heads come first, a quarter of what is there for a token is a head.
        var inputs = new Inputs(new Problem(declaration, tokens, tokens));
        var place = inputs.Problem.QueryPlace;
        int quarter = layout == AttentionLayout.HeadMajor ? 16 : 32, length = place.Length;
        float[] buffer = new float[3 * quarter + length];
        place.Scatter(inputs.Query, buffer);
        place.Scatter(inputs.Key, buffer.AsSpan(quarter));
        place.Scatter(inputs.Value, buffer.AsSpan(3 * quarter));
        float[] before = [.. buffer];

        Span<float> Quarter(int i) => buffer.AsSpan(i * quarter, length);
        Catalogue.Kernels[declaration].Body(inputs.Arguments(Quarter(0), Quarter(1), Quarter(3), Quarter(2)));
        ThreadTests.AssertSameBits(expected, place.Gather(Quarter(2)));
        place.Scatter(expected, before.AsSpan(2 * quarter));
        ThreadTests.AssertSameBits(before, buffer);
    }

    public static MatrixTheoryData<bool, int, string> Neighbours => new([false, true], [3, 20], ["query", "key", "value"]);

    /// <summary>At every distance from an input: refused where an element is shared, if only one, and otherwise as good as far away.</summary>
    [Theory, MemberData(nameof(Neighbours))]
    public void An_output_among_the_elements_of_an_input(bool tensors, int tokens, string input)
    {
        var declaration = s_wide with { TensorSpans = tensors };
        var inputs = new Inputs(new Problem(declaration, tokens, tokens));
        var problem = inputs.Problem;
        float[] expected = inputs.Run(Catalogue.Kernels);
        float[] query = Inputs.Placed(problem.QueryPlace, inputs.Query), key = Inputs.Placed(problem.KeyPlace, inputs.Key);
        float[] value = Inputs.Placed(problem.ValuePlace, inputs.Value);
        float[] shared = input switch { "query" => query, "key" => key, _ => value };
        int inputWidth = input == "query" ? 32 : 16, inputStride = input switch { "query" => 61, "key" => 50, _ => 71 }, length = problem.OutputPlace.Length;
        var elements = Elements(0, inputWidth, inputStride);
        var numbers = new HashSet<int>(); // of shared elements
        for (int offset = -length; offset <= shared.Length; offset++)
        {
            int common = Elements(offset, 32, 83).Count(elements.Contains);
            numbers.Add(common);
            float[] buffer = new float[shared.Length + 2 * length];
            shared.CopyTo(buffer, length);
            float[] before = [.. buffer];
            if (common == 0)
            {
                Run();
                ThreadTests.AssertSameBits(expected, problem.OutputPlace.Gather(buffer.AsSpan(length + offset, length)));
                problem.OutputPlace.Scatter(expected, before.AsSpan(length + offset));
            }
            else
            {
                var exception = Assert.Throws<ArgumentException>(Run);
                Assert.Equal("output", exception.ParamName);
                Assert.Contains($"output overlaps {input}", exception.Message, StringComparison.Ordinal);
            }

            ThreadTests.AssertSameBits(before, buffer);

            void Run()
            {
                var there = buffer.AsSpan(length, shared.Length);
                Catalogue.Kernels[declaration].Body(inputs.Arguments(
                    input == "query" ? there : query, input == "key" ? there : key, input == "value" ? there : value, buffer.AsSpan(length + offset, length)));
            }
        }

        Assert.Superset(new HashSet<int> { 0, 1, 2 }, numbers);

        HashSet<int> Elements(int first, int width, int stride) =>
            [.. from token in Enumerable.Range(0, tokens) from i in Enumerable.Range(0, width) select first + token * stride + i];
    }

    [Fact]
    public void Random_tensors_overlap_where_they_share_an_element()
    {
        var random = new Random(1);
        float[] memory = new float[6000];
        int overlapping = 0, entangled = 0;
        for (int i = 0; i < 5000; i++)
        {
            Layout a = new(random), b = new(random);
            int room = Math.Max(a.Length, b.Length) + 5;
            a.Offset = random.Next(room);
            b.Offset = random.Next(room);
            bool expected = a.Elements.Overlaps(b.Elements);
            ReadOnlyTensorSpan<float> aTensor = a.Tensor(memory), bTensor = b.Tensor(memory);
            KernelTensor x = a.Of(memory, aTensor), y = b.Of(memory, bTensor);
            Assert.True(expected == x.Overlaps(y), $"{a} with {b}");
            Assert.True(expected == y.Overlaps(x), $"{b} with {a}");
            Assert.True(a.HasDoubles == x.OverlapsItself(), $"{a} with itself");
            if (expected) overlapping++;
            else if (a.Length > 0 && b.Length > 0 && a.Offset < b.Offset + b.Length && b.Offset < a.Offset + a.Length) entangled++;
        }

        Assert.InRange(overlapping, 1000, 4500);
        Assert.InRange(entangled, 500, 4000);
    }

    [Fact]
    public void Halves_of_elements_count()
    {
        float[] memory = new float[100];
        var bytes = MemoryMarshal.AsBytes(memory.AsSpan());
        var straight = KernelTensor.Of(memory.AsSpan(20, 10), AttentionLayout.TokenMajor, 1, 10, 10);
        foreach (var (first, overlaps) in new[] { (1, true), (-39, true), (-41, false), (39, true), (41, false) })
        {
            var skew = KernelTensor.Of(MemoryMarshal.Cast<byte, float>(bytes.Slice(80 + first, 40)), AttentionLayout.TokenMajor, 1, 10, 10);
            Assert.Equal((overlaps, overlaps), (straight.Overlaps(skew), skew.Overlaps(straight)));
        }
    }

    /// <summary>A random tensor: a span with strides, or a tensor span of any order of axes, some of them shared by all of their indices.</summary>
    private sealed class Layout
    {
        private readonly bool _isSpan;
        private readonly AttentionLayout _order;
        private readonly int _dim;
        private readonly int[] _counts = new int[3], _strides = new int[3]; // batch, tokens, heads

        public Layout(Random random)
        {
            _isSpan = random.Next(3) == 0;
            _order = (AttentionLayout)random.Next(2);
            _dim = 1 + random.Next(4);
            (_counts[0], _counts[1], _counts[2]) = (1 + random.Next(3), random.Next(30) == 0 ? 0 : 1 + random.Next(5), 1 + random.Next(4));
            int[] axes = _isSpan ? _order == AttentionLayout.HeadMajor ? [1, 2, 0] : [2, 1, 0] : [0, 1, 2];
            if (!_isSpan) random.Shuffle(axes);

            // From the innermost axis outwards. In a span, gaps follow tokens only; a tensor span wants room for all gaps before the next index begins.
            int room = _dim, last = _dim, tokens = Array.IndexOf(axes, 1);
            for (int i = 0; i < 3; i++)
            {
                int count = _counts[axes[i]], stride = room;
                if (random.Next(3) != 0 && (!_isSpan || i == tokens)) stride += random.Next(30);
                if (!_isSpan && (count == 1 || _counts[1] == 0 || random.Next(8) == 0)) stride = 0;
                _strides[axes[i]] = stride;
                last += stride * (count - 1);
                room = Math.Max(room, stride * count);
            }

            int gap = _isSpan ? _strides[1] - (_order == AttentionLayout.HeadMajor ? _dim : _dim * _counts[2]) : 0;
            Length = _counts[1] == 0 ? 0 : last + random.Next(gap + 1); // what follows the last token may be there or not
        }

        public int Length { get; }

        public int Offset { get; set; }

        public HashSet<int> Elements => [.. All];

        public bool HasDoubles => Elements.Count < All.Count();

        private IEnumerable<int> All =>
            from b in Enumerable.Range(0, _counts[0])
            from t in Enumerable.Range(0, _counts[1])
            from h in Enumerable.Range(0, _counts[2])
            from d in Enumerable.Range(0, _dim)
            select Offset + b * _strides[0] + t * _strides[1] + h * _strides[2] + d;

        public KernelTensor Of(float[] memory, in ReadOnlyTensorSpan<float> tensor) =>
            _isSpan ? KernelTensor.Of(memory.AsSpan(Offset, Length), _order, _counts[2], _dim, _strides[1], batch: _counts[0])
                : KernelTensor.Of(tensor, _order, _counts[2], _dim, batched: true);

        public ReadOnlyTensorSpan<float> Tensor(float[] memory) => _isSpan ? default : new(memory.AsSpan(Offset, Length), Axes(_counts), Axes(_strides));

        public override string ToString() =>
            $"{(_isSpan ? "span" : "tensor")} {_order} at {Offset}: [{string.Join(", ", Axes(_counts))}], strides [{string.Join(", ", Axes(_strides))}]";

        private nint[] Axes(int[] of) => _order == AttentionLayout.HeadMajor ? [of[0], of[2], of[1], Last(of)] : [of[0], of[1], of[2], Last(of)];

        private int Last(int[] of) => of == _counts ? _dim : _dim == 1 ? 0 : 1;
    }
}
