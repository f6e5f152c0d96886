namespace AttentionGen.Views;

/// <summary>What the page of maps says beside the maps.</summary>
public sealed record AttentionPageOptions
{
    /// <summary>The heading and the title of the page.</summary>
    public string Title { get; init => field = value ?? throw new ArgumentNullException(nameof(Title)); } = "Attention";

    /// <summary>A line below the heading, such as the model and where its weights come from; empty for none.</summary>
    public string Note { get; init => field = value ?? throw new ArgumentNullException(nameof(Note)); } = "";
}
