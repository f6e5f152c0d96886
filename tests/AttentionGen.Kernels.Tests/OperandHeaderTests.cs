using System.Runtime.CompilerServices;
using System.Text;
using System.Text.RegularExpressions;
using AttentionGen.CompilerServices;
using Xunit;

namespace AttentionGen.Kernels.Tests;

/// <summary>
/// The C structure by which the harness of the NEON tests hands operands to cores follows from the table of operands and from the layout of the runtime's structure. With
/// ATTENTIONGEN_UPDATE_SNAPSHOTS=1 the test writes the header instead of comparing it.
/// </summary>
public unsafe partial class OperandHeaderTests
{
    private static string Header([CallerFilePath] string path = "") => Path.Combine(Path.GetDirectoryName(path)!, "..", "AttentionGen.Neon.Tests", "operands.h");

    [Fact]
    public void The_header_of_the_harness_is_that_of_the_table()
    {
        string text = Text(), path = Header();
        if (Environment.GetEnvironmentVariable("ATTENTIONGEN_UPDATE_SNAPSHOTS") == "1") File.WriteAllText(path, text);
        Assert.Equal(text, File.Exists(path) ? File.ReadAllText(path).ReplaceLineEndings("\n") : "");
    }

    /// <summary>Results are a bit each of an int, and every role with a slot lies between the first and the last.</summary>
    [Fact]
    public void Every_operand_with_a_slot_has_its_own()
    {
        var slots = OperandTable.Rows.Where(row => row.HasSlot).Select(row => OperandSlots.Of(row.Role)).ToList();
        Assert.Equal(slots.Count, slots.Distinct().Count());
        Assert.All(slots, slot => Assert.InRange(slot, 0, Math.Min(OperandSlots.Count, 32) - 1));
        Assert.All(OperandTable.Rows, row => Assert.Equal(row.Role, OperandSlots.RoleOf(OperandSlots.Of(row.Role))));
    }

    /// <summary>The store has a place for each argument with memory: numbers, inputs, results, the working memory, and spans of the user's own.</summary>
    [Fact]
    public void The_store_of_a_call_has_room_for_all_arguments() => Assert.Equal(
        CallMemory.Most, OperandTable.Rows.Count(row => row.Kind is OperandKind.Numbers or OperandKind.Input or OperandKind.Result or OperandKind.Memory) + OwnArguments.MaxSpans);

    /// <summary>The fields of the store are used as an array, which a ref struct cannot have.</summary>
    [Fact]
    public void Arguments_of_the_store_lie_one_after_the_other()
    {
        CallMemory memory = default;
        Assert.True(Unsafe.AreSame(ref memory.A1, ref Unsafe.Add(ref memory.A0, 1)));
        Assert.True(Unsafe.AreSame(ref memory.A12, ref Unsafe.Add(ref memory.A0, 12)));
        Assert.True(Unsafe.AreSame(ref memory.A26, ref Unsafe.Add(ref memory.A0, CallMemory.Most - 1)));
    }

    private static string Text()
    {
        var text = new StringBuilder("""
            // What cores read and write beside the tensors: OperandHeaderTests writes this file from the table of operands and the layout of ForwardOperands.
            #include <stddef.h>

            enum {

            """);
        var rows = OperandTable.Rows.Where(row => row.HasSlot).ToList();
        foreach (var row in rows) text.Append(Invariant($"    {Name(row)} = {OperandSlots.Of(row.Role)}, // {row.Element.ToString().ToLowerInvariant()} {row.Shape}\n"));
        text.Append(Invariant($$"""
                SLOTS = {{OperandSlots.Count}}
            };

            typedef struct { const void *data; long batch, head, query, key; } operand; // bytes from one index to the next, 0 where the axis is missing
            typedef struct {
                operand slots[SLOTS];
                int empty[SLOTS]; // of results: the bits of an element of a row that sees no key
                unsigned results, sink_results; // slots as bits; of rows that see no key the latter hold the sink
                int keys, reach;
                const void *spans[{{OwnArguments.MaxSpans}}];
                int numbers[{{OwnArguments.MaxNumbers}}], lengths[{{OwnArguments.MaxSpans}}];
            } operands;


            """));

        ForwardOperands operands = default;
        byte* origin = (byte*)&operands;
        void At(string field, void* place) => text.Append(Invariant($"_Static_assert(offsetof(operands, {field}) == {(byte*)place - origin}, \"{field}\");\n"));
        text.Append(Invariant($"_Static_assert(sizeof(operand) == {sizeof(Operand)} && sizeof(operands) == {sizeof(ForwardOperands)}, \"sizes\");\n"));
        At("slots", &operands.Slots);
        At("empty", operands.Empty);
        At("results", &operands.Results);
        At("sink_results", &operands.SinkResults);
        At("keys", &operands.Keys);
        At("reach", &operands.Reach);
        At("spans", operands.Spans);
        At("numbers", operands.Own.Numbers);
        At("lengths", operands.Own.Lengths);

        var results = rows.Where(row => row.Kind == OperandKind.Result).ToList();
        text.Append("\n// What results have for a row that sees no key, the score matrix at the stage of weights; and which of them have the sink where there is one.\n");
        text.Append(Invariant($"static const int empty_results[SLOTS] = {{{string.Join(", ", results.Select(row => $"[{Name(row)}] = {Bits(row.Empty)}"))}}};\n"));
        text.Append(Invariant($"static const unsigned results_of_sinks = {string.Join(" | ", results.Where(row => row.Empty == OperandEmpty.Sink).Select(row => $"1u << {Name(row)}"))};\n"));
        return text.ToString();
    }

    private static string Bits(OperandEmpty empty) => empty switch { OperandEmpty.Zero or OperandEmpty.Hidden => "0", OperandEmpty.MinusOne => "-1", _ => "(int)0xff800000" };

    private static string Name(OperandRow row) => "SLOT_" + Capital().Replace(row.Role.ToString(), "_$0").TrimStart('_').ToUpperInvariant();

    private static string Invariant(FormattableString text) => FormattableString.Invariant(text);

    [GeneratedRegex("[A-Z]")]
    private static partial Regex Capital();
}
