namespace AttentionGen.Views;

/// <summary>A declaration on the page of masks.</summary>
public sealed record MaskDeclaration
{
    /// <param name="name">The name by which a reader chooses it.</param>
    /// <param name="code">The declaration as C# text.</param>
    /// <param name="form">Its mask.</param>
    /// <exception cref="ArgumentNullException">An argument is null.</exception>
    public MaskDeclaration(string name, string code, MaskForm form)
    {
        ArgumentNullException.ThrowIfNull(name);
        ArgumentNullException.ThrowIfNull(code);
        ArgumentNullException.ThrowIfNull(form);
        (Name, Code, Form) = (name, code, form);
    }

    /// <summary>The name by which a reader chooses it.</summary>
    public string Name { get; }

    /// <summary>The declaration as C# text.</summary>
    public string Code { get; }

    /// <summary>Its mask.</summary>
    public MaskForm Form { get; }

    /// <summary>A sentence about it; empty for none.</summary>
    public string Note { get; init => field = value ?? throw new ArgumentNullException(nameof(Note)); } = "";

    /// <summary>The heads, for flops and bytes.</summary>
    public HeadShape Shape { get; init; } = new(12, 12, 64, 64);

    /// <summary>The number of queries with which the page begins.</summary>
    public int Queries { get; init => field = Length(value, nameof(Queries)); } = 32;

    /// <summary>The number of keys with which the page begins.</summary>
    public int Keys { get; init => field = Length(value, nameof(Keys)); } = 32;

    /// <summary>Weights of a small example without and with the mask; null for none.</summary>
    public MaskExample? Example { get; init; }

    private static int Length(int value, string name) =>
        value is >= 1 and <= MaskPage.MaxLength ? value : throw new ArgumentOutOfRangeException(name, value, $"A length on the page is 1 to {MaskPage.MaxLength}.");
}

/// <summary>The shape of a kernel's heads.</summary>
/// <param name="Heads">The number of query heads.</param>
/// <param name="KeyValueHeads">The number of key-value heads.</param>
/// <param name="HeadDim">The number of elements of a query or key head.</param>
/// <param name="ValueDim">The number of elements of a value head.</param>
public readonly record struct HeadShape(int Heads, int KeyValueHeads, int HeadDim, int ValueDim);

/// <summary>A tile: the rows and keys that a kernel computes together.</summary>
/// <param name="Name">Where it is used.</param>
/// <param name="Rows">The number of queries.</param>
/// <param name="Keys">The number of keys.</param>
public sealed record MaskTile(string Name, int Rows, int Keys);
