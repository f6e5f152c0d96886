// Runs the NEON products with packed weights of the library against double precision: tiles of packed rows, and few rows in place, for all three types of weights. Depths, rows and panels
// around all edges, then random ones. All memory of a call is guarded (guards.h); sums beside those of a call hold a NaN that stays.
//
// A sum is off by what docs of AttentionLinear say: the products of a partial sum are added one by one, at most 256, then the partial sums. With u = 2^-24 that is at most
// (min(depth, 256) + partial sums + 1) u (sum of |input * weight| + |sum before|).
#include "image.h"
#include "guards.h"

typedef struct { int panel_columns, group_columns, block_depth, input_row, sum_row, tile_rows, few_rows; } plan; // LinearPlan
typedef void (*many)(float *, void *, void *, int, int, float *);
typedef void (*few)(float *, long, int, void *, long, int, int, float *);
enum { F32, BF16, I8, TYPES };
static const struct { const char *suffix; int bytes; } types[] = {{"", 4}, {"BFloat16", 2}, {"SByte", 1}};
enum { LANES = 4, MOST_ROWS = 64, MOST_PANELS = 16, MOST_DEPTH = 1100 };
static const unsigned untouched = 0x7FC12345; // a NaN that nothing computes

static plan p;
static int passed, failed;
static double nearest; // how much of its bound a sum takes at most
static struct { int type, is_few, rows, panels, depth; } current;
static unsigned state = 1;
static unsigned draw(void) { return state = state * 1664525u + 1013904223u, (state ^ state >> 15) * 2246822519u >> 8; }
static int upto(int most) { return (int)(draw() % (unsigned)(most + 1)); }
static float number(void) { return (float)draw() / (1 << 23) - 1; }

static void print_current(void) {
    printf("%s of %s, %d rows, %d panels, depth %d", current.is_few ? "few rows" : "a tile", current.type == F32 ? "floats" : types[current.type].suffix, current.rows, current.panels, current.depth);
}

// Weights of a panel, and what they are as floats. A row of a panel has two vectors; numbers of 16 bits lie in pairs, one of each.
static float weights[MOST_PANELS][MOST_DEPTH][2 * LANES];
static void fill(char *panel, int type, int index, int depth) {
    for (int d = 0; d < depth; d++)
        for (int column = 0; column < p.panel_columns; column++) {
            int vector = column / LANES, lane = column % LANES, place = d * p.panel_columns + (type == BF16 ? 2 * lane + vector : column);
            float x = number();
            if (type == F32) ((float *)panel)[place] = x;
            else if (type == I8) x = ((signed char *)panel)[place] = (signed char)(upto(254) - 127);
            else {
                unsigned bits;
                memcpy(&bits, &x, 4), bits &= 0xFFFF0000, memcpy(&x, &bits, 4);
                ((unsigned short *)panel)[place] = (unsigned short)(bits >> 16);
            }
            weights[index][d][column] = x;
        }
}

