using System.ComponentModel;

namespace AttentionGen.CompilerServices;

/// <summary>Describes the plan of a kernel. The generator puts it on the generated part of the kernel, once for each instruction set.</summary>
/// <param name="kernel">The kernel's name.</param>
/// <param name="core">The name of the core.</param>
/// <param name="isa">The instruction set.</param>
/// <param name="plan">The plan in words.</param>
/// <param name="scratchBytes">The most working memory that one thread needs, in bytes.</param>
[EditorBrowsable(EditorBrowsableState.Never)]
[AttributeUsage(AttributeTargets.Method, AllowMultiple = true, Inherited = false)]
public sealed class AttentionKernelAttribute(string kernel, string core, AttentionIsas isa, string plan, int scratchBytes) : Attribute
{
    /// <summary>The kernel's name.</summary>
    public string Kernel { get; } = kernel;

    /// <summary>The name of the core.</summary>
    public string Core { get; } = core;

    /// <summary>The instruction set.</summary>
    public AttentionIsas Isa { get; } = isa;

    /// <summary>The plan in words.</summary>
    public string Plan { get; } = plan;

    /// <summary>The most working memory that one thread needs, in bytes.</summary>
    public int ScratchBytes { get; } = scratchBytes;

    /// <summary>The bytes for each query row that a layer keeps between its projections; 0 for a kernel without projections.</summary>
    public int QueryBytes { get; init; }

    /// <summary>The same for each key row.</summary>
    public int KeyBytes { get; init; }
}
