using AttentionGen.Generator.Model;
using AttentionGen.Generator.Planning;
using AttentionGen.Generator.Text;

namespace AttentionGen.Generator.Emit.Dispatch;

/// <summary>Writes what a layer does around its attention: checks of rows and weights, the projections before and after.</summary>
internal static class LayerEmitter
{
    /// <summary>What the attention of a layer reads and writes, in the memory of the call.</summary>
    public static IEnumerable<(Role Role, string Name)> Tensors(string layer) => [(Role.Query, $"{layer}.Query"), (Role.Key, $"{layer}.Key"), (Role.Value, $"{layer}.Value"), (Role.Output, $"{layer}.Heads")];

    /// <summary>The calls up to the attention.</summary>
    public static void Begin(SourceWriter w, KernelSpec spec, string layer, Dictionary<Role, string> parameters)
    {
        var (widths, attention) = (spec.Layer!, spec.Attention);
        w.Line($"{layer}.Tensors({parameters[Role.Input]}, {parameters[Role.Output]}, modelDim: {widths.ModelDim}, outputDim: {widths.OutputDim});");
        if (parameters.TryGetValue(Role.Context, out string? context)) w.Line($"{layer}.Context({context}, contextDim: {widths.ContextDim});");
        if (parameters.TryGetValue(Role.Residual, out string? residual)) w.Line($"{layer}.Residual({residual});");
        foreach (var row in OperandTable.Rows.Where(row => row.Kind == OperandKind.Result))
            if (parameters.TryGetValue(row.Role, out string? result)) w.Line($"{layer}.Result({result});");
        if (parameters.TryGetValue(Role.MaxThreads, out string? threads)) w.Line($"{layer}.MaxThreads({threads});");
        w.Line($"{layer}.Weights({parameters[Role.Weights]}, heads: {attention.Heads}, keyValueHeads: {attention.KeyValueHeads}, headDim: {attention.HeadDim}, valueDim: {attention.ValueDim});");
    }

    /// <summary>The parameter of a role that the layer has.</summary>
    public static string Parameter(KernelSpec spec, Role role) => spec.Method.Parameters.First(parameter => parameter.Role == role).Name;

    /// <summary>The name of the parameter whose rows give a tensor, as text: messages name it.</summary>
    public static string NameOf(KernelSpec spec, Role role)
    {
        string Name(Role of) => $"nameof({Parameter(spec, of)})";
        return role == Role.Output ? Name(Role.Output) : role is Role.Key or Role.Value && spec.Has(Role.Context) ? Name(Role.Context) : Name(Role.Input);
    }

    /// <summary>The rows and the weights, for people.</summary>
    public static string Header(KernelSpec spec)
    {
        var (widths, attention) = (spec.Layer!, spec.Attention);
        string batch = attention.Batched ? "batch, " : "", keys = spec.Has(Role.Context) ? "context" : "input", queries = Length(attention.QueryLength, "queries");
        string rows = $"//   input   [{batch}{queries}, {widths.ModelDim}]";
        if (spec.Has(Role.Context)) rows += $"\n//   context [{batch}{Length(attention.KeyLength, "keys")}, {widths.ContextDim}]";
        return $"""
            {rows}
            //   output  [{batch}{queries}, {widths.OutputDim}] = heads * output weights
            //   query   {Tensor(attention, Role.Query)} = input * query weights
            //           key and value are {keys} * key weights and {keys} * value weights
            """;
    }

    private static string Length(int? given, string name) => given is { } length ? $"{length}" : name;

    private static string Tensor(AttentionSpec attention, Role role) => $"[{(attention.Batched ? "batch, " : "")}{Length(attention.QueryLength, "queries")}, {attention.Tensor(role).Heads}, {attention.Tensor(role).Dim}]";

    /// <summary>The flops of the projections, as more lines of the cost.</summary>
    public static string Cost(KernelSpec spec)
    {
        var (widths, attention) = (spec.Layer!, spec.Attention);
        long queries = 2L * attention.Heads * (((long)widths.ModelDim * attention.HeadDim) + ((long)attention.ValueDim * widths.OutputDim));
        long keys = 2L * widths.ContextDim * attention.KeyValueHeads * (attention.HeadDim + attention.ValueDim);
        return spec.Has(Role.Context) ? $"\n//           {queries} for a row of the input, {keys} for a row of the context" : $"\n//           {queries + keys} for a row of the input";
    }

    /// <summary>The bytes that a layer keeps for each row, after a comma.</summary>
    public static string Bytes(KernelSpec spec)
    {
        if (spec.Layer is null) return "";
        var attention = spec.Attention;
        const int Float = sizeof(float);
        return $", QueryBytes = {Float * attention.Heads * (attention.HeadDim + attention.ValueDim)}, KeyBytes = {Float * attention.KeyValueHeads * (attention.HeadDim + attention.ValueDim)}";
    }
}
