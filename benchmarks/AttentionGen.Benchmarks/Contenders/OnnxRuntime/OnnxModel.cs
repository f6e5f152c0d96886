using System.Runtime.InteropServices;

namespace AttentionGen.Benchmarks.Contenders.OnnxRuntime;

/// <summary>A model in ONNX Runtime, with the tensors that it reads and writes.</summary>
internal sealed class OnnxModel : IDisposable
{
    // Workers spin for about 60 ms after a run.
    private static readonly TimeSpan s_pause = TimeSpan.FromMilliseconds(80);

    private readonly OrtApi _api = OrtApi.Here;
    private readonly nint _session;
    private readonly nint[] _inputNames, _inputs, _outputNames, _outputs;

    /// <exception cref="PeerException">ONNX Runtime refuses the model.</exception>
    public OnnxModel(OnnxGraph graph, int threads)
    {
        _session = _api.CreateSession(graph.Encode(), threads);
        _inputNames = [.. graph.Inputs.Select(tensor => Marshal.StringToCoTaskMemUTF8(tensor.Name))];
        _inputs = [.. graph.Inputs.Select(_api.CreateValue)];
        _outputNames = [.. graph.Outputs.Select(tensor => Marshal.StringToCoTaskMemUTF8(tensor.Name))];
        _outputs = [.. graph.Outputs.Select(_api.CreateValue)];
    }

    public void Run() => _api.Run(_session, _inputNames, _inputs, _outputNames, _outputs);

    /// <summary>Returns when the workers of models with so many threads rest.</summary>
    public static void Rest(int threads)
    {
        if (threads > 1) Thread.Sleep(s_pause);
    }

    public void Dispose()
    {
        _api.FreeSession(_session);
        foreach (nint value in _inputs.Concat(_outputs)) _api.FreeValue(value);
        foreach (nint name in _inputNames.Concat(_outputNames)) Marshal.FreeCoTaskMem(name);
    }
}
