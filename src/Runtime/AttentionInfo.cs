using System.Reflection;
using AttentionGen.CompilerServices;

namespace AttentionGen;

/// <summary>Describes the code that runs in this process.</summary>
public static class AttentionInfo
{
    /// <summary>The best instruction set that this process can use. A kernel runs the best of its instruction sets that does not exceed this one.</summary>
    public static AttentionIsas Isa => Best(AttentionIsas.All);

    /// <summary>Returns the plan of a kernel, and the instruction set that runs in this process.</summary>
    /// <param name="kernel">The kernel: the method itself, <c>AttentionInfo.Describe(Llama.Attend)</c>.</param>
    /// <returns>The plan for the instruction set that runs in this process.</returns>
    /// <remarks>If the method has overloads, <see cref="Describe{TDelegate}(TDelegate)"/> selects one by the type of a delegate.</remarks>
    /// <exception cref="ArgumentNullException"><paramref name="kernel"/> is null.</exception>
    /// <exception cref="ArgumentException">The method is not a generated kernel.</exception>
    public static AttentionKernelInfo Describe(Delegate kernel)
    {
        ArgumentNullException.ThrowIfNull(kernel);
        var plans = kernel.Method.GetCustomAttributes<AttentionKernelAttribute>().ToArray();
        if (plans.Length == 0)
            throw new ArgumentException($"{kernel.Method.DeclaringType}.{kernel.Method.Name} is not a generated attention kernel.", nameof(kernel));
        var isa = Best(plans.Aggregate(AttentionIsas.Portable, (all, plan) => all | plan.Isa));
        var runs = plans.Single(plan => plan.Isa == isa);
        return new AttentionKernelInfo(runs.Kernel, runs.Core, runs.Isa, runs.Plan, runs.ScratchBytes) { QueryBytes = runs.QueryBytes, KeyBytes = runs.KeyBytes };
    }

    /// <summary>
    /// Does the same as <see cref="Describe(Delegate)"/> for a kernel with overloads. The type of the delegate selects the overload:
    /// <c>AttentionInfo.Describe&lt;Attend&gt;(Llama.Attend)</c>.
    /// </summary>
    /// <typeparam name="TDelegate">
    /// A delegate with the parameters of the kernel, such as
    /// <c>delegate void Attend(ReadOnlySpan&lt;float&gt; query, ReadOnlySpan&lt;float&gt; key, ReadOnlySpan&lt;float&gt; value, Span&lt;float&gt; output)</c>.
    /// An <c>Action</c> with span arguments is also possible.
    /// </typeparam>
    /// <param name="kernel">The kernel: the method itself.</param>
    /// <returns>The plan for the instruction set that runs in this process.</returns>
    /// <exception cref="ArgumentNullException"><paramref name="kernel"/> is null.</exception>
    /// <exception cref="ArgumentException">The method is not a generated kernel.</exception>
    public static AttentionKernelInfo Describe<TDelegate>(TDelegate kernel)
        where TDelegate : Delegate => Describe((Delegate)kernel);

    /// <summary>The best of the given instruction sets in this process. Generated code makes the same tests in the same order.</summary>
    private static AttentionIsas Best(AttentionIsas among) =>
        among.HasFlag(AttentionIsas.Avx512) && KernelIsa.Avx512 ? AttentionIsas.Avx512
        : among.HasFlag(AttentionIsas.Avx2) && KernelIsa.Avx2 ? AttentionIsas.Avx2
        : among.HasFlag(AttentionIsas.Neon) && KernelIsa.Neon ? AttentionIsas.Neon
        : AttentionIsas.Portable;
}

/// <summary>A generated kernel as it runs in this process.</summary>
/// <param name="Name">The name of the kernel, derived from its declaration.</param>
/// <param name="Core">The name of the core that runs in this process. The head of the generated file contains it.</param>
/// <param name="Isa">The instruction set of the core.</param>
/// <param name="Plan">The plan, which says how the core divides the work: tile, blocks, path.</param>
/// <param name="ScratchBytes">The maximum working memory of one thread, in bytes.</param>
public sealed record AttentionKernelInfo(string Name, string Core, AttentionIsas Isa, string Plan, int ScratchBytes)
{
    internal int QueryBytes { get; init; }

    internal int KeyBytes { get; init; }

    /// <summary>The bytes that a call of a layer needs beside <see cref="ScratchBytes"/>, for queries, keys, values and heads; 0 for a kernel without projections. To begin each of them at a cache line takes up to 240 bytes more.</summary>
    /// <param name="queries">The number of rows of the input, those of all batch items together.</param>
    /// <param name="keys">The number of rows of the context; that of the input where there is none.</param>
    public long LayerBytes(int queries, int keys) => (long)queries * QueryBytes + (long)keys * KeyBytes;
}
