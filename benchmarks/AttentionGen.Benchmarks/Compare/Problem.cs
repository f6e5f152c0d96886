using AttentionGen.Benchmarks.Contenders;
using AttentionGen.Benchmarks.Shapes;

namespace AttentionGen.Benchmarks.Compare;

/// <summary>A shape with its inputs, and what is right for them.</summary>
internal abstract class Problem(Shape shape)
{
    public Shape Shape { get; } = shape;

    /// <summary>Memory as large as what the shape reads, for a plain read.</summary>
    public abstract IReadOnlyList<(nint Address, nint Bytes)> Reads { get; }

    public static Problem Of(Shape shape, int seed) => shape switch
    {
        { Linear: not null } => new OfLinear(shape, seed),
        { Layer: not null } => new OfLayer(shape, seed),
        { Family: { } family } => family.Problem(shape, seed),
        _ => new OfAttention(shape, seed),
    };

    /// <summary>The largest error of some rows of a contender's last result; NaN if one is NaN.</summary>
    public abstract double Error(Contender contender);

    public abstract List<Contender> EntrantsOf(int threads, ICollection<string> notes);

    /// <summary>What our kernel is compared with where a shape is more than the plain thing; null where it is not.</summary>
    public abstract Contender? Beside(int threads);

    private sealed class OfAttention : Problem
    {
        private readonly Inputs _inputs;
        private readonly Accuracy _accuracy;

        public OfAttention(Shape shape, int seed)
            : base(shape)
        {
            _inputs = new(shape, seed);
            _accuracy = new(_inputs, seed);
        }

        // A cache may store them in fewer bytes than the tensors have. As many are read, wherever they lie.
        public override IReadOnlyList<(nint Address, nint Bytes)> Reads => [(_inputs.Key.Address, (nint)Shape.KeyValueBytes / 2), (_inputs.Value.Address, (nint)Shape.KeyValueBytes / 2)];

        public override double Error(Contender contender) => _accuracy.Error(contender);

        public override List<Contender> EntrantsOf(int threads, ICollection<string> notes) => Entrants.Of(_inputs, threads, notes);

        public override Contender? Beside(int threads) => Entrants.Beside(_inputs, threads);
    }

    private sealed class OfLayer : Problem
    {
        private readonly LayerInputs _inputs;
        private readonly LayerAccuracy _accuracy;

        public OfLayer(Shape shape, int seed)
            : base(shape)
        {
            _inputs = new(shape, seed);
            _accuracy = new(_inputs, seed);
        }

        public override IReadOnlyList<(nint Address, nint Bytes)> Reads =>
            [.. new[] { _inputs.Query, _inputs.Key, _inputs.Value, _inputs.Output, _inputs.CachedKeys, _inputs.CachedValues }.Select(tensor => (tensor.Address, (nint)tensor.Bytes))];

        public override double Error(Contender contender) => _accuracy.Error(contender);

        public override List<Contender> EntrantsOf(int threads, ICollection<string> notes) => Entrants.Of(_inputs, threads, notes);

        public override Contender? Beside(int threads) => null;
    }

    private sealed class OfLinear : Problem
    {
        private const int Rows = 24;

        private readonly LinearInputs _inputs;
        private readonly List<(int Layer, int Row, double[] Expected)> _rows;

        public OfLinear(Shape shape, int seed)
            : base(shape)
        {
            _inputs = new(shape, seed);
            var random = new Random(seed);
            _rows = [.. Enumerable.Range(0, Rows).Select(_ => (Layer: random.Next(shape.Batch), Row: random.Next(shape.Queries))).Distinct().Select(place => (place.Layer, place.Row, Expected(place.Layer, place.Row)))];
        }

        public override IReadOnlyList<(nint Address, nint Bytes)> Reads => [(_inputs.Weights.Address, (nint)Shape.KeyValueBytes)];

        public override double Error(Contender contender)
        {
            double error = 0;
            foreach (var (layer, row, expected) in _rows)
            {
                var actual = contender.OutputRow(layer, row, 0);
                for (int i = 0; i < expected.Length; i++) error = Math.Max(error, Math.Abs(actual[i] - expected[i]));
            }

            return error;
        }

        public override List<Contender> EntrantsOf(int threads, ICollection<string> notes) => Entrants.Of(_inputs, threads, notes);

        public override Contender? Beside(int threads) => null;

        private double[] Expected(int layer, int row)
        {
            int depth = _inputs.Row.InputDim;
            double[] expected = new double[_inputs.Row.OutputDim];
            ReadOnlySpan<float> input = _inputs.Input.Span.Slice(row * depth, depth), weights = _inputs.WeightsOf(layer);
            for (int i = 0; i < expected.Length; i++)
                for (int j = 0; j < depth; j++) expected[i] += (double)input[j] * weights[i * depth + j];
            return expected;
        }
    }
}
