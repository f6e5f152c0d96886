namespace SentenceEncoder.Commands;

/// <summary>The command line asks for something that cannot be done; the message is for the user.</summary>
internal sealed class Refusal(string message) : Exception(message);
