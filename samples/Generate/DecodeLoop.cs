using System.Diagnostics;

namespace Generate;

/// <summary>Token by token: the model gives logits, the sampler chooses, the text goes out.</summary>
internal sealed class DecodeLoop(LlamaModel model, Tokenizer tokenizer, Sampler sampler, Utf8Output output)
{
    /// <param name="prompt">The tokens that the text begins with.</param>
    /// <param name="steps">Tokens in all; fewer where the model ends the text.</param>
    public Generation Run(ReadOnlySpan<int> prompt, int steps)
    {
        var tokens = new List<int>(steps) { prompt[0] };
        foreach (int token in prompt[1..]) Add(token);

        long start = Stopwatch.GetTimestamp(), first = start;
        while (tokens.Count < steps)
        {
            bool isFirst = tokens.Count == prompt.Length;
            var logits = isFirst ? model.Forward(prompt) : model.Forward(tokens[^1]);
            int next = sampler.Next(logits);
            if (isFirst) first = Stopwatch.GetTimestamp();
            if (next == Tokenizer.Edge) break;
            Add(next);
        }

        int generated = tokens.Count - prompt.Length;
        return new Generation(tokens, generated, First: Stopwatch.GetElapsedTime(start, first), Others: Stopwatch.GetElapsedTime(first));

        void Add(int token)
        {
            output.Write(tokenizer.Decode(tokens[^1], token));
            tokens.Add(token);
        }
    }
}

/// <param name="Tokens">All tokens, without the one that ends the text.</param>
/// <param name="Generated">How many of them follow the prompt.</param>
/// <param name="First">The time that the prompt and the choice of the first token took.</param>
/// <param name="Others">The time that all others took.</param>
internal sealed record Generation(IReadOnlyList<int> Tokens, int Generated, TimeSpan First, TimeSpan Others)
{
    public double TokensPerSecond => (Generated - 1) / Others.TotalSeconds;
}