// One call. Few rows have panels of any distance and rows of any; tiles have one panel, a depth that is a multiple of four, and sums in which there is something already.
static void check(int type, int is_few, int rows, int panels, int depth) {
    current.type = type, current.is_few = is_few, current.rows = rows, current.panels = panels, current.depth = depth;
    coins = draw() << 8 ^ draw();
    int bytes = types[type].bytes, panel_bytes = depth * p.panel_columns * bytes, columns = panels * p.panel_columns, gap = upto(3) * p.panel_columns;
    long input_row = is_few ? depth + upto(9) : p.input_row, apart = (long)depth * p.panel_columns + gap;
    buffer input = guarded("input", 1, rows, depth, input_row, 0, 0), sums = guarded("sums", 1, rows, columns, p.sum_row, 0, 1);
    char *panel = guarded_bytes("panels", (panels - 1) * apart * bytes + panel_bytes, 0);
    memset(panel, 0xFF, (panels - 1) * apart * bytes + panel_bytes);
    for (int i = 0; i < panels; i++) fill(panel + i * apart * bytes, type, i, depth);
    static float before[MOST_ROWS][MOST_PANELS * 2 * LANES];
    for (long i = 0; i < sums.length; i++) memcpy(&sums.data[i], &untouched, 4);
    for (int i = 0; i < rows; i++) {
        for (int d = 0; d < depth; d++) row(&input, 0, i)[d] = number();
        for (int column = 0; column < columns; column++) row(&sums, 0, i)[column] = before[i][column] = number() * (type == I8 ? 100 : 1);
    }

    char name[80];
    snprintf(name, sizeof name, "linear_f32__neon_8x2__%s%s", is_few ? "Few" : "Multiply", types[type].suffix);
    void *ahead = parts[0].base; // a protected page: it is fetched, not read
    seal_inputs();
    if (is_few) ((few)image_method(name))(input.data, input_row, rows, panel, apart, panels, depth, sums.data);
    else ((many)image_method(name))(input.data, panel, ahead, depth, rows, sums.data);

    int wrong = 0, written = 0;
    for (int i = 0; i < rows; i++)
        for (int column = 0; column < columns; column++) {
            double exact = before[i][column], size = fabs(exact);
            for (int d = 0; d < depth; d++) {
                double product = (double)row(&input, 0, i)[d] * weights[column / p.panel_columns][d][column % p.panel_columns];
                exact += product, size += fabs(product);
            }
            int partial = (depth + p.block_depth - 1) / p.block_depth;
            double error = fabs(row(&sums, 0, i)[column] - exact), bound = ((depth < 256 ? depth : 256) + partial + 1) * size / (1 << 24);
            if (error / bound > nearest) nearest = error / bound;
            wrong += !(error <= bound);
            memcpy(&row(&sums, 0, i)[column], &untouched, 4);
        }
    for (long i = 0; i < sums.length; i++) written += memcmp(&sums.data[i], &untouched, 4) != 0;
    written += release_parts();
    if (!wrong && !written) {
        passed++;
        return;
    }
    failed++;
    printf("FAILED "), print_current(), printf(": %d sums exceed their bounds, %d floats beside them are written\n", wrong, written);
}

// linear IMAGE MAP [SEED [CALLS]]: another seed draws other numbers and other random calls; so many of each type.
int main(int argc, char **argv) {
    image_load(argv[1], argv[2]);
    watch_pages(print_current);
    state = argc > 3 ? strtoul(argv[3], 0, 10) : 1;
    int calls = argc > 4 ? atoi(argv[4]) : 100;
    p = ((plan (*)(void))image_method("linear_f32__neon_8x2__get_Plan"))();
    if (p.panel_columns != 2 * LANES || p.block_depth > 256 || p.few_rows > MOST_ROWS) { printf("FAILED: the plan has %d columns, a depth of %d, %d few rows\n", p.panel_columns, p.block_depth, p.few_rows); return 1; }

    const int tile_depths[] = {4, 8, 12, 60, 64, p.block_depth - 4, p.block_depth}, depths[] = {1, 2, 3, 4, 5, 63, 64, 65, p.block_depth - 1, p.block_depth, p.block_depth + 1, 2 * p.block_depth, 2 * p.block_depth + 1};
    for (int type = 0; type < TYPES; type++) {
        for (size_t i = 0; i < sizeof tile_depths / sizeof *tile_depths; i++) for (int rows = 1; rows <= 3 * p.tile_rows + 1; rows++) check(type, 0, rows, 1, tile_depths[i]);
        for (size_t i = 0; i < sizeof depths / sizeof *depths; i++)
            for (int rows = 1; rows <= p.few_rows; rows++)
                for (int panels = 1; panels <= 9; panels++) check(type, 1, rows, panels, depths[i]);
        for (int i = 0; i < calls; i++) {
            check(type, 0, 1 + upto(MOST_ROWS - 1), 1, 4 * (1 + upto(p.block_depth / 4 - 1)));
            check(type, 1, 1 + upto(p.few_rows - 1), 1 + upto(MOST_PANELS - 1), 1 + upto(MOST_DEPTH - 1));
        }
    }
    printf("NEON, products with packed weights: at most %.2f of their bounds\n", nearest);
    printf("NEON, under emulation: %d passed, %d failed\n", passed, failed);
    return failed > 0 || passed == 0;
}
