using System.Reflection;
using AttentionGen.CompilerServices;

namespace AttentionGen;

/// <summary>Tells what runs here.</summary>
public static class AttentionInfo
{
    /// <summary>The best instruction set that this process can use: a kernel runs the best one, of those it was generated for, up to it.</summary>
    public static AttentionIsas Isa => Best(AttentionIsas.All);

    /// <summary>What was planned for a kernel, and which of its instruction sets runs here.</summary>
    /// <param name="kernel">The kernel: the method itself, <c>AttentionInfo.Describe(Llama.Attend)</c>.</param>
    /// <remarks>Of overloads, <see cref="Describe{TDelegate}(TDelegate)"/> tells one by the type of a delegate.</remarks>
    /// <exception cref="ArgumentException">The method is not a generated kernel.</exception>
    public static AttentionKernelInfo Describe(Delegate kernel)
    {
        ArgumentNullException.ThrowIfNull(kernel);
        var plans = kernel.Method.GetCustomAttributes<AttentionKernelAttribute>().ToArray();
        if (plans.Length == 0)
            throw new ArgumentException($"{kernel.Method.DeclaringType}.{kernel.Method.Name} is not a generated attention kernel.", nameof(kernel));
        var isa = Best(plans.Aggregate(AttentionIsas.Portable, (all, plan) => all | plan.Isa));
        var runs = plans.Single(plan => plan.Isa == isa);
        return new AttentionKernelInfo(runs.Kernel, runs.Core, runs.Isa, runs.Plan, runs.ScratchBytes);
    }

    /// <summary>The same for a kernel with overloads, of which the type of the delegate chooses: <c>AttentionInfo.Describe&lt;Attend&gt;(Llama.Attend)</c>.</summary>
    /// <typeparam name="TDelegate">
    /// A delegate with the parameters of the kernel, as <c>delegate void Attend(ReadOnlySpan&lt;float&gt; query, ReadOnlySpan&lt;float&gt; key, ReadOnlySpan&lt;float&gt; value, Span&lt;float&gt; output)</c>;
    /// <c>Action</c> with spans in it does as well.
    /// </typeparam>
    /// <param name="kernel">The kernel: the method itself.</param>
    /// <exception cref="ArgumentException">The method is not a generated kernel.</exception>
    public static AttentionKernelInfo Describe<TDelegate>(TDelegate kernel)
        where TDelegate : Delegate => Describe((Delegate)kernel);

    /// <summary>The best of some instruction sets here; generated code asks the same questions in the same order.</summary>
    private static AttentionIsas Best(AttentionIsas among) =>
        among.HasFlag(AttentionIsas.Avx512) && KernelIsa.Avx512 ? AttentionIsas.Avx512
        : among.HasFlag(AttentionIsas.Avx2) && KernelIsa.Avx2 ? AttentionIsas.Avx2
        : among.HasFlag(AttentionIsas.Neon) && KernelIsa.Neon ? AttentionIsas.Neon
        : AttentionIsas.Portable;
}

/// <summary>A generated kernel as it runs here.</summary>
/// <param name="Name">The kernel's name, derived from its declaration.</param>
/// <param name="Core">The name of the code that runs here; it stands at the head of the generated file.</param>
/// <param name="Isa">The instruction set of that code.</param>
/// <param name="Plan">How the work is cut: tile, blocks, path.</param>
/// <param name="ScratchBytes">The working memory that one thread needs at most, in bytes.</param>
public sealed record AttentionKernelInfo(string Name, string Core, AttentionIsas Isa, string Plan, int ScratchBytes);
