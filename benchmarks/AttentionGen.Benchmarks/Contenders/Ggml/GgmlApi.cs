using System.Runtime.InteropServices;

namespace AttentionGen.Benchmarks.Contenders.Ggml;

/// <summary>What is needed of ggml's C interface, from the build that suits this processor best.</summary>
internal sealed unsafe class GgmlApi
{
    private const string Package = "@node-llama-cpp/linux-x64";
    private const int ThreadPoolParametersBytes = 1024; // more than they have

    private static readonly Lazy<GgmlApi> s_here = new(() => new GgmlApi());

    private readonly nint _base;
    private readonly nint _cpu;

    private GgmlApi()
    {
        string file = PeerLibraries.Find(Package, "bins", "linux-x64", "libggml-base.so");
        _base = PeerLibraries.Load(file);

        // Each build says how well it suits; 0 where it would not run.
        var builds = from path in Directory.EnumerateFiles(Path.GetDirectoryName(file)!, "libggml-cpu-*.so")
                     let library = PeerLibraries.Load(path)
                     let score = Score(library)
                     where score > 0
                     orderby score descending
                     select (path, library);
        (string best, _cpu) = builds.FirstOrDefault();
        if (best is null) throw new PeerException($"no build in {Package} runs on this processor");
        Build = Path.GetFileNameWithoutExtension(best)["libggml-cpu-".Length..];

        Version = Marshal.PtrToStringUTF8(((delegate* unmanaged<nint>)Base("ggml_version"))())!;
        Flash = (delegate* unmanaged<nint, nint, nint, nint, nint, float, float, float, nint>)Base("ggml_flash_attn_ext");
        SetFlashPrecision = (delegate* unmanaged<nint, int, void>)Base("ggml_flash_attn_ext_set_prec");
        Multiply = (delegate* unmanaged<nint, nint, nint, nint>)Base("ggml_mul_mat");
        SoftMax = (delegate* unmanaged<nint, nint, nint, float, float, nint>)Base("ggml_soft_max_ext_inplace");
        AddFlashSinks = (delegate* unmanaged<nint, nint, void>)Base("ggml_flash_attn_ext_add_sinks");
        AddSoftMaxSinks = (delegate* unmanaged<nint, nint, void>)Base("ggml_soft_max_add_sinks");
        Scale = (delegate* unmanaged<nint, nint, float, nint>)Base("ggml_scale_inplace");
        Tanh = (delegate* unmanaged<nint, nint, nint>)Base("ggml_tanh_inplace");
        NewTensor = (delegate* unmanaged<nint, int, long, long, long, long, nint>)Base("ggml_new_tensor_4d");
        Data = (delegate* unmanaged<nint, void*>)Base("ggml_get_data");
        NewGraph = (delegate* unmanaged<nint, nint>)Base("ggml_new_graph");
        Expand = (delegate* unmanaged<nint, nint, void>)Base("ggml_build_forward_expand");
        AllocateTensors = (delegate* unmanaged<nint, nint, nint>)Base("ggml_backend_alloc_ctx_tensors");
        BufferOn = (delegate* unmanaged<void*, nuint, nint>)Base("ggml_backend_cpu_buffer_from_ptr");
        PlaceTensor = (delegate* unmanaged<nint, nint, void*, int>)Base("ggml_backend_tensor_alloc");
        FreeBuffer = (delegate* unmanaged<nint, void>)Base("ggml_backend_buffer_free");
        Compute = (delegate* unmanaged<nint, nint, int>)Base("ggml_backend_graph_compute");
        Quantize = (delegate* unmanaged<int, float*, void*, long, long, long, float*, nuint>)Base("ggml_quantize_chunk");
        FreeContext = (delegate* unmanaged<nint, void>)Base("ggml_free");
        FreeBackend = (delegate* unmanaged<nint, void>)Base("ggml_backend_free");
        NewBackend = (delegate* unmanaged<nint>)Cpu("ggml_backend_cpu_init");
        SetThreads = (delegate* unmanaged<nint, int, void>)Cpu("ggml_backend_cpu_set_n_threads");
        SetThreadPool = (delegate* unmanaged<nint, nint, void>)Cpu("ggml_backend_cpu_set_threadpool");
        FreeThreadPool = (delegate* unmanaged<nint, void>)Cpu("ggml_threadpool_free");
        PauseThreadPool = (delegate* unmanaged<nint, void>)Cpu("ggml_threadpool_pause");
        ResumeThreadPool = (delegate* unmanaged<nint, void>)Cpu("ggml_threadpool_resume");
    }

