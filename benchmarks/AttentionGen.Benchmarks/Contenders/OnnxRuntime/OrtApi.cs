using System.Runtime.InteropServices;
using System.Text;

namespace AttentionGen.Benchmarks.Contenders.OnnxRuntime;

/// <summary>What is needed of ONNX Runtime's C interface: a table of functions by fixed places.</summary>
internal sealed unsafe class OrtApi
{
    private const int InterfaceVersion = 16;
    private const int GetErrorMessage = 2, CreateEnv = 3, CreateSessionFromArray = 8, RunSession = 9, CreateSessionOptions = 10;
    private const int SetIntraOpNumThreads = 24, SetInterOpNumThreads = 25, CreateTensorWithDataAsOrtValue = 49, CreateCpuMemoryInfo = 69;
    private const int ReleaseStatus = 93, ReleaseSession = 95, ReleaseValue = 96, ReleaseSessionOptions = 100;
    private const int Warning = 2, DeviceAllocator = 0, DefaultMemory = 0;

    private static readonly Lazy<OrtApi> s_here = new(() => new OrtApi());

    private readonly void** _table;
    private readonly void* _environment;
    private readonly void* _memory;

    private OrtApi()
    {
        nint library = PeerLibraries.Load(PeerLibraries.FindBesideProgram("onnxruntime"));
        var getBase = (delegate* unmanaged<void**>)NativeLibrary.GetExport(library, "OrtGetApiBase");
        void** start = getBase();
        _table = (void**)((delegate* unmanaged<int, void*>)start[0])(InterfaceVersion);
        Version = Marshal.PtrToStringUTF8(((delegate* unmanaged<nint>)start[1])())!;

        void* created;
        fixed (byte* name = "benchmarks\0"u8) Check(((delegate* unmanaged<int, byte*, void**, void*>)_table[CreateEnv])(Warning, name, &created));
        _environment = created;
        Check(((delegate* unmanaged<int, int, void**, void*>)_table[CreateCpuMemoryInfo])(DeviceAllocator, DefaultMemory, &created));
        _memory = created;
    }

    /// <exception cref="PeerException">There is none for this machine.</exception>
    public static OrtApi Here => s_here.Value;

    public string Version { get; }

    public nint CreateSession(byte[] model, int threads)
    {
        void* options, session;
        Check(((delegate* unmanaged<void**, void*>)_table[CreateSessionOptions])(&options));
        Check(((delegate* unmanaged<void*, int, void*>)_table[SetIntraOpNumThreads])(options, threads));
        Check(((delegate* unmanaged<void*, int, void*>)_table[SetInterOpNumThreads])(options, 1));
        void* failure;
        fixed (byte* bytes = model)
        {
            failure = ((delegate* unmanaged<void*, void*, nuint, void*, void**, void*>)_table[CreateSessionFromArray])(
                _environment, bytes, (nuint)model.Length, options, &session);
        }

        ((delegate* unmanaged<void*, void>)_table[ReleaseSessionOptions])(options);
        Check(failure);
        return (nint)session;
    }

    /// <summary>A tensor on memory that stays the caller's.</summary>
    public nint CreateValue(OnnxTensor tensor)
    {
        void* value;
        fixed (long* shape = tensor.Shape)
        {
            Check(((delegate* unmanaged<void*, void*, nuint, long*, nuint, int, void**, void*>)_table[CreateTensorWithDataAsOrtValue])(
                _memory, (void*)tensor.Address, (nuint)tensor.Bytes, shape, (nuint)tensor.Shape.Length, (int)tensor.Element, &value));
        }

        return (nint)value;
    }

    /// <summary>Runs into outputs that are there already.</summary>
    public void Run(nint session, ReadOnlySpan<nint> inputNames, ReadOnlySpan<nint> inputs, ReadOnlySpan<nint> outputNames, ReadOnlySpan<nint> outputs)
    {
        fixed (nint* inNames = inputNames, ins = inputs, outNames = outputNames, outs = outputs)
        {
            Check(((delegate* unmanaged<nint, void*, nint*, nint*, nuint, nint*, nuint, nint*, void*>)_table[RunSession])(
                session, null, inNames, ins, (nuint)inputs.Length, outNames, (nuint)outputs.Length, outs));
        }
    }

    public void FreeSession(nint session) => ((delegate* unmanaged<nint, void>)_table[ReleaseSession])(session);

    public void FreeValue(nint value) => ((delegate* unmanaged<nint, void>)_table[ReleaseValue])(value);

    private void Check(void* status)
    {
        if (status is null) return;
        byte* message = ((delegate* unmanaged<void*, byte*>)_table[GetErrorMessage])(status);
        string text = Encoding.UTF8.GetString(MemoryMarshal.CreateReadOnlySpanFromNullTerminated(message));
        ((delegate* unmanaged<void*, void>)_table[ReleaseStatus])(status);
        throw new PeerException(text);
    }
}
