using System.Runtime.CompilerServices;
using AttentionGen.CompilerServices;

namespace AttentionGen.Kernels.Tests;

/// <summary>Tests of what is kept between calls do not depend on how much memory the machine has left; those of short memory say so themselves.</summary>
internal static class PlentyOfMemory
{
#pragma warning disable CA2255 // a test assembly is an application
    [ModuleInitializer]
    public static void Assume() => MemoryPressure.IsHigh = static () => false;
#pragma warning restore CA2255
}
