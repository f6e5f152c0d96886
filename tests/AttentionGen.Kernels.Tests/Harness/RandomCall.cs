namespace AttentionGen.Kernels.Tests;

/// <summary>What queries and keys are; values are uniform in [-1, 1].</summary>
public enum Filling
{
    /// <summary>Normally distributed.</summary>
    Normal,

    /// <summary>All the same, with scores of 90 or -90: the output is the mean of the visible values.</summary>
    Constant,

    /// <summary>
    /// Scores to 100 and more, of both signs, in pairs that nearly tie. They are sums of integers, without any rounding: the plain evaluation
    /// of a few rows might be exact by luck, and no kernel is to be less lucky.
    /// </summary>
    Large,
}

/// <summary>NaN or an infinity in keys and values.</summary>
/// <param name="IsSeen">Whether half of the queries, the earlier or the later ones, may see them; otherwise no query does.</param>
public sealed record Poison(float Value, bool IsSeen)
{
    public override string ToString() => $"{Value} in keys and values that {(IsSeen ? "half of the queries does not see" : "no query sees")}";
}

/// <summary>A call with its inputs.</summary>
public sealed record RandomCall(Problem Problem, Filling Filling, Poison? Poison, int Seed)
{
    /// <summary>A score whose exponential overflows when nothing is subtracted from it.</summary>
    private const float Level = 90;

    public Inputs Inputs
    {
        get
        {
            var inputs = new Inputs(Problem, Seed);
            if (Filling == Filling.Constant) MakeConstant(inputs);
            if (Filling == Filling.Large) MakeLarge(inputs);
            if (Poison is not null) AddPoison(inputs, Poison);
            inputs.Round();
            return inputs;
        }
    }

    /// <summary>The declaration as a user writes it, and the call.</summary>
    public override string ToString() =>
        $"{string.Join('\n', Problem.Declaration.Source.Split('\n')[..2].Select(line => line.Trim()))}\n" +
        $"{Problem}; {Filling.ToString().ToLowerInvariant()} inputs of seed {Seed}{(Poison is null ? "" : $", {Poison}")}";

    private void MakeConstant(Inputs inputs)
    {
        var declaration = Problem.Declaration;
        float element = MathF.Sqrt(Level / (declaration.HeadDim * Math.Abs(declaration.Factor)));
        inputs.Query.AsSpan().Fill(element);
        inputs.Key.AsSpan().Fill(Seed % 2 == 0 ? element : -element);
    }

    private void MakeLarge(Inputs inputs)
    {
        foreach (ref float x in inputs.Query.AsSpan()) x = MathF.Round(2 * x);
        foreach (ref float x in inputs.Key.AsSpan()) x = 16 * MathF.Round(x);
        for (int b = 0; b < Problem.Batch; b++)
        {
            for (int h = 0; h < Problem.Declaration.KeyValueHeads; h++)
            {
                for (int j = 1; j < Problem.Keys; j += 2)
                {
                    inputs.KeyRow(b, j - 1, h).CopyTo(inputs.KeyRow(b, j, h));
                    inputs.KeyRow(b, j, h)[j % Problem.Declaration.HeadDim] += 1;
                }
            }
        }
    }

    private void AddPoison(Inputs inputs, Poison poison)
    {
        int half = Problem.Queries / 2, group = Problem.Declaration.Group;
        var blind = !poison.IsSeen ? Enumerable.Range(0, Problem.Queries) : Seed % 3 == 0 ? Enumerable.Range(half, Problem.Queries - half) : Enumerable.Range(0, half);
        bool alike = Problem.Declaration.Bias == 0 && Problem.Declaration.Keep == 0 && Problem.Lists is null; // heads see the same keys
        for (int b = 0; b < Problem.Batch; b++)
        {
            for (int j = 0; j < Problem.Keys; j++)
            {
                for (int h = 0; h < Problem.Declaration.KeyValueHeads; h++)
                {
                    if (alike && h > 0 ? float.IsFinite(inputs.KeyRow(b, j, 0)[0]) : blind.Any(query => Enumerable.Range(h * group, alike ? 1 : group).Any(head => IsSeen(b, head, query, j)))) continue;
                    inputs.KeyRow(b, j, h).Fill(poison.Value);
                    inputs.ValueRow(b, j, h).Fill(poison.Value);
                }
            }
        }

        bool IsSeen(int batch, int head, int query, int key) =>
            alike ? Problem.Sees(batch, head, query, key) : inputs.Score(0, batch, query, head, key) > float.NegativeInfinity;
    }
}
