namespace AttentionGen.Generator.Tests.Harness;

/// <summary>Pieces of users' source.</summary>
internal static class Sample
{
    /// <summary>The parameters that every kernel has.</summary>
    public const string Tensors = "ReadOnlySpan<float> query, ReadOnlySpan<float> key, ReadOnlySpan<float> value, Span<float> output";

    /// <summary>A tensor that brings its shape.</summary>
    public const string TensorSpan = "global::System.Numerics.Tensors.ReadOnlyTensorSpan<float>", OutputTensorSpan = "global::System.Numerics.Tensors.TensorSpan<float>";

    /// <summary>The parameters that every kernel has, all of them with shapes of their own.</summary>
    public const string TensorSpans = $"{TensorSpan} query, {TensorSpan} key, {TensorSpan} value, {OutputTensorSpan} output";

    /// <summary>A small valid attribute, for one instruction set: the least to compile.</summary>
    public const string Attribute = "[global::AttentionGen.Attention(heads: 2, headDim: 8, Isas = global::AttentionGen.AttentionIsas.Portable)]";

    /// <summary>A small kernel.</summary>
    public const string Kernel = $"{Attribute} public static partial void Attend({Tensors});";

    /// <summary>The part of the library into which the generator writes products with packed weights; the rest of it is referenced.</summary>
    public static Project Library => new([.. new[] { "ILinearCore.cs", "LinearCores.cs" }.Select(file => File.ReadAllText(Repository.PathOf("src", "Runtime", "CompilerServices", "Linear", file)))])
    {
        Name = "AttentionGen", AllowUnsafe = true,
    };

    /// <summary>A documented kernel in a documented type, as in a project with a documentation file.</summary>
    public static string Documented(string attribute, string parameters = Tensors, string type = "Llama", string members = "") => $$"""
        using AttentionGen;

        namespace Demo;

        /// <summary>Kernels.</summary>
        public static partial class {{type}}
        {
            /// <summary>Attends.</summary>
            [{{attribute}}]
            public static partial void Attend({{parameters}});{{(members.Length > 0 ? "\n\n    " + members : "")}}
        }
        """;
}
