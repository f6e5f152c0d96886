using System.ComponentModel;

namespace AttentionGen.CompilerServices;

/// <summary>Stands on the generated part of a kernel, once for each instruction set, and says what was planned.</summary>
/// <param name="kernel">The kernel's name.</param>
/// <param name="core">The name of the code for the instruction set.</param>
/// <param name="isa">The instruction set.</param>
/// <param name="plan">The plan in words.</param>
/// <param name="scratchBytes">The working memory that one thread needs at most.</param>
[EditorBrowsable(EditorBrowsableState.Never)]
[AttributeUsage(AttributeTargets.Method, AllowMultiple = true, Inherited = false)]
public sealed class AttentionKernelAttribute(string kernel, string core, AttentionIsas isa, string plan, int scratchBytes) : Attribute
{
    /// <summary>The kernel's name.</summary>
    public string Kernel { get; } = kernel;

    /// <summary>The name of the code for the instruction set.</summary>
    public string Core { get; } = core;

    /// <summary>The instruction set.</summary>
    public AttentionIsas Isa { get; } = isa;

    /// <summary>The plan in words.</summary>
    public string Plan { get; } = plan;

    /// <summary>The working memory that one thread needs at most.</summary>
    public int ScratchBytes { get; } = scratchBytes;
}
