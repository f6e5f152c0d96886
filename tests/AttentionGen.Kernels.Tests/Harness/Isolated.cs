using Xunit;

namespace AttentionGen.Kernels.Tests;

/// <summary>The collection of tests that look at the whole process: they run alone, after all others.</summary>
[CollectionDefinition(nameof(Isolated), DisableParallelization = true)]
public sealed class Isolated;
