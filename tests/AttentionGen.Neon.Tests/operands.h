// What cores read and write beside the tensors: OperandHeaderTests writes this file from the table of operands and the layout of ForwardOperands.
#include <stddef.h>

enum {
    SLOT_BIAS = 0, // float `BiasAxes`
    SLOT_KEEP = 1, // bool `KeepAxes`
    SLOT_SLOPES = 2, // float [heads]
    SLOT_SINKS = 3, // float [heads]
    SLOT_LOG_SUM_EXP = 4, // float [batch, heads, queries]
    SLOT_RELATIVE_BIAS = 11, // float [buckets, heads]
    SLOT_SCALES = 12, // float [heads]
    SLOT_SCORES = 13, // float [batch, heads, queries, keys]
    SLOT_MAX_SCORE = 14, // float [batch, heads, queries]
    SLOT_ENTROPY = 15, // float [batch, heads, queries]
    SLOT_ARG_MAX = 16, // int [batch, heads, queries]
    SLOT_QUERY_NORM_WEIGHT = 17, // float [headDim]
    SLOT_KEY_NORM_WEIGHT = 18, // float [headDim]
    SLOT_ROTARY = 19, // float [positions, `RotaryDim`]
    SLOT_SCORE_VECTOR = 27, // float [heads, headDim]
    SLOT_QUERY_KEY_WEIGHT = 28, // float [heads, headDim, `KeyDim`]
    SLOTS = 29
};

typedef struct { const void *data; long batch, head, query, key; } operand; // bytes from one index to the next, 0 where the axis is missing
typedef struct {
    operand slots[SLOTS];
    int empty[SLOTS]; // of results: the bits of an element of a row that sees no key
    unsigned results, sink_results; // slots as bits; of rows that see no key the latter hold the sink
    int keys, reach;
    const void *spans[4];
    int numbers[8], lengths[4];
} operands;

_Static_assert(sizeof(operand) == 40 && sizeof(operands) == 1376, "sizes");
_Static_assert(offsetof(operands, slots) == 0, "slots");
_Static_assert(offsetof(operands, empty) == 1160, "empty");
_Static_assert(offsetof(operands, results) == 1276, "results");
_Static_assert(offsetof(operands, sink_results) == 1280, "sink_results");
_Static_assert(offsetof(operands, keys) == 1284, "keys");
_Static_assert(offsetof(operands, reach) == 1288, "reach");
_Static_assert(offsetof(operands, spans) == 1296, "spans");
_Static_assert(offsetof(operands, numbers) == 1328, "numbers");
_Static_assert(offsetof(operands, lengths) == 1360, "lengths");

// What results have for a row that sees no key, the score matrix at the stage of weights; and which of them have the sink where there is one.
static const int empty_results[SLOTS] = {[SLOT_LOG_SUM_EXP] = (int)0xff800000, [SLOT_SCORES] = 0, [SLOT_MAX_SCORE] = (int)0xff800000, [SLOT_ENTROPY] = 0, [SLOT_ARG_MAX] = -1};
static const unsigned results_of_sinks = 1u << SLOT_LOG_SUM_EXP;
