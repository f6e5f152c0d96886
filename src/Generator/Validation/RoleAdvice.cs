using System.Globalization;
using AttentionGen.Generator.Model;

namespace AttentionGen.Generator.Validation;

/// <summary>Finds the role that a parameter without one was meant to have. Names come first, because a type does not tell a key from a value.</summary>
internal sealed class RoleAdvice
{
    /// <summary>Names from other libraries, in lower case and without underscores, with their roles. The type chooses between several roles.</summary>
    private static readonly Dictionary<string, Role[]> s_names = new()
    {
        ["q"] = [Role.Query], ["queries"] = [Role.Query], ["qs"] = [Role.Query], ["xq"] = [Role.Query], ["querystates"] = [Role.Query],
        ["k"] = [Role.Key], ["keys"] = [Role.Key], ["ks"] = [Role.Key], ["xk"] = [Role.Key], ["keystates"] = [Role.Key],
        ["v"] = [Role.Value], ["values"] = [Role.Value], ["vs"] = [Role.Value], ["xv"] = [Role.Value], ["valuestates"] = [Role.Value],
        ["o"] = [Role.Output], ["out"] = [Role.Output], ["outputs"] = [Role.Output], ["dst"] = [Role.Output], ["dest"] = [Role.Output],
        ["destination"] = [Role.Output],
        ["result"] = [Role.Output], ["results"] = [Role.Output], ["target"] = [Role.Output], ["attnoutput"] = [Role.Output], ["context"] = [Role.Output],
        ["y"] = [Role.Output],
        ["b"] = [Role.Batch], ["batchsize"] = [Role.Batch], ["batches"] = [Role.Batch], ["batchcount"] = [Role.Batch],
        ["position"] = [Role.QueryStart, Role.QueryStarts], ["pos"] = [Role.QueryStart, Role.QueryStarts], ["offset"] = [Role.QueryStart, Role.QueryStarts],
        ["start"] = [Role.QueryStart, Role.QueryStarts],
        ["startpos"] = [Role.QueryStart], ["startposition"] = [Role.QueryStart], ["qstart"] = [Role.QueryStart], ["queryoffset"] = [Role.QueryStart],
        ["queryposition"] = [Role.QueryStart], ["past"] = [Role.QueryStart],
        ["pastlength"] = [Role.QueryStart, Role.QueryStarts], ["cacheposition"] = [Role.QueryStart, Role.QueryStarts], ["positions"] = [Role.QueryStarts],
        ["offsets"] = [Role.QueryStarts], ["starts"] = [Role.QueryStarts],
        ["keylength"] = [Role.KeyLengths], ["keylen"] = [Role.KeyLengths], ["keylens"] = [Role.KeyLengths], ["kvlength"] = [Role.KeyLengths],
        ["kvlengths"] = [Role.KeyLengths], ["kvlen"] = [Role.KeyLengths],
        ["kvlens"] = [Role.KeyLengths], ["seqlen"] = [Role.KeyLengths], ["seqlens"] = [Role.KeyLengths], ["seqlenk"] = [Role.KeyLengths],
        ["seqlensk"] = [Role.KeyLengths], ["sequencelengths"] = [Role.KeyLengths],
        ["length"] = [Role.KeyLengths], ["lengths"] = [Role.KeyLengths], ["nonpadkvseqlen"] = [Role.KeyLengths], ["contextlengths"] = [Role.KeyLengths],
        ["threads"] = [Role.MaxThreads], ["numthreads"] = [Role.MaxThreads], ["threadcount"] = [Role.MaxThreads],
        ["maxdegreeofparallelism"] = [Role.MaxThreads], ["parallelism"] = [Role.MaxThreads],
        ["workspace"] = [Role.Scratch], ["buffer"] = [Role.Scratch], ["temp"] = [Role.Scratch], ["tmp"] = [Role.Scratch], ["memory"] = [Role.Scratch],
        ["mask"] = [Role.Keep, Role.Bias], ["attnmask"] = [Role.Keep, Role.Bias], ["attentionmask"] = [Role.Keep, Role.Bias],
        ["paddingmask"] = [Role.Keep, Role.Bias], ["keypaddingmask"] = [Role.Keep, Role.Bias],
        ["attnbias"] = [Role.Bias], ["attentionbias"] = [Role.Bias], ["biases"] = [Role.Bias], ["positionbias"] = [Role.Bias, Role.RelativeBias],
        ["relativepositionbias"] = [Role.RelativeBias, Role.Bias],
        ["alibislopes"] = [Role.Slopes], ["slope"] = [Role.Slopes], ["alibi"] = [Role.Slopes], ["sink"] = [Role.Sinks], ["attentionsinks"] = [Role.Sinks],
        ["lse"] = [Role.LogSumExp], ["softmaxlse"] = [Role.LogSumExp], ["logsumexps"] = [Role.LogSumExp],
        ["prefix"] = [Role.PrefixLength, Role.PrefixLengths], ["prefixlen"] = [Role.PrefixLength, Role.PrefixLengths], ["prefixlens"] = [Role.PrefixLengths],
        ["cuseqlens"] = [Role.DocumentStarts], ["cuseqlensq"] = [Role.DocumentStarts], ["cuseqlensk"] = [Role.KeyDocumentStarts],
        ["cuseqlenskv"] = [Role.KeyDocumentStarts], ["documents"] = [Role.DocumentStarts],
        ["weights"] = [Role.Scores], ["attentionweights"] = [Role.Scores], ["attnweights"] = [Role.Scores], ["attention"] = [Role.Scores],
        ["attn"] = [Role.Scores], ["probabilities"] = [Role.Scores], ["probs"] = [Role.Scores],
        ["score"] = [Role.Scores], ["logits"] = [Role.Scores], ["scale"] = [Role.Scales], ["max"] = [Role.MaxScore], ["rowmax"] = [Role.MaxScore],
        ["qnorm"] = [Role.QueryNormWeight], ["qnormweight"] = [Role.QueryNormWeight], ["knorm"] = [Role.KeyNormWeight], ["knormweight"] = [Role.KeyNormWeight],
        ["rope"] = [Role.Rotary], ["rotarytable"] = [Role.Rotary], ["rotaryembedding"] = [Role.Rotary], ["rotaryembeddings"] = [Role.Rotary], ["freqscis"] = [Role.Rotary],
        ["x"] = [Role.Input], ["hidden"] = [Role.Input], ["hiddenstates"] = [Role.Input], ["inputs"] = [Role.Input], ["encoderhiddenstates"] = [Role.Context], ["crossinput"] = [Role.Context],
        ["w"] = [Role.Weights], ["weight"] = [Role.Weights], ["projections"] = [Role.Weights], ["skip"] = [Role.Residual], ["shortcut"] = [Role.Residual],
        ["g"] = [Role.Decay], ["gate"] = [Role.Decay], ["gates"] = [Role.Decay], ["decays"] = [Role.Decay], ["logdecay"] = [Role.Decay], ["gk"] = [Role.Decay],
        ["betas"] = [Role.Beta], ["s"] = [Role.State], ["paststate"] = [Role.State], ["initialstate"] = [Role.State], ["recurrentstate"] = [Role.State], ["presentstate"] = [Role.State],
        ["z"] = [Role.Normalizer], ["normaliser"] = [Role.Normalizer],
    };

