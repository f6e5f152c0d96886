namespace SentenceEncoder.Weights;

/// <summary>The weights of a model are missing or are not those that were published. The message says what to do.</summary>
public sealed class WeightsException : Exception
{
    public WeightsException()
    {
    }

    public WeightsException(string message) : base(message)
    {
    }

    public WeightsException(string message, Exception inner) : base(message, inner)
    {
    }
}
