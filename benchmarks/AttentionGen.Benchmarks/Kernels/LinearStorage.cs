using System.Runtime.CompilerServices;
using AttentionGen.Benchmarks.Contenders;
using AttentionGen.Benchmarks.Shapes;

namespace AttentionGen.Benchmarks.Kernels;

/// <summary>A type in which our linear layers store weights.</summary>
internal abstract class LinearStorage(string name, string suffix)
{
    public static LinearStorage Float { get; } = new Of<float>("float", "");

    /// <summary>All of them, <see cref="Float"/> first.</summary>
    public static IReadOnlyList<LinearStorage> All { get; } = [Float, new Of<BFloat16>("bfloat16", "-bfloat16"), new Of<sbyte>("int8", "-int8")];

    public string Name { get; } = name;

    /// <summary>Of the ids of rows.</summary>
    public string Suffix { get; } = suffix;

    public abstract int ElementBytes { get; }

    /// <summary>Makes weights such as are stored.</summary>
    public abstract void Round(Span<float> weights, int inputDim, int outputDim);

    public abstract Contender Contender(LinearInputs inputs, int threads);

    private sealed class Of<T>(string name, string suffix) : LinearStorage(name, suffix)
        where T : unmanaged
    {
        public override int ElementBytes => Unsafe.SizeOf<T>();

        public override void Round(Span<float> weights, int inputDim, int outputDim)
        {
            if (typeof(T) == typeof(float)) return;
            using var layer = new AttentionLinear<T>(inputDim, outputDim, weights);
            layer.CopyWeightsTo(weights);
        }

        public override Contender Contender(LinearInputs inputs, int threads) => new LinearContender<T>(inputs, Name, threads);
    }
}