    /// <exception cref="PeerException">It is not installed.</exception>
    public static GgmlApi Here => s_here.Value;

    public string Version { get; }

    /// <summary>The processor that the build is for.</summary>
    public string Build { get; }

    public delegate* unmanaged<nint, nint, nint, nint, nint, float, float, float, nint> Flash { get; }

    public delegate* unmanaged<nint, int, void> SetFlashPrecision { get; }

    public delegate* unmanaged<nint, nint, nint, nint> Multiply { get; }

    public delegate* unmanaged<nint, nint, nint, float, float, nint> SoftMax { get; }

    public delegate* unmanaged<nint, nint, void> AddFlashSinks { get; }

    public delegate* unmanaged<nint, nint, void> AddSoftMaxSinks { get; }

    public delegate* unmanaged<nint, nint, float, nint> Scale { get; }

    public delegate* unmanaged<nint, nint, nint> Tanh { get; }

    public delegate* unmanaged<nint, int, long, long, long, long, nint> NewTensor { get; }

    public delegate* unmanaged<nint, void*> Data { get; }

    public delegate* unmanaged<nint, nint> NewGraph { get; }

    public delegate* unmanaged<nint, nint, void> Expand { get; }

    public delegate* unmanaged<nint, nint, nint> AllocateTensors { get; }

    public delegate* unmanaged<void*, nuint, nint> BufferOn { get; }

    public delegate* unmanaged<nint, nint, void*, int> PlaceTensor { get; }

    public delegate* unmanaged<nint, void> FreeBuffer { get; }

    public delegate* unmanaged<nint, nint, int> Compute { get; }

    public delegate* unmanaged<int, float*, void*, long, long, long, float*, nuint> Quantize { get; }

    public delegate* unmanaged<nint, void> FreeContext { get; }

    public delegate* unmanaged<nint, void> FreeBackend { get; }

    public delegate* unmanaged<nint> NewBackend { get; }

    public delegate* unmanaged<nint, int, void> SetThreads { get; }

    public delegate* unmanaged<nint, nint, void> SetThreadPool { get; }

    public delegate* unmanaged<nint, void> FreeThreadPool { get; }

    public delegate* unmanaged<nint, void> PauseThreadPool { get; }

    public delegate* unmanaged<nint, void> ResumeThreadPool { get; }

    /// <summary>A context for descriptions of tensors; their elements lie elsewhere.</summary>
    public nint NewContext()
    {
        var parameters = new ContextParameters { Bytes = 1 << 20, Buffer = null, NoAllocation = 1 };
        return ((delegate* unmanaged<ContextParameters, nint>)Base("ggml_init"))(parameters);
    }

    public nint NewThreadPool(int threads)
    {
        byte* parameters = stackalloc byte[ThreadPoolParametersBytes];
        new Span<byte>(parameters, ThreadPoolParametersBytes).Clear();
        ((delegate* unmanaged<byte*, int, void>)Base("ggml_threadpool_params_init"))(parameters, threads);
        return ((delegate* unmanaged<byte*, nint>)Cpu("ggml_threadpool_new"))(parameters);
    }

    private static int Score(nint library) => ((delegate* unmanaged<int>)NativeLibrary.GetExport(library, "ggml_backend_score"))();

    private nint Base(string function) => NativeLibrary.GetExport(_base, function);

    private nint Cpu(string function) => NativeLibrary.GetExport(_cpu, function);

    private struct ContextParameters
    {
        public nuint Bytes;
        public void* Buffer;
        public byte NoAllocation;
    }
}