    /// <summary>Names of parameters that are arguments of the attribute here, with an example of the argument.</summary>
    private static readonly Dictionary<string, string> s_arguments = new()
    {
        ["iscausal"] = "Mask = AttentionMask.Causal", ["causal"] = "Mask = AttentionMask.Causal", ["usecausalmask"] = "Mask = AttentionMask.Causal",
        ["scale"] = "Scale = 0.125f", ["softmaxscale"] = "Scale = 0.125f", ["scaling"] = "Scale = 0.125f", ["sm_scale"] = "Scale = 0.125f",
        ["smscale"] = "Scale = 0.125f",
        ["softcap"] = "SoftCap = 50f", ["logitssoftcap"] = "SoftCap = 50f", ["logitsoftcap"] = "SoftCap = 50f", ["cap"] = "SoftCap = 50f",
        ["window"] = "WindowLeft = 511", ["windowsize"] = "WindowLeft = 511", ["slidingwindow"] = "WindowLeft = 511", ["windowleft"] = "WindowLeft = 511",
        ["windowright"] = "WindowRight = 0",
        ["heads"] = "heads: 12", ["numheads"] = "heads: 12", ["nheads"] = "heads: 12", ["headcount"] = "heads: 12", ["h"] = "heads: 12",
        ["headdim"] = "headDim: 64", ["headsize"] = "headDim: 64", ["dim"] = "headDim: 64", ["d"] = "headDim: 64",
        ["kvheads"] = "KeyValueHeads = 4", ["numkvheads"] = "KeyValueHeads = 4", ["keyvalueheads"] = "KeyValueHeads = 4", ["nkvheads"] = "KeyValueHeads = 4",
        ["valuedim"] = "ValueDim = 64",
        ["querylength"] = "QueryLength = 16", ["keylength"] = "KeyLength = 16", ["alibi"] = "Alibi = true", ["usealibi"] = "Alibi = true",
        ["rotarydim"] = "RotaryDim = 32", ["rotarystart"] = "RotaryStart = 64",
        ["dilation"] = "Dilation = 2", ["chunklength"] = "ChunkLength = 1024", ["chunksize"] = "ChunkLength = 1024",
        ["eps"] = "NormEpsilon = 1e-6f", ["epsilon"] = "NormEpsilon = 1e-6f", ["normepsilon"] = "NormEpsilon = 1e-6f",
    };

