using System.Text.Json;

namespace AttentionGen.Views;

/// <summary>A declaration as the page carries it. Names are those of the properties; what is null is left out.</summary>
internal static class MaskJson
{
    public static void Write(Utf8JsonWriter json, MaskDeclaration mask)
    {
        json.WriteStartObject();
        json.WriteText("name", mask.Name);
        json.WriteText("code", mask.Code);
        json.WriteText("note", mask.Note);
        json.WriteNumber("queries", mask.Queries);
        json.WriteNumber("keys", mask.Keys);
        json.WriteNumber("heads", mask.Shape.Heads);
        json.WriteNumber("keyValueHeads", mask.Shape.KeyValueHeads);
        json.WriteNumber("headDim", mask.Shape.HeadDim);
        json.WriteNumber("valueDim", mask.Shape.ValueDim);
        json.WriteStartObject("form");
        WriteForm(json, mask.Form);
        json.WriteEndObject();
        if (mask.Example is { } example) WriteExample(json, example);
        json.WriteEndObject();
    }

    private static void WriteForm(Utf8JsonWriter json, MaskForm form)
    {
        WriteBound(json, "left", form.Left);
        WriteBound(json, "right", form.Right);
        json.WriteNumber("firstKeys", form.FirstKeys);
        json.WriteNumber("prefixLength", form.PrefixLength);
        json.WriteNumber("chunkLength", form.ChunkLength);
        json.WriteNumber("dilation", form.Dilation);
        json.WriteNumber("padding", form.Padding);
        json.WriteNumber("termChunk", form.TermChunk);
        json.WriteNumbers("documentLengths", form.DocumentLengths);
        if (form.Blocks is { } blocks)
        {
            json.WriteStartObject("blocks");
            json.WriteNumber("size", blocks.Size);
            json.WriteStartArray("rows");
            foreach (var row in blocks.Rows)
            {
                json.WriteStartArray();
                foreach (int block in row) json.WriteNumberValue(block);
                json.WriteEndArray();
            }

            json.WriteEndArray();
            json.WriteEndObject();
        }

        if (form.Terms is { } terms)
        {
            json.WriteStartArray("terms");
            foreach (var term in terms) WriteTerm(json, term);
            json.WriteEndArray();
        }

        if (form.Condition is not { } condition) return;
        json.WritePropertyName("condition");
        WriteCondition(json, condition);
    }

    private static void WriteTerm(Utf8JsonWriter json, MaskTerm term)
    {
        json.WriteStartObject();
        WriteBound(json, "fromQuery", term.FromQuery);
        WriteBound(json, "toQuery", term.ToQuery);
        WriteBound(json, "fromKey", term.FromKey);
        WriteBound(json, "toKey", term.ToKey);
        WriteBound(json, "fromDistance", term.FromDistance);
        WriteBound(json, "toDistance", term.ToDistance);
        WritePair(json, "fromChunk", term.FromChunk);
        WritePair(json, "toChunk", term.ToChunk);
        json.WriteBoolean("decided", term.Decided);
        json.WriteEndObject();
    }

    private static void WriteCondition(Utf8JsonWriter json, MaskCondition condition)
    {
        json.WriteStartArray();
        json.WriteStringValue(condition.Operation);
        if (condition.Operation == "number") json.WriteNumberValue(condition.Value);
        foreach (var operand in condition.Operands) WriteCondition(json, operand);
        json.WriteEndArray();
    }

    private static void WriteExample(Utf8JsonWriter json, MaskExample example)
    {
        json.WriteStartObject("example");
        json.WriteTexts("queries", example.Queries);
        json.WriteTexts("keys", example.Keys);
        WriteWeights("unmasked", example.Unmasked);
        WriteWeights("masked", example.Masked);
        json.WriteEndObject();

        void WriteWeights(string name, IReadOnlyList<float> weights)
        {
            json.WriteStartArray(name);
            foreach (float weight in weights) json.WriteNumberValue(Math.Round((double)weight, 4));
            json.WriteEndArray();
        }
    }

    private static void WriteBound(Utf8JsonWriter json, string name, long? bound)
    {
        if (bound is { } value) json.WriteNumber(name, value);
    }

    private static void WritePair(Utf8JsonWriter json, string name, (long Factor, long Constant)? pair)
    {
        if (pair is not var (factor, constant)) return;
        json.WriteStartArray(name);
        json.WriteNumberValue(factor);
        json.WriteNumberValue(constant);
        json.WriteEndArray();
    }
}
