using AttentionGen.Benchmarks.Shapes;
using TensorPrimitives = System.Numerics.Tensors.TensorPrimitives;

namespace AttentionGen.Benchmarks.Contenders;

/// <summary>Our linear layers.</summary>
internal sealed class LinearContender<T> : Contender
    where T : unmanaged
{
    private readonly LinearInputs _inputs;
    private readonly int _threads;
    private readonly AttentionLinear<T>[] _layers;
    private readonly Tensor _output;

    public LinearContender(LinearInputs inputs, string storage, int threads)
    {
        (_inputs, Storage, _threads) = (inputs, storage, threads);
        var row = inputs.Row;
        _layers = [.. Enumerable.Range(0, row.Layers).Select(layer => new AttentionLinear<T>(row.InputDim, row.OutputDim, inputs.WeightsOf(layer)))];
        _output = new Tensor(row.Layers * row.Rows * row.OutputDim);
    }

    public override string Name => "AttentionGen";

    public override string Path => $"AttentionLinear<{typeof(T).Name}>";

    public override string Layout => TokenMajor;

    public override string? Storage { get; }

    public override bool IsManaged => true;

    public override void Run()
    {
        int output = _inputs.Row.Rows * _inputs.Row.OutputDim;
        for (int i = 0; i < _layers.Length; i++) _layers[i].Apply(_inputs.Input.Span, _output.Span.Slice(i * output, output), maxThreads: _threads);
    }

    public override ReadOnlySpan<float> OutputRow(int batch, int query, int head) => LinearOutput.Row(_inputs, _output, batch, query);

    public override void Dispose()
    {
        base.Dispose();
        foreach (var layer in _layers) layer.Dispose();
    }
}

/// <summary>A product of vectors for each element of the output, with what .NET brings.</summary>
internal sealed class TensorPrimitivesLinearContender(LinearInputs inputs, int threads) : Contender
{
    private readonly Tensor _output = new(inputs.Row.Layers * inputs.Row.Rows * inputs.Row.OutputDim);

    public override string Name => "TensorPrimitives";

    public override string Path => "Dot";

    public override string Layout => OwnLayout;

    public override string? Storage => "float";

    public override double? KeyValueBytes => sizeof(float) * inputs.Row.Elements;

    public override bool IsManaged => true;

    public override void Run()
    {
        int columns = inputs.Row.Layers * inputs.Row.OutputDim;
        if (threads == 1)
        {
            for (int column = 0; column < columns; column++) Column(column);
        }
        else
        {
            Parallel.For(0, columns, new ParallelOptions { MaxDegreeOfParallelism = threads }, Column);
        }
    }

    public override ReadOnlySpan<float> OutputRow(int batch, int query, int head) => LinearOutput.Row(inputs, _output, batch, query);

    /// <summary>A column of a layer with all rows: its weights are read once.</summary>
    private void Column(int index)
    {
        var row = inputs.Row;
        var (layer, column) = Math.DivRem(index, row.OutputDim);
        ReadOnlySpan<float> input = inputs.Input.Span, weights = inputs.Weights.Span.Slice(index * row.InputDim, row.InputDim);
        var output = _output.Span[(layer * row.Rows * row.OutputDim)..];
        for (int i = 0; i < row.Rows; i++) output[i * row.OutputDim + column] = TensorPrimitives.Dot(input.Slice(i * row.InputDim, row.InputDim), weights);
    }
}

/// <summary>Outputs [layers, rows, outputDim].</summary>
internal static class LinearOutput
{
    public static ReadOnlySpan<float> Row(LinearInputs inputs, Tensor output, int layer, int row) =>
        output.Span.Slice((layer * inputs.Row.Rows + row) * inputs.Row.OutputDim, inputs.Row.OutputDim);
}