    /// <summary>Names of lengths. A kernel computes lengths from its spans; a fixed length is an argument of the attribute.</summary>
    private static readonly HashSet<string> s_lengths =
    [
        "m", "n", "queries", "keys", "seqlen", "length", "querylength", "keylength", "querylen", "keylen", "kvlen", "kvlength", "seqlenq", "seqlenk", "tokens",
        "sequencelength",
    ];

    private readonly KernelSpec _spec;

    private readonly List<RoleRow> _missing;
    private readonly List<(ParameterSpec Parameter, RoleRow Row)> _meant = [];

    public RoleAdvice(KernelSpec spec, IEnumerable<RoleRow> missing)
    {
        (_spec, _missing) = (spec, missing.ToList());
        var unknown = spec.Method.Parameters.Where(parameter => parameter.Role is null && parameter.Name.Length > 0).ToList();

        // Names from other libraries come first, then misspelt names. Each role is given once.
        foreach (var find in new Func<ParameterSpec, RoleRow?>[] { ByName, BySpelling })
            foreach (var parameter in unknown)
                if (Meant(parameter) is null && find(parameter) is { } row && IsFree(row)) _meant.Add((parameter, row));

        // A type decides if only one parameter and one role of that type remain.
        foreach (var row in _missing.Where(IsFree).ToList())
        {
            var candidates = unknown.Where(parameter => Meant(parameter) is null && !HasName(parameter) && row.Types.Contains(parameter.Type)).ToList();
            if (candidates.Count == 1 && OpenFor(candidates[0]).Count == 1) _meant.Add((candidates[0], row));
        }
    }

    /// <summary>The role that a parameter was meant to have; null if unknown.</summary>
    public RoleRow? Meant(ParameterSpec parameter) => _meant.FirstOrDefault(pair => pair.Parameter == parameter).Row;

    /// <summary>Whether the error of a parameter mentions a missing role, so that the role needs no error of its own.</summary>
    public bool Covers(RoleRow row) =>
        _meant.Any(pair => pair.Row == row)
        || _missing.Count(other => IsFree(other) && other.Type == row.Type)
            <= _spec.Method.Parameters.Count(parameter => parameter.Role is null && Meant(parameter) is null && OpenFor(parameter).Contains(row));

    /// <summary>Whether the name or the type of a parameter suggests a role.</summary>
    public bool IsMeant(ParameterSpec parameter) => Meant(parameter) is not null || HasName(parameter) || OpenFor(parameter).Count > 0;

    /// <summary>The fix for a parameter without a role.</summary>
    /// <param name="parameter">The parameter.</param>
    /// <param name="tableIsSaid">Whether an earlier message has the table of all roles. The method sets it.</param>
    public string WayOut(ParameterSpec parameter, ref bool tableIsSaid)
    {
        string name = Plain(parameter.Name);
        if (Meant(parameter) is { } row)
        {
            string type = row.Types.Contains(parameter.Type) ? "" : $", and change its type to {Types(row)}";
            return $"rename it to '{row.Name}', or mark it with [Role(AttentionRole.{row.Role})]{type}";
        }

        if (IsNumber(parameter) && s_lengths.Contains(name))
        {
            return "remove it, because the spans give the lengths; set a length that is the same in every call in the attribute, "
                + "such as QueryLength = 16 or KeyLength = 16";
        }

        if (IsNumber(parameter) && s_arguments.TryGetValue(name, out string? argument)) return $"remove it, and set it in the attribute, such as {argument}";
        if (ByName(parameter) is { } taken && _spec.Method.Parameters.FirstOrDefault(other => other.Role == taken.Role) is { } holder)
            return $"remove it, because '{holder.Name}' is already the {taken.Name}, or mark it with another role, such as [Role(AttentionRole.Bias)]";

        var open = OpenFor(parameter);
        if (open.Count > 0)
        {
            string missing = $"{List(open)}, which {(open.Count == 1 ? "is" : "are")} missing";
            return $"rename it to {missing}, or mark it with its role, such as [Role(AttentionRole.{open[0].Role})]";
        }

        var free = RoleTable.RowsOf(_spec.Use).Where(candidate => candidate.Types.Contains(parameter.Type) && IsFree(candidate)).ToList();
        if (free.Count > 0)
            return $"rename it to a role of its type ({List(free)}), mark it with its role, such as [Role(AttentionRole.{free[0].Role})], or remove it";
        if (tableIsSaid) return "remove it, because no role of its type is free";
        tableIsSaid = true;
        string own = _spec.Linear is null ? "remove it, rename it and change its type, or pass it to a MaskMethod or a ScoreMethod" : "remove it, or rename it and change its type";
        return $"{own}. The parameters of a kernel are: {RoleTable.Text(_spec.Use)}.";
    }

