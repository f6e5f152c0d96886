using AttentionGen.Kernels.Tests;

namespace AttentionGen.ErrorBound;

/// <summary>What queries and keys are.</summary>
internal enum Filling
{
    /// <summary>Normally distributed, each with a deviation of its own from 0.1 to 8.</summary>
    Normal,

    /// <summary>A constant, such that scores are up to 100, and noise, such that they differ by about 1.</summary>
    Alike,

    /// <summary>All scores of a row the same: each weight is rounded the same way.</summary>
    Equal,

    /// <summary>Scores that rise from key to key by up to 200 in all: maxima rise again and again.</summary>
    Rising,
}

/// <summary>What values are.</summary>
internal enum Values
{
    /// <summary>Uniform in [-1, 1].</summary>
    Uniform,

    /// <summary>Uniform in [0, 1].</summary>
    Positive,

    /// <summary>All 1: the exact output is 1.</summary>
    Ones,
}

/// <summary>Random calls of a table of declarations; the same for the same seed.</summary>
internal sealed class Calls(int seed)
{
    private static readonly int[] s_dims = [8, 16, 20, 32, 64, 65, 96, 128, 192, 256];

    private static readonly Declaration[] s_declarations =
    [
        .. from dim in s_dims select new Declaration(2, dim) { KeyValueHeads = 1 },
        .. from dim in s_dims select new Declaration(1, dim) { Mask = AttentionMask.Causal, Roles = Roles.MaxThreads | Roles.LogSumExp },
        .. from dim in new[] { 16, 64, 128 }
           from declaration in new[]
           {
               new Declaration(1, dim) { SoftCap = 20 },
               new Declaration(1, dim) { Bias = AttentionAxes.Query | AttentionAxes.Key, Alibi = true },
               new Declaration(1, dim) { Scale = -0.25f, Roles = Roles.MaxThreads | Roles.Sinks },
               new Declaration(1, dim) { Keep = AttentionAxes.Key, ScoreText = "score * 0.75f - slope * Math.Abs(query - key)" },
               new Declaration(1, dim) { Window = (300, 20), Norm = AttentionNorm.Rms },
               new Declaration(1, dim) { Mask = AttentionMask.Causal, Roles = Roles.MaxThreads | Roles.MaxScore | Roles.Entropy | Roles.ArgMax },
               new Declaration(1, dim) { Roles = Roles.MaxThreads | Roles.Scores, ScoresStage = AttentionStage.Masked },
               new Declaration(1, dim) { Mask = AttentionMask.Causal, Roles = Roles.MaxThreads | Roles.Scores },
           }
           select declaration,
        .. from dim in new[] { 32, 64 } select new Declaration(2, dim) { QueryLength = 49, KeyLength = 49 },
        .. from dim in new[] { 32, 64 } select new Declaration(2, dim) { QueryLength = 64, KeyLength = 500 },
    ];

    private readonly KernelGroup _kernels = new(s_declarations);

    private readonly float[] _normals = new Inputs(new Problem(new Declaration(1, 512), 2048, 1), seed).Query;

    public Kernel KernelOf(Problem problem) => _kernels[problem.Declaration];

    /// <summary>The call of a number: nine of ten of 1 to 4 queries, most of one.</summary>
    public (Inputs Inputs, Filling Filling, Values Values) this[int number]
    {
        get
        {
            var random = new Random(unchecked(seed * 1_000_003 + number));
            var declaration = s_declarations[random.Next(s_declarations.Length)];
            if (declaration.QueryLength > 0 && random.Next(8) > 0) declaration = s_declarations[0];
            bool many = random.Next(40) == 0;
            int queries = declaration.QueryLength > 0 ? declaration.QueryLength : many ? random.Next(33, 100) : random.Next(2) == 0 ? 1 : random.Next(1, 5);
            int keys = declaration.KeyLength > 0 ? declaration.KeyLength : (int)Math.Exp(random.NextDouble() * Math.Log(many ? 600 : 4000));
            var inputs = new Inputs(new Problem(declaration, queries, keys), random.Next(), _normals);
            var filling = random.Next(8) switch { 0 => Filling.Alike, 1 => Filling.Equal, 2 => Filling.Rising, _ => Filling.Normal };
            var values = random.Next(8) switch { 0 or 1 => Values.Positive, 2 => Values.Ones, _ => Values.Uniform };
            Fill(inputs, filling, random);
            foreach (ref float x in inputs.Value.AsSpan()) x = values switch { Values.Positive => (x + 1) / 2, Values.Ones => 1, _ => x };
            return (inputs, filling, values);
        }
    }

    private static void Fill(Inputs inputs, Filling filling, Random random)
    {
        var problem = inputs.Problem;
        float Deviation() => (float)(0.1 * Math.Pow(80, random.NextDouble()));
        float query = Deviation(), key = Deviation(), level = random.NextSingle() * 100, scale = Math.Abs(problem.Declaration.Factor) * problem.Declaration.HeadDim;
        float common = MathF.Sqrt(level / scale);
        switch (filling)
        {
            case Filling.Normal:
                foreach (ref float x in inputs.Query.AsSpan()) x *= query;
                foreach (ref float x in inputs.Key.AsSpan()) x *= key;
                break;
            case Filling.Alike:
                foreach (ref float x in inputs.Query.AsSpan()) x = common + x / Math.Max(common, 1);
                foreach (ref float x in inputs.Key.AsSpan()) x = common + x / Math.Max(common, 1);
                break;
            case Filling.Equal:
                inputs.Query.AsSpan().Fill(common);
                inputs.Key.AsSpan().Fill(common);
                break;
            default:
                foreach (ref float x in inputs.Query.AsSpan()) x = 1 + 0.1f * x;
                for (int j = 0; j < problem.Keys; j++)
                    for (int h = 0; h < problem.Declaration.KeyValueHeads; h++)
                        foreach (ref float x in inputs.KeyRow(0, j, h)) x = 2 * level * j / problem.Keys / scale + 0.1f * x;
                break;
        }
    }
}
