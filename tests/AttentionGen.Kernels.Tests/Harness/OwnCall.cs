namespace AttentionGen.Kernels.Tests;

/// <summary>A call of a kernel with a mask, a score or both of its own.</summary>
/// <param name="Problem">The call; its declaration has the methods as text.</param>
/// <param name="Mask">The mask; null for none.</param>
/// <param name="Score">The score; null for none.</param>
/// <param name="IsPoisoned">Whether keys and values that no query sees are NaN.</param>
/// <param name="Seed">Of the inputs.</param>
internal sealed record OwnCall(Problem Problem, Term? Mask, Term? Score, bool IsPoisoned, int Seed)
{
    public Inputs Inputs
    {
        get
        {
            var inputs = new Inputs(Problem, Seed);
            if (IsPoisoned) Poison(inputs);
            return inputs;
        }
    }

    /// <summary>A declaration with these methods.</summary>
    public static Declaration With(Declaration declaration, Term? mask, Term? score) => declaration with { MaskText = mask?.ToString() ?? "", ScoreText = score?.ToString() ?? "" };

    /// <summary>The declaration and the methods as a user writes them, and the call.</summary>
    public override string ToString()
    {
        string name = Problem.Declaration.ToString(), text = Problem.Declaration.Source;
        var lines = text.Split('\n').Select(line => line.Trim()).Where(line => line.StartsWith("[Attention") || line.Contains(" partial ") || line.StartsWith("private static"));
        string values = string.Concat(new[] { ("width", $"{Own.Width}"), ("slope", $"{Own.Slope}f") }.Where(value => text.Contains($" {value.Item1}")).Select(value => $", {value.Item1} {value.Item2}"));
        return $"{string.Join('\n', lines).Replace("_" + name, "").Replace(name, "Attend")}\n"
            + $"{Problem.ToString().Replace(name, "Attend:")}{values}; inputs of seed {Seed}{(IsPoisoned ? ", NaN in keys and values that no query sees" : "")}";
    }

    private void Poison(Inputs inputs)
    {
        var declaration = Problem.Declaration;
        for (int b = 0; b < Problem.Batch; b++)
        {
            for (int j = 0; j < Problem.Keys; j++)
            {
                for (int kv = 0; kv < declaration.KeyValueHeads; kv++)
                {
                    if (IsSeen(inputs, b, j, kv)) continue;
                    inputs.KeyRow(b, j, kv).Fill(float.NaN);
                    inputs.ValueRow(b, j, kv).Fill(float.NaN);
                }
            }
        }
    }

    // What the methods hide does not depend on a score: one of 0 will do.
    private bool IsSeen(Inputs inputs, int batch, int key, int keyValueHead)
    {
        int group = Problem.Declaration.Group;
        for (int i = 0; i < Problem.Queries; i++)
            for (int h = keyValueHead * group; h < (keyValueHead + 1) * group; h++)
                if (inputs.Score(0, batch, i, h, key) > float.NegativeInfinity) return true;
        return false;
    }
}