    private RoleRow? ByName(ParameterSpec parameter)
    {
        if (!s_names.TryGetValue(Plain(parameter.Name), out var named)) return null;
        var roles = named.Where(role => RoleTable.Row(role).IsOf(_spec.Use)).ToList();
        if (roles.Count == 0) return null;
        foreach (var role in roles)
            if (RoleTable.Row(role).Types.Contains(parameter.Type)) return RoleTable.Row(role);

        // A number does not mean the same as a span of this name. Another type, such as an array, may mean the span.
        var row = RoleTable.Row(roles[0]);
        return IsNumber(parameter) == (row.Type == "int") ? row : null;
    }

    /// <summary>The role of the right type whose name differs in one or two letters; null for none.</summary>
    private RoleRow? BySpelling(ParameterSpec parameter)
    {
        string name = Plain(parameter.Name);
        if (name.Length < 3) return null;
        return RoleTable.RowsOf(_spec.Use).Where(row => row.Types.Contains(parameter.Type) && Distance(name, row.Name.ToLowerInvariant()) <= (name.Length < 6 ? 1 : 2))
            .OrderBy(row => Distance(name, row.Name.ToLowerInvariant())).FirstOrDefault();
    }

    private bool HasName(ParameterSpec parameter) =>
        ByName(parameter) is not null || (IsNumber(parameter) && (s_arguments.ContainsKey(Plain(parameter.Name)) || s_lengths.Contains(Plain(parameter.Name))));

    private static bool IsNumber(ParameterSpec parameter) =>
        parameter.Type is "int" or "float" or "bool" or "long" or "double" or "uint" or "nint" or "ulong" or "float?" or "int?" or "bool?";

    private bool IsFree(RoleRow row) => _spec.Method.Parameters.All(parameter => parameter.Role != row.Role) && _meant.All(pair => pair.Row != row);

    /// <summary>The missing roles of the type of a parameter.</summary>
    private List<RoleRow> OpenFor(ParameterSpec parameter) =>
        HasName(parameter) ? [] : [.. _missing.Where(row => row.Types.Contains(parameter.Type) && IsFree(row))];

    private static string Types(RoleRow row) => string.Join(" or ", row.UsualTypes.Select(type => $"'{RoleTable.Short(type)}'"));

    private static string List(List<RoleRow> rows) =>
        rows.Count == 1 ? rows[0].Name : $"{string.Join(", ", rows.Take(rows.Count - 1).Select(row => row.Name))} or {rows[rows.Count - 1].Name}";

    private static string Plain(string name) => name.Replace("_", "").Replace("@", "").ToLower(CultureInfo.InvariantCulture);

    /// <summary>The number of edits between two names: letters added, removed, replaced, or swapped with the next one.</summary>
    private static int Distance(string x, string y)
    {
        int[,] d = new int[x.Length + 1, y.Length + 1];
        for (int i = 0; i <= x.Length; i++)
        {
            for (int j = 0; j <= y.Length; j++)
            {
                d[i, j] = i == 0 ? j : j == 0 ? i : Math.Min(Math.Min(d[i - 1, j], d[i, j - 1]) + 1, d[i - 1, j - 1] + (x[i - 1] == y[j - 1] ? 0 : 1));
                if (i > 1 && j > 1 && x[i - 1] == y[j - 2] && x[i - 2] == y[j - 1]) d[i, j] = Math.Min(d[i, j], d[i - 2, j - 2] + 1);
            }
        }

        return d[x.Length, y.Length];
    }
}
