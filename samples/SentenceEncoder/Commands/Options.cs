namespace SentenceEncoder.Commands;

/// <summary>What all commands have in common.</summary>
/// <param name="Model">The name of the model.</param>
/// <param name="Weights">The path of its weights, or null.</param>
/// <param name="Sentences">The sentences of the command line.</param>
/// <param name="File">A file of sentences, or null.</param>
/// <param name="Json">Whether the results are JSON.</param>
/// <param name="Time">Whether to measure the speed.</param>
/// <param name="Threads">The most threads; 0 means all.</param>
internal sealed record Options(string Model, string? Weights, string[] Sentences, string? File, bool Json, bool Time, int Threads);
