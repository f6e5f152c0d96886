using AttentionGen.Benchmarks.Contenders.Ggml;
using AttentionGen.Benchmarks.Contenders.OnnxRuntime;
using AttentionGen.Benchmarks.Kernels;
using AttentionGen.Benchmarks.Shapes;

namespace AttentionGen.Benchmarks.Contenders;

/// <summary>Who competes over a shape: each contender with all its ways. One that cannot is left out, with a reason.</summary>
internal static class Entrants
{
    /// <summary>What our kernel is compared with where a shape is more than plain attention over spans; null for a plain shape.</summary>
    public static Contender? Beside(Inputs inputs, int threads) => inputs.Shape switch
    {
        { Variant: { } variant } => new AttentionGenContender(inputs, AttentionLayout.TokenMajor, threads, KernelTable.Of(ShapeTable.Find(variant.Plain), AttentionLayout.TokenMajor)!),
        { Cache: { } cache } => cache.Storage.Beside(inputs, threads),
        _ => null,
    };

    public static List<Contender> Of(Inputs inputs, int threads, ICollection<string> notes)
    {
        string id = inputs.Shape.Id;
        var entrants = new List<Contender>();
        if (inputs.Shape.Cache is { } cache)
        {
            entrants.Add(cache.Storage.Contender(inputs, threads));
            if (cache.Kind == CacheKind.Append) return entrants; // peers write into their caches by themselves
            if (Installed("ONNX Runtime", () => _ = OrtApi.Here))
                foreach (var (storage, way) in OnnxWay.OfCache(inputs)) Add($"ONNX Runtime's cache of {storage} leaves {id} out", () => new OnnxRuntimeContender(inputs.Shape, way(), threads));
            if (Installed("ggml", () => _ = GgmlApi.Here))
                foreach (var type in GgmlType.OfCaches)
                    foreach (var way in type.Ways) Add($"ggml's {way} way with a cache of {type.Name} leaves {id} out", () => new GgmlCacheContender(inputs, type, way, threads));
            return entrants;
        }

        foreach (var layout in new[] { AttentionLayout.TokenMajor, AttentionLayout.HeadMajor })
            if (KernelTable.Of(inputs.Shape, layout) is { } kernel) entrants.Add(new AttentionGenContender(inputs, layout, threads, kernel));
        Add($"TensorPrimitives leaves {id} out", () => new TensorPrimitivesContender(inputs, threads));
        if (Installed("ONNX Runtime", () => _ = OrtApi.Here))
            foreach (var (name, way) in OnnxWay.Of(inputs)) Add($"ONNX Runtime's {name} leaves {id} out", () => new OnnxRuntimeContender(inputs.Shape, way(), threads));
        if (Installed("ggml", () => _ = GgmlApi.Here))
            foreach (var way in Enum.GetValues<GgmlWay>()) Add($"ggml's {way} way leaves {id} out", () => new GgmlContender(inputs, way, threads));
        return entrants;

        bool Installed(string peer, Action load) => IsInstalled(peer, load, notes);

        void Add(string otherwise, Func<Contender> create) => AddTo(entrants, otherwise, create, notes);
    }

    /// <inheritdoc cref="Of(Inputs, int, ICollection{string})"/>
    public static List<Contender> Of(LinearInputs inputs, int threads, ICollection<string> notes)
    {
        string id = inputs.Shape.Id;
        List<Contender> entrants = [inputs.Row.Weights.Contender(inputs, threads), new TensorPrimitivesLinearContender(inputs, threads)];
        if (IsInstalled("ONNX Runtime", () => _ = OrtApi.Here, notes))
            foreach (var projection in Enum.GetValues<OnnxProjection>()) AddTo(entrants, $"ONNX Runtime's {projection} leaves {id} out", () => new OnnxLinearContender(inputs, projection, threads), notes);
        if (IsInstalled("ggml", () => _ = GgmlApi.Here, notes))
            foreach (var type in GgmlType.OfCaches) AddTo(entrants, $"ggml with weights of {type.Name} leaves {id} out", () => new GgmlLinearContender(inputs, type, threads), notes);
        return entrants;
    }

    /// <inheritdoc cref="Of(Inputs, int, ICollection{string})"/>
    public static List<Contender> Of(LayerInputs inputs, int threads, ICollection<string> notes)
    {
        List<Contender> entrants = [new LayerContender(inputs, threads)];
        if (IsInstalled("ONNX Runtime", () => _ = OrtApi.Here, notes))
            foreach (var way in OnnxLayerContender.WaysOf(inputs.Shape)) AddTo(entrants, $"ONNX Runtime's {way.Projection} with {way.Heads} leaves {inputs.Shape.Id} out", () => new OnnxLayerContender(inputs, way, threads), notes);
        return entrants;
    }

    private static bool IsInstalled(string peer, Action load, ICollection<string> notes)
    {
        try
        {
            load();
            return true;
        }
        catch (PeerException e)
        {
            Note($"{peer} is missing: {e.Message}.", notes);
            return false;
        }
    }

    /// <summary>A first call tells whether it can.</summary>
    private static void AddTo(List<Contender> entrants, string otherwise, Func<Contender> create, ICollection<string> notes)
    {
        Contender? entrant = null;
        try
        {
            entrant = create();
            entrant.Enter();
            entrant.Run();
            entrant.Leave();
            entrants.Add(entrant);
        }
        catch (PeerException e)
        {
            entrant?.Dispose();
            Note($"{otherwise}: {e.Message}", notes);
        }
    }

    private static void Note(string text, ICollection<string> notes)
    {
        if (!notes.Contains(text)) notes.Add(text);
    }
}
