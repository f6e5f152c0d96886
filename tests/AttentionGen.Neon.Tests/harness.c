// Runs the NEON cores of Specs.h against a double-precision reference, each row within the error bound of docs/exactness.md: the largest of 1e-6,
// twice the error of a plain single-precision evaluation, and what the chains of sums explain; all rows of a kind together to 1.5 of the plain mean error.
// How near rows come to it is said at the end. Lengths around the edges of tiles and blocks, and random calls (calls.h). All memory of a call is guarded
// (guards.h); what lies between rows is NaN in the inputs and stays as it is in the output.
#pragma GCC optimize("O3", "fp-contract=off") // the plain evaluation multiplies, then adds
#include "image.h"
#include "guards.h"
#include "operands.h"

typedef struct {
    long queries, keys, start, query_stride, key_stride, value_stride, output_stride, head_dim, value_dim, stretch, group, query_head_stride, output_head_stride, left, right, first,
        query_bytes, key_bytes, output_bytes, page_tokens, kept, ring;
    void **key_pages, **value_pages, **key_scale_pages, **value_scale_pages;
    long most_runs;
    operands *operands;
    float *packed_keys, *packed_values, *working, *states, *others;
    long packed_key_floats, packed_value_floats, working_floats, state_floats, other_floats; // what a call without memory needs
    char *panel_keys, *panel_values;
    long panel_key_bytes, panel_value_bytes;
    float *panel_key_scales, *panel_value_scales;
    long panel_scale_floats;
} call;
typedef void (*kernel)(float *, float *, float *, float *, call *);
typedef struct { const char *name; int d, dv, left, right; double scale; int queries, keys, scored; double cap; int first, weighted, rotary, rotated, rotated_from, query_type, key_type, output_type, memory, normed; } spec; // the lengths 0 where they are not fixed; first keys that are seen beside a window
enum { NORMAL, LARGE, NEAR, RISING, HIDDEN_NAN, SEEN_NAN, INPUTS };
static const char *input_names[] = {"normal", "scores near 90", "scores near 1e4, all alike", "rising maximum", "NaN in hidden keys", "NaN in visible keys"};
enum { PLAIN, OPERANDS, OWN_SCORES, OUTPUTS }; // what is done to scores
enum { REACH = 30, TABLE = 60 }; // distances on either side, the outer 16 with one bias; elements of the span
enum { F32, F16, BF16, I8 }; // of elements; integers have a scale for each row, and lie in caches only
enum { SPAN, CHUNKS, RING, PAGES }; // where keys and values lie: in one span, or in a cache
enum { PACKED, ROWS, PATHS };
static const char *path_names[] = {"prefill", "decode"};

typedef struct { int query, key, value, output; } gaps; // elements between the rows of each
typedef struct { int bias_heads, bias_queries, keep_queries; } broadcast; // one for all of these

// A call: heads of a group, all of them with as many queries, against the keys. Rows are head after head.
typedef struct { int path, group, queries, keys, start, stretch, head_major, input, upper, is_random; gaps gaps; broadcast broadcast; } shape;

static const spec specs[] = {
#define SPEC(method, d, dv, left, right, scale) FIXED(method, d, dv, left, right, scale, 0, 0)
#define FIXED(method, d, dv, left, right, scale, queries, keys) {#method, d, dv, left, right, scale, queries, keys, PLAIN, 0, 0, 0},
#define SCORED(method, d, dv, left, right, scale, cap) {#method, d, dv, left, right, scale, 0, 0, OPERANDS, cap, 0, 0},
#define OWN(method, d, dv, left, right) {#method, d, dv, left, right, 0, 0, 0, OWN_SCORES, 0, 0, 0},
#define WATCHED(method, d, dv, left, right, scale) {#method, d, dv, left, right, scale, 0, 0, OUTPUTS, 0, 0, 0},
#define WEIGHTED(method, d, dv, left, right, scale) {#method, d, dv, left, right, scale, 0, 0, OUTPUTS, 0, 0, 1},
#define ZONES(method, d, dv, left, first, scored) {#method, d, dv, left, 0, 0, 0, 0, scored, 0, first, 0},
#define ROTARY(method, d, dv, left, right, queries, keys, rotary, rotated, from) {#method, d, dv, left, right, 0, queries, keys, PLAIN, 0, 0, 0, rotary, rotated, from},
#define TYPED(method, d, dv, left, right, queries, keys, query_type, key_type, output_type, memory, first, normed, rotary, rotated, from) \
    {#method, d, dv, left, right, 0, queries, keys, PLAIN, 0, first, normed == 2, rotary, rotated, from, query_type, key_type, output_type, memory, normed},
#include "Specs.h"
};

static int passed, failed;
// Of a path and a kind of input: rows, those beyond 1e-6 and twice the plain error, how much of what the chains explain these take at most, and sums of squares.
static struct { int rows, beyond; double most, squares, plain_squares; char place[240]; } tallies[PATHS][INPUTS];
static struct { const char *what; double most; } beside[] = {{"log-sum-exps"}, {"weights"}, {"largest scores"}, {"entropies"}, {"scores of argmax"}}; // how much of their bounds they take
enum { LOG_SUM_EXP, WEIGHT, MAX_SCORE, ENTROPY, ARGMAX };

// Queries and keys are normally distributed, values uniformly in [-1, 1]: the bound is for values of magnitude 1. Every case begins anywhere
// in a pool of numbers, since making each would take longer than all the rest.
enum { POOL = 1 << 20 };
static float normals[POOL], uniforms[POOL];
static unsigned drawn;
static double draw(void) { return (rand() + 0.5) / ((double)RAND_MAX + 1); }
static float normal(void) { return normals[drawn++ % POOL]; }
static float uniform(void) { return uniforms[drawn++ % POOL]; }

// The evaluations. They add in the order in which they are written; only the loops over lanes and elements are vectors.
enum { MAX_KEYS = 1024, MAX_DIM = 512 };
static double key_doubles[MAX_KEYS][MAX_DIM], value_doubles[MAX_KEYS][MAX_DIM], weights[MAX_KEYS], expected[MAX_DIM];
static float plain_weights[MAX_KEYS], plain[MAX_DIM];

static float plain_dot(const float *restrict a, const float *restrict b, int d) {
    float lane[16] = {0};
    int i = 0;
    for (; i + 16 <= d; i += 16) for (int l = 0; l < 16; l++) lane[l] += a[i + l] * b[i + l];
    for (; i < d; i++) lane[i % 16] += a[i] * b[i];
    for (int step = 8; step > 0; step /= 2) for (int l = 0; l < step; l++) lane[l] += lane[l + step];
    return lane[0];
}

static double dot(const float *restrict a, const double *restrict b, int d) {
    double lane[8] = {0};
    int i = 0;
    for (; i + 8 <= d; i += 8) for (int l = 0; l < 8; l++) lane[l] += a[i + l] * b[i + l];
    for (; i < d; i++) lane[0] += a[i] * b[i];
    for (int step = 4; step > 0; step /= 2) for (int l = 0; l < step; l++) lane[l] += lane[l + step];
    return lane[0];
}

// The constants of docs/exactness.md and of Bound.cs.
#define STEP (1.0 / (1 << 24))
static const double c_of_scores = 2, once = 8, each = 3.0 / 8, lag = 5.6, vanishing = 104, smallest_weight = 1.2e-38 * 256;

// How large what is rounded is in a row: R, S and V, the most that a part of the output comes to, the visible keys, and for each key the size of its score.
static struct { double scores, spread, values, partial; int visible; } sizes;
static double score_sizes[MAX_KEYS];
static float least[MAX_DIM], most[MAX_DIM];

static double score_error(int d, double size) { return STEP * (8 + d / 16.0) * size; } // of a score by itself
static double chains(void) { return STEP * (c_of_scores * sizes.scores * sizes.spread + once * sizes.values + each * sizes.visible * sizes.partial); }

static double dot_of_sizes(const float *restrict a, const double *restrict b, int d) {
    double sum = 0;
    for (int i = 0; i < d; i++) sum += fabs(a[i] * b[i]);
    return sum;
}

// What is done to the scores of a query with the keys; nothing where the pointers are null.
typedef struct {
    double cap; const float *bias, *slope, *sink; const char *keep; int position;
    const float *scale, *relative, *table;
    const double *norms; // of the query, then of the keys
    const float *plain_norms;
    int hidden_from, hidden_to; // keys between those that are seen
    double log_sum_exp, max, entropy;
    const double *rotated_query; // null without rotary positions
} scoring;

static int clamp(int x, int low, int high) { return x < low ? low : x > high ? high : x; }
static float element(const float *table, int i) { return i >= 0 && i < TABLE ? table[i] : 0; }

// Rotary positions: a table as RotaryTable has it, and the rotation of a row in either precision.
enum { POSITIONS = 2048 };
static double rotated_query[MAX_DIM];
static float plain_query[MAX_DIM], rotated_keys[MAX_KEYS * MAX_DIM];
static void fill_angles(float *rows, int positions, int dim) {
    for (int p = 0; p < positions; p++)
        for (int i = 0; i < dim / 2; i++) {
            double angle = p * pow(1000, -2.0 * i / dim);
            rows[(long)p * dim + i] = (float)(1.125 * cos(angle)), rows[(long)p * dim + dim / 2 + i] = (float)(1.125 * sin(angle));
        }
}
static void rotate(const spec *s, const float *from, const float *angles, float *plain, double *exact) {
    for (int e = 0; e < s->d; e++) plain[e] = from[e], exact[e] = from[e];
    for (int i = 0; i < s->rotated / 2; i++) {
        int x = s->rotated_from + (s->rotary == 1 ? i : 2 * i), y = s->rotary == 1 ? x + s->rotated / 2 : x + 1;
        float c = angles[i], n = angles[s->rotated / 2 + i];
        plain[x] = from[x] * c - from[y] * n, plain[y] = from[x] * n + from[y] * c;
        exact[x] = (double)from[x] * c - (double)from[y] * n, exact[y] = (double)from[x] * n + (double)from[y] * c;
    }
}
static double exact_dot(const double *a, const double *b, int d) {
    double sum = 0;
    for (int e = 0; e < d; e++) sum += a[e] * b[e];
    return sum;
}

// The root of a mean of squares.
static float plain_norm(const float *x, int d) { return sqrtf(plain_dot(x, x, d) / d + 1e-6f); }
static double norm(const float *x, int d) {
    double sum = 0;
    for (int e = 0; e < d; e++) sum += (double)x[e] * x[e];
    return sqrt(sum / d + 1e-6f);
}

static int hides(const scoring *s, int j) { return j >= s->hidden_from && j < s->hidden_to; }

static void evaluate(const float *query, const buffer *k, const buffer *v, int begin, int end, float scale, scoring *s) {
    double max = s->sink ? *s->sink : -INFINITY, sum = 0;
    float plain_max = s->sink ? *s->sink : -INFINITY, plain_sum = 0;
    memset(&sizes, 0, sizeof sizes);
    for (int e = 0; e < v->dim; e++) least[e] = s->sink ? 0 : INFINITY, most[e] = s->sink ? 0 : -INFINITY; // a sink is a key whose values are 0
    for (int j = begin; j < end; j++) {
        if (hides(s, j)) continue;
        weights[j] = (s->rotated_query ? exact_dot(s->rotated_query, key_doubles[j], k->dim) : dot(query, key_doubles[j], k->dim)) * (s->scale ? *s->scale : scale);
        plain_weights[j] = plain_dot(query, row(k, 0, j), k->dim) * (s->scale ? *s->scale : scale);
        double size = dot_of_sizes(query, key_doubles[j], k->dim) * fabs(s->scale ? *s->scale : scale);
        if (s->norms) size /= s->norms[0] * s->norms[1 + j];
        if (s->norms) weights[j] /= s->norms[0] * s->norms[1 + j], plain_weights[j] /= s->plain_norms[0] * s->plain_norms[1 + j];
        if (s->cap) weights[j] = s->cap * tanh(weights[j] / s->cap), plain_weights[j] = (float)s->cap * tanhf(plain_weights[j] / (float)s->cap);
        if (s->table) { // the method of the user's own in Kernels.cs
            float a = element(s->table, j - s->position + 40), b = element(s->table, j % 7 * 9), c = element(s->table, s->position);
            double first = weights[j] + a, second = first + b;
            size = fmax(fmax(fmax(size, fabs(first)), fmax(fabs(second), fabs(second - c))), fmax(fmax(fabs(a), fabs(b)), fabs(c)));
            weights[j] = weights[j] + a + b - c, plain_weights[j] = plain_weights[j] + a + b - c;
        }
        if (s->relative) weights[j] += s->relative[clamp(j - s->position, -REACH, REACH - 1)], plain_weights[j] += s->relative[clamp(j - s->position, -REACH, REACH - 1)];
        if (s->bias) weights[j] += s->bias[j], plain_weights[j] += s->bias[j];
        if (s->slope) weights[j] -= (double)*s->slope * abs(s->position - j), plain_weights[j] -= *s->slope * abs(s->position - j);
        if (s->relative) size += fabs(s->relative[clamp(j - s->position, -REACH, REACH - 1)]);
        if (s->bias && !isinf(s->bias[j])) size += fabs(s->bias[j]);
        if (s->slope) size += fabs((double)*s->slope * (s->position - j));
        score_sizes[j] = size;
        if ((s->keep && !s->keep[j]) || (s->bias && isinf(s->bias[j]))) weights[j] = plain_weights[j] = -INFINITY; // whatever it was
        max = fmax(max, weights[j]);
        plain_max = fmaxf(plain_max, plain_weights[j]);
    }
    memset(expected, 0, sizeof expected), memset(plain, 0, sizeof plain);
    for (int j = begin; j < end; j++) {
        if (hides(s, j) || (s->keep && weights[j] == -INFINITY)) continue; // 0 times NaN would not be 0
        double w = exp(weights[j] - max), *value = value_doubles[j];
        float plain_w = expf(plain_weights[j] - plain_max), *plain_value = row(v, 0, j);
        for (int e = 0; e < v->dim; e++) expected[e] += w * value[e];
        for (int e = 0; e < v->dim; e++) plain[e] += plain_w * plain_value[e];
        sum += w, plain_sum += plain_w;
        sizes.visible++;
        if (plain_weights[j] + score_error(k->dim, score_sizes[j]) >= plain_max - vanishing) sizes.scores = fmax(sizes.scores, score_sizes[j]);
        for (int e = 0; e < v->dim; e++) { // an output that is not finite is the same, and says nothing of the others
            if (isfinite(plain_value[e])) least[e] = fminf(least[e], plain_value[e]), most[e] = fmaxf(most[e], plain_value[e]);
            if (isfinite(plain[e])) sizes.partial = fmax(sizes.partial, fabsf(plain[e]));
        }
    }
    if (s->sink) sum += exp(*s->sink - max), plain_sum += expf(*s->sink - plain_max);
    for (int e = 0; e < v->dim; e++)
        if (least[e] <= most[e]) sizes.spread = fmax(sizes.spread, most[e] - least[e]), sizes.values = fmax(sizes.values, fmax(fabsf(least[e]), fabsf(most[e])));
    if (plain_sum > 0) sizes.partial /= plain_sum;
    s->log_sum_exp = max + log(sum), s->max = max, s->entropy = 0;
    for (int j = begin; j < end; j++) { // what was a score becomes a weight
        if (hides(s, j)) continue;
        double score = weights[j];
        weights[j] = exp(score - s->log_sum_exp), plain_weights[j] = expf(plain_weights[j] - plain_max) / plain_sum;
        s->entropy += weights[j] * (s->log_sum_exp - score);
    }
    for (int e = 0; e < v->dim && begin < end; e++) expected[e] /= sum, plain[e] /= plain_sum;
}

// Elements of 16 bits: the conversions of the machine for halves, integers for bfloat16.
static float of_bits(unsigned short bits, int type) {
    if (type == F16) { _Float16 half; memcpy(&half, &bits, 2); return (float)half; }
    unsigned wide = (unsigned)bits << 16;
    float x;
    memcpy(&x, &wide, 4);
    return x;
}
static unsigned short to_bits(float x, int type) { // to nearest, half to even
    if (type == F16) { _Float16 half = (_Float16)x; unsigned short bits; memcpy(&bits, &half, 2); return bits; }
    unsigned bits;
    memcpy(&bits, &x, 4);
    return isnan(x) ? (unsigned short)(bits >> 16 | 64) : (unsigned short)((bits + 0x7FFF + (bits >> 16 & 1)) >> 16);
}
static int bytes_of(int type) { return type == F32 ? 4 : type == I8 ? 1 : 2; }

// The most by which rounding changes an output that is near a number.
static double rounding(double near, int type) {
    if (type == F32 || !isfinite(near)) return 0;
    int exponent;
    frexp(fabs(near) * (1 + 1e-5) + 1e-9, &exponent);
    return ldexp(1, (type == F16 ? (exponent < -13 ? -13 : exponent) - 11 : exponent - 8) - 1);
}

// Elements as a kernel reads them. Afterwards the floats are what it reads.
static void store(const float *from, long count, int type, void *to) {
    for (long i = 0; i < count; i++) {
        if (type == F32) ((float *)to)[i] = from[i];
        else ((unsigned short *)to)[i] = to_bits(from[i], type);
    }
}

// Rows as a cache stores integers, made once: integers times their scale would become others.
typedef struct { signed char integers[MAX_KEYS][MAX_DIM]; float scales[MAX_KEYS]; } quantized;
static quantized key_integers, value_integers;
static void quantize(buffer *b, int rows, quantized *q) {
    for (int j = 0; j < rows; j++) {
        float *x = row(b, 0, j), largest = 0;
        int finite = 1;
        for (int e = 0; e < b->dim; e++) largest = fmaxf(largest, fabsf(x[e])), finite &= isfinite(x[e]) != 0;
        float scale = q->scales[j] = finite ? largest / 127 : NAN;
        for (int e = 0; e < b->dim; e++) x[e] = (q->integers[j][e] = finite && scale > 0 ? (signed char)rintf(x[e] / scale) : 0) * scale;
    }
}

static void round_all(buffer *b, int type) { for (long i = 0; type != F32 && i < b->length; i++) b->data[i] = of_bits(to_bits(b->data[i], type), type); }

// Rows as a span of the type.
static void *as_span(const char *name, const buffer *b, int type, int written) {
    if (type == F32) return b->data;
    void *bits = guarded_bytes(name, b->length * 2, written);
    store(b->data, b->length, type, bits);
    return bits;
}

// Where a cache has its keys or its values: dense rows in pages, each guarded by itself unless there is room for them. What no token has is NaN.
enum { MOST_PAGES = 80 };
static int place_of(const call *c, int token) { return c->ring && token >= c->kept ? c->kept + (token - c->kept) % c->ring : token; }
static void as_pages(const char *name, const buffer *b, int tokens, int type, const call *c, void **pages, const quantized *q, void **scale_pages, int has_room) {
    long row_bytes = (long)b->dim * bytes_of(type), places = c->ring ? c->page_tokens : tokens, count = (places + c->page_tokens - 1) / c->page_tokens;
    if (count > MOST_PAGES) { fprintf(stderr, "more pages than there is room for\n"); exit(96); }
    for (long i = 0; i < count && !has_room; i++) pages[i] = guarded_bytes(name, c->page_tokens * row_bytes, 0), memset(pages[i], 0xFF, c->page_tokens * row_bytes);
    for (long i = 0; i < count && type == I8 && !has_room; i++) scale_pages[i] = guarded_bytes("page of scales", c->page_tokens * 4, 0), memset(scale_pages[i], 0xFF, c->page_tokens * 4);
    for (int j = 0; j < tokens; j++) { // in a ring, a later token takes the place of an earlier one
        int place = place_of(c, j);
        if (type == I8) {
            memcpy((char *)pages[place / c->page_tokens] + place % c->page_tokens * row_bytes, q->integers[j], row_bytes);
            ((float *)scale_pages[place / c->page_tokens])[place % c->page_tokens] = q->scales[j];
        } else store(row(b, 0, j), b->dim, type, (char *)pages[place / c->page_tokens] + place % c->page_tokens * row_bytes);
    }
}

// The first key that a query sees and the one behind the last, without regard to how many keys there are.
static int begin_of(const spec *s, const shape *c, int query) { return s->left < 0 ? 0 : c->start + query - s->left; }
static int end_of(const spec *s, const shape *c, int query) { return s->right < 0 ? c->keys : c->start + query + s->right + 1; }

static void hide(buffer *k, buffer *v, int begin, int end) {
    for (int j = begin; j < end; j++) {
        for (int e = 0; e < k->dim; e++) row(k, 0, j)[e] = NAN;
        for (int e = 0; e < v->dim; e++) row(v, 0, j)[e] = e % 2 ? NAN : INFINITY;
    }
}

static void fill(const spec *s, const shape *c, float scale, buffer *q, buffer *k, buffer *v) {
    int d = s->d, dv = s->dv, first = begin_of(s, c, 0), last = end_of(s, c, c->queries - 1) - 1; // in a window, only the outer queries see them
    drawn = rand();
    for (int h = 0; h < c->group; h++) for (int i = 0; i < c->queries; i++) for (int e = 0; e < d; e++) row(q, h, i)[e] = normal();
    for (int j = 0; j < c->keys; j++) for (int e = 0; e < d; e++) row(k, 0, j)[e] = normal();
    for (int j = 0; j < c->keys; j++) for (int e = 0; e < dv; e++) row(v, 0, j)[e] = uniform();

    float large = (float)(90 / (sqrt(d) * fabs(scale))), common = (float)sqrt(1e4 / (d * fabs(scale))), direction[MAX_DIM];
    for (int e = 0; e < d; e++) direction[e] = normal();
    for (int h = 0; h < c->group; h++)
        for (int i = 0; i < c->queries; i++)
            for (int e = 0; e < d; e++) {
                float *x = row(q, h, i) + e;
                if (c->input == LARGE) *x *= large;
                if (c->input == NEAR) *x = common + 0.01f * *x;
                if (c->input == RISING) *x = direction[e] + 0.01f * *x;
            }
    for (int j = 0; j < c->keys; j++)
        for (int e = 0; e < d; e++) {
            float *x = row(k, 0, j) + e;
            if (c->input == LARGE && j % 2) *x = x[-k->stride] + *x / 90; // pairs that nearly tie: otherwise chance decides which rows count
            if (c->input == NEAR) *x = common + 0.001f * *x;
            if (c->input == RISING) *x = (float)(j * 200.0 / c->keys / (d * scale)) * direction[e]; // a little further where all queries look
        }

    if (c->input == HIDDEN_NAN) { // what no query sees, and what only the last or the first one does
        hide(k, v, clamp(s->first, 0, c->keys), clamp(first, 0, c->keys)), hide(k, v, clamp(last + 1, 0, c->keys), c->keys);
        if (s->right >= 0 && last >= 0 && last < c->keys && c->queries > 1) for (int e = 0; e < dv; e++) row(v, 0, last)[e] = NAN;
        if (s->left >= 0 && first >= 0 && first < c->keys && c->queries > 2) for (int e = 0; e < dv; e++) row(v, 0, first)[e] = NAN;
    }
    if (c->input == SEEN_NAN) { // in what the last query sees last; where the mask moves on with the queries no other query does
        int j = s->right >= 0 && last >= 0 && last < c->keys ? last : c->keys - 1;
        if (c->upper) row(k, 0, j)[d - 1] = NAN;
        else row(v, 0, j)[dv - 1] = NAN;
    }
}

static void describe(char *place, size_t size, const spec *s, const shape *c, int heads) {
    int length = snprintf(place, size, "%s, %s, %d queries x %d heads from %d, %d keys, %d at a time, %s", s->name, path_names[c->path], c->queries, heads,
        c->start, c->keys, c->stretch, input_names[c->input]);
    if (c->is_random && length < (int)size) snprintf(place + length, size - length, ", window %d and %d, first %d, gaps %d %d %d %d", s->left, s->right, s->first,
        c->gaps.query, c->gaps.key, c->gaps.value, c->gaps.output);
}

// Whether a row is within its bound.
static int judge(const spec *s, const shape *c, int query, int heads, double error, double plain_error) {
    double of_plain = fmax(1e-6, 2 * plain_error), explained = chains();
    __typeof__(tallies[0][0]) *t = &tallies[c->path][c->input];
    t->rows++;
    // Keys of 16 bits that are nearly alike are alike, and plain sums of such values are exact: their error says nothing.
    if (isfinite(error) && s->output_type == F32 && (c->input != NEAR || s->key_type == F32)) t->squares += error * error, t->plain_squares += plain_error * plain_error;
    if (error <= of_plain) return 1;
    t->beyond++;
    if (!(error / explained <= t->most)) t->most = error / explained, describe(t->place, sizeof t->place, s, c, heads);
    if (error <= explained) return 1;
    printf("query %d: error %.3g, plain evaluation %.3g, chains explain %.3g\n", query, error, plain_error, explained);
    return 0;
}

// Whether a number beside the output is not within its bound.
static int beyond(int what, double actual, double exact, double bound) {
    double error = fabs(actual - exact);
    if (bound > 0 && error / bound > beside[what].most) beside[what].most = error / bound;
    return !(error <= bound);
}

static const spec *current_spec;
static const shape *current;
static void print_current(void) {
    char place[240];
    describe(place, sizeof place, current_spec, current, current->group);
    printf("%s", place);
}

// A float for each head, or for each of its rows.
static buffer of_heads(const char *name, int heads, int written) { return guarded(name, 1, 1, heads, 0, 0, written); }
static buffer of_rows(const char *name, const shape *c) { return guarded(name, c->group, c->queries, 1, 1, c->queries, 1); }

// Gives a call a result. Sinks are given before.
static void give(operands *given, int slot, operand result) {
    given->slots[slot] = result, given->empty[slot] = empty_results[slot], given->results |= 1u << slot;
    if (given->slots[SLOT_SINKS].data) given->sink_results |= 1u << slot & results_of_sinks;
}

// Whether a row is compared with the reference, which costs some times what the cores do under emulation. Of many rows, those of the first and the last tiles are, and one in eleven between:
// over the calls, each place in a tile of 8 rows and in a block of 96, as 11 divides neither. Of more than 8 rows of decode, every other one is, again each place over the calls.
enum { FEW_ROWS = 24, OUTER_ROWS = 9, EACH = 11 };
static int is_compared(const shape *c, int head, int query) {
    if (c->path == ROWS) return c->group * c->queries <= 8 || (head * c->queries + query + coins) % 2 == 0;
    return c->queries <= FEW_ROWS || query < OUTER_ROWS || query >= c->queries - OUTER_ROWS || (query + coins) % EACH == 0;
}

static void check(const spec *s, const shape *c) {
    int d = s->d, dv = s->dv, heads = c->group, is_scored = s->scored == OPERANDS, is_own = s->scored == OWN_SCORES, has_outputs = s->scored == OUTPUTS;
    long qs = d + c->gaps.query, os = dv + c->gaps.output, qh = c->queries * qs, oh = c->queries * os;
    if (!c->head_major) qh = d, oh = dv, qs = heads * d + c->gaps.query, os = heads * dv + c->gaps.output;
    float scale = s->scale ? (float)s->scale : (float)(1 / sqrt(d));
    current_spec = s, current = c;
    buffer q = guarded("query", heads, c->queries, d, qs, qh, 0), o = guarded("output", heads, c->queries, dv, os, oh, 1);
    buffer k = guarded("key", 1, c->keys, d, d + c->gaps.key, 0, 0), v = guarded("value", 1, c->keys, dv, dv + c->gaps.value, 0, 0);
    fill(s, c, scale, &q, &k, &v);
    round_all(&q, s->query_type);
    if (s->key_type == I8) quantize(&k, c->keys, &key_integers), quantize(&v, c->keys, &value_integers);
    else round_all(&k, s->key_type), round_all(&v, s->key_type);
    int is_stored = s->memory != SPAN, is_normed = has_outputs || s->normed;
    buffer bias = {0}, slopes = {0}, sinks = {0}, sums = {0}, relative = {0}, scales = {0}, table = {0}, scores = {0}, max_score = {0}, entropy = {0}, argmax = {0};
    char *keep = 0;
    float *query_weight = 0, *key_weight = 0;
    operands given = {0};
    long of_row = 4, of_head = 4l * c->queries, keep_row = c->broadcast.keep_queries ? 0 : c->keys;
    if (is_scored) { // a bias [heads, queries, keys], a mask [queries, keys], slopes and sinks of the heads
        long bias_row = c->broadcast.bias_queries ? 0 : c->keys, bias_head = c->broadcast.bias_heads ? 0 : c->broadcast.bias_queries ? c->keys : (long)c->queries * c->keys;
        long kept = c->broadcast.keep_queries ? c->keys : (long)c->queries * c->keys;
        bias = guarded("bias", heads, c->queries, c->keys, bias_row, bias_head, 0), keep = guarded_bytes("keep", kept, 0);
        slopes = of_heads("slopes", heads, 0), sinks = of_heads("sinks", heads, 0);
        for (long i = 0; i < bias.length; i++) bias.data[i] = drawn % 9 ? normal() : (normal(), -INFINITY);
        for (long i = 0; i < kept; i++) keep[i] = uniform() > -0.3f;
        for (int h = 0; h < heads; h++) slopes.data[h] = 0.1f * normal(), sinks.data[h] = normal();
        given.slots[SLOT_BIAS] = (operand){bias.data, 0, 4 * bias_head, 4 * bias_row, 4}, given.slots[SLOT_KEEP] = (operand){keep, 0, 0, keep_row, 1};
        given.slots[SLOT_SLOPES] = (operand){slopes.data, 0, 4}, given.slots[SLOT_SINKS] = (operand){sinks.data, 0, 4};
    }

    if (is_own) { // biases of distances [heads, 2 * reach], a scale for each head, a span
        relative = guarded("relative", 1, heads, 2 * REACH, 2 * REACH, 0, 0), scales = of_heads("scales", heads, 0), table = of_heads("table", TABLE, 0);
        for (int h = 0; h < heads; h++) {
            for (int i = -REACH; i < REACH; i++) row(&relative, 0, h)[REACH + i] = i < 16 - REACH ? 0.5f : i >= REACH - 16 ? -0.25f : normal(); // the last that differ are a vector away from the ends
            scales.data[h] = scale * (h % 2 ? -0.7f : 0.9f);
        }
        for (int i = 0; i < TABLE; i++) table.data[i] = normal();
        given.slots[SLOT_SCALES] = (operand){scales.data, 0, 4}, given.slots[SLOT_RELATIVE_BIAS] = (operand){relative.data + REACH, 0, 8 * REACH}, given.reach = REACH;
        given.spans[0] = table.data, given.lengths[0] = TABLE;
    }

    if (is_scored || is_own) sums = of_rows("log-sum-exps", c), give(&given, SLOT_LOG_SUM_EXP, (operand){sums.data, 0, of_head, of_row});
    if (has_outputs) { // the weights [heads, queries, keys], as no row has any, and what is known of each row
        scores = guarded("scores", heads, c->queries, c->keys, c->keys, (long)c->queries * c->keys, 1), max_score = of_rows("largest scores", c);
        entropy = of_rows("entropies", c), argmax = of_rows("argmax", c);
        for (long i = 0; i < scores.length; i++) scores.data[i] = -INFINITY;
        give(&given, SLOT_SCORES, (operand){scores.data, 0, of_head * c->keys, of_row * c->keys, 4}), give(&given, SLOT_MAX_SCORE, (operand){max_score.data, 0, of_head, of_row});
        give(&given, SLOT_ENTROPY, (operand){entropy.data, 0, of_head, of_row}), give(&given, SLOT_ARG_MAX, (operand){argmax.data, 0, of_head, of_row}), given.keys = c->keys;
    }

    if (s->weighted) { // powers of two: a query times both is exact
        query_weight = of_heads("query norm weight", d, 0).data, key_weight = of_heads("key norm weight", d, 0).data;
        for (int e = 0; e < d; e++) query_weight[e] = e % 3 ? 1 : -2, key_weight[e] = e % 5 ? 1 : 0.5f;
        given.slots[SLOT_QUERY_NORM_WEIGHT].data = query_weight, given.slots[SLOT_KEY_NORM_WEIGHT].data = key_weight;
    }

    static double norms[1 + MAX_KEYS];
    static float plain_norms[1 + MAX_KEYS];
    for (int j = 0; j < c->keys && is_normed; j++) {
        norms[1 + j] = is_stored ? 1 : norm(row(&k, 0, j), d);
        plain_norms[1 + j] = is_stored ? 1 : plain_norm(row(&k, 0, j), d);
    }
    for (int j = 0; j < c->keys; j++) {
        for (int e = 0; e < d; e++) key_doubles[j][e] = row(&k, 0, j)[e];
        for (int e = 0; e < dv; e++) value_doubles[j][e] = row(&v, 0, j)[e];
    }

    // Rotated keys are evaluated, and rotated queries below.
    buffer evaluated = k, angles = {0};
    if (s->rotary) {
        int positions = clamp(c->start + c->queries, c->keys, POSITIONS);
        angles = guarded("angles", 1, positions, s->rotated, s->rotated, 0, 0), given.slots[SLOT_ROTARY] = (operand){angles.data, 0, 0, 4 * s->rotated};
        fill_angles(angles.data, positions, s->rotated);
        if (!is_stored) evaluated.data = rotated_keys, evaluated.stride = d;
        for (int j = 0; j < c->keys && !is_stored; j++) {
            float weighted[MAX_DIM];
            for (int e = 0; e < d; e++) weighted[e] = row(&k, 0, j)[e] * (s->weighted ? key_weight[e] : 1);
            rotate(s, weighted, row(&angles, 0, j), row(&evaluated, 0, j), key_doubles[j]);
        }
    }

    const float untouched = s->output_type == F32 ? 12345 : of_bits(to_bits(12345, s->output_type), s->output_type);
    for (long i = 0; i < o.length; i++) o.data[i] = untouched;
    call arguments = {c->queries, c->keys, c->start, qs, k.stride, v.stride, os, d, dv, c->stretch, c->path == ROWS ? c->group : 0, qh, oh, s->left, s->right, s->first,
        bytes_of(s->query_type), bytes_of(s->key_type), bytes_of(s->output_type), .most_runs = coins % 3 ? 32 : 1 + coins % 7, .operands = &given};
    void *queries = as_span("query of 16 bits", &q, s->query_type, 0), *outputs = as_span("output of 16 bits", &o, s->output_type, 1);
    void *keys = k.data, *values = v.data;
    static void *key_pages[MOST_PAGES], *value_pages[MOST_PAGES], *key_scale_pages[MOST_PAGES], *value_scale_pages[MOST_PAGES];
    if (is_stored) {
        keys = values = 0;
        arguments.key_stride = d, arguments.value_stride = dv, arguments.key_pages = key_pages, arguments.value_pages = value_pages;
        arguments.page_tokens = s->memory == CHUNKS ? (coins % 2 ? 512 : c->keys) : 16 << coins % 3; // a capacity, or chunks; pages of all sizes
        if (s->memory == RING) { // room for what the queries see and a little more
            arguments.kept = s->first, arguments.ring = clamp(c->keys - c->start + s->left, 1, c->keys) + coins % 5;
            arguments.page_tokens = arguments.kept + arguments.ring;
        }
        if (s->key_type == I8) arguments.key_scale_pages = key_scale_pages, arguments.value_scale_pages = value_scale_pages;
        int has_room = s->memory == PAGES;
        for (int i = 0; has_room && i * arguments.page_tokens < c->keys; i++) { // all of a page lies together: one list of distances is that of its keys, values and scales
            long tokens = arguments.page_tokens, bytes = bytes_of(s->key_type), all = tokens * ((d + dv) * bytes + (s->key_type == I8 ? 8 : 0));
            if (i == MOST_PAGES) { fprintf(stderr, "more pages than there is room for\n"); exit(96); }
            char *page = guarded_bytes("page", all, 0);
            memset(page, 0xFF, all);
            key_pages[i] = page, value_pages[i] = page + tokens * d * bytes, key_scale_pages[i] = page + tokens * (d + dv) * bytes, value_scale_pages[i] = page + tokens * ((d + dv) * bytes + 4);
        }
        as_pages("page of keys", &k, c->keys, s->key_type, &arguments, key_pages, &key_integers, key_scale_pages, has_room);
        as_pages("page of values", &v, c->keys, s->key_type, &arguments, value_pages, &value_integers, value_scale_pages, has_room);
    } else keys = as_span("key of 16 bits", &k, s->key_type, 0), values = as_span("value of 16 bits", &v, s->key_type, 0);
    kernel run = image_method(s->name);
    run(queries, keys, values, outputs, &arguments);
    if (c->path == PACKED) {
        arguments.packed_keys = guarded_memory("packed keys", arguments.packed_key_floats);
        arguments.packed_values = guarded_memory("packed values", arguments.packed_value_floats);
        if (s->key_type == I8) {
            arguments.panel_key_scales = guarded_memory("panel of the scales of keys", arguments.panel_scale_floats);
            arguments.panel_value_scales = guarded_memory("panel of the scales of values", arguments.panel_scale_floats);
        }
        if (is_stored) arguments.panel_keys = guarded_bytes("panel of keys", arguments.panel_key_bytes, 1), arguments.panel_values = guarded_bytes("panel of values", arguments.panel_value_bytes, 1);
    }
    arguments.working = guarded_memory("working memory", arguments.working_floats), arguments.states = guarded_memory("states", arguments.state_floats);
    if (c->path == ROWS) arguments.others = guarded_memory("other states", arguments.other_floats);
    seal_inputs();
    run(queries, keys, values, outputs, &arguments);

    if (s->output_type != F32) for (long i = 0; i < o.length; i++) o.data[i] = of_bits(((unsigned short *)outputs)[i], s->output_type);
    int wrong = 0, wrong_nan = 0, written = 0;
    for (int h = 0; h < heads; h++)
        for (int i = 0; i < c->queries; i++) {
            if (!is_compared(c, h, i)) { // written it is in any case
                for (int e = 0; e < dv; e++) wrong += *(row(&o, h, i) + e) == untouched, *(row(&o, h, i) + e) = untouched;
                continue;
            }
            int end = clamp(end_of(s, c, i), 0, c->keys), begin = clamp(begin_of(s, c, i), 0, end), window = begin;
            if (s->first) begin = 0; // the first keys, then those of the window
            const float *query = row(&q, h, i);
            scoring row_scores = {s->cap, is_scored ? row(&bias, h, i) : 0, is_scored ? slopes.data + h : 0, is_scored ? sinks.data + h : 0, is_scored ? keep + i * keep_row : 0, c->start + i,
                is_own ? scales.data + h : 0, is_own ? row(&relative, 0, h) + REACH : 0, is_own ? table.data : 0, is_normed ? norms : 0, plain_norms, s->first ? s->first : 0, s->first ? window : 0};
            norms[0] = norm(query, d), plain_norms[0] = plain_norm(query, d);
            float weighted[MAX_DIM];
            for (int e = 0; e < d && s->weighted; e++) weighted[e] = query[e] * query_weight[e] * (s->rotary || is_stored ? 1 : key_weight[e]); // else keys have theirs
            if (s->rotary && begin < end) rotate(s, s->weighted ? weighted : query, row(&angles, 0, c->start + i), plain_query, rotated_query), row_scores.rotated_query = rotated_query;
            evaluate(row_scores.rotated_query ? plain_query : s->weighted ? weighted : query, &evaluated, &v, begin, end, scale, &row_scores);
            double of_scores = score_error(d, sizes.scores), sums_of_weights = STEP * (once + sizes.visible / 8.0), exact_sum = row_scores.log_sum_exp;
            if (is_scored || is_own) {
                float sum = *row(&sums, h, i);
                if (isfinite(exact_sum)) wrong += beyond(LOG_SUM_EXP, sum, exact_sum, of_scores + sums_of_weights + STEP * fabs(exact_sum));
                else wrong_nan += isnan(exact_sum) ? !isnan(sum) : sum != exact_sum;
            }
            if (has_outputs) {
                float *weight = row(&scores, h, i), highest = *row(&max_score, h, i), spread = *row(&entropy, h, i);
                int key = ((int *)argmax.data)[h * c->queries + i], seen = begin < end, is_nan = seen && isnan(exact_sum);
                for (int j = 0; j < c->keys; j++) {
                    if (j < begin || j >= end || hides(&row_scores, j)) wrong_nan += weight[j] != 0;
                    else if (is_nan) wrong_nan += !isnan(weight[j]);
                    else wrong += beyond(WEIGHT, weight[j], weights[j], smallest_weight + weights[j] * (score_error(d, score_sizes[j]) + of_scores + sums_of_weights));
                }
                if (is_nan) wrong_nan += !isnan(highest) || !isnan(spread) || key != -1;
                else if (!seen) wrong_nan += highest != -INFINITY || spread != 0 || key != -1;
                else {
                    wrong += beyond(MAX_SCORE, highest, row_scores.max, of_scores + 2 * STEP * fabs(row_scores.max));
                    wrong += beyond(ENTROPY, spread, row_scores.entropy,
                        2 * of_scores * row_scores.entropy + STEP * (once + sizes.visible / 4.0) * (row_scores.entropy + log(sizes.visible + 1) + lag));
                    if (key < begin || key >= end || hides(&row_scores, key)) wrong++;
                    else wrong += beyond(ARGMAX, log(weights[key]) + exact_sum, row_scores.max, 2 * of_scores + 1e-12 * fabs(row_scores.max)); // of the logarithm
                }
            }
            double worst = 0, plain_worst = 0;
            for (int e = 0; e < dv; e++) {
                float *actual = row(&o, h, i) + e;
                double error = fabs(*actual - expected[e]);
                if (s->output_type != F32 && !isnan(error)) error = fmax(0, error - rounding(expected[e], s->output_type));
                if (isnan(expected[e])) wrong_nan += !isnan(*actual);
                else if (!(error <= worst)) worst = error; // a NaN stays
                if (!isnan(expected[e])) plain_worst = fmax(plain_worst, fabs(plain[e] - expected[e]));
                *actual = untouched;
            }
            wrong += !judge(s, c, i, heads, worst, plain_worst);
        }
    for (long i = 0; i < o.length; i++) written += o.data[i] != untouched;
    written += release_parts();

    if (!wrong && !wrong_nan && !written) {
        passed++;
        return;
    }
    failed++;
    char place[240];
    describe(place, sizeof place, s, c, heads);
    printf("FAILED %s: %d rows or numbers beside them exceed their bounds, %d should be NaN or none and are not, %d elements between rows are written\n", place, wrong, wrong_nan, written);
}

#include "calls.h"

// harness IMAGE MAP [SEED [CALLS [NAME]]]: another seed draws other numbers and other random calls; so many of each kernel; only those whose names have a part.
int main(int argc, char **argv) {
    image_load(argv[1], argv[2]);
    watch_pages(print_current);
    unsigned seed = argc > 3 ? strtoul(argv[3], 0, 10) : 1;
    int calls = argc > 4 ? atoi(argv[4]) : 30;
    srand(seed);
    for (int i = 0; i < POOL; i++) normals[i] = (float)(sqrt(-2 * log(draw())) * cos(6.283185307179586 * draw())), uniforms[i] = (float)(2 * draw() - 1);
    const char *part = argc > 5 ? argv[5] : "";
    for (size_t i = 0; i < sizeof specs / sizeof *specs; i++) if (strstr(specs[i].name, part)) packed(specs + i), rows(specs + i);
    for (size_t i = 0; i < sizeof specs / sizeof *specs; i++) if (strstr(specs[i].name, part)) random_calls(specs + i, calls, seed);
    for (int path = 0; path < PATHS; path++)
        for (int input = 0; input < INPUTS; input++) {
            __typeof__(tallies[0][0]) *t = &tallies[path][input];
            printf("NEON, %s, %s: %d of %d rows exceed 1e-6 and twice the plain error, by %.2f of what chains explain at most (%s); mean error %.2f of the plain one\n", path_names[path],
                input_names[input], t->beyond, t->rows, t->most, t->place, sqrt(t->squares / t->plain_squares));
            // Of thousands of rows it is no matter of chance: longer chains would show in it. Of outputs of 16 bits, most errors are that of their rounding.
            if (t->plain_squares > 0 && !(sqrt(t->squares / t->plain_squares) <= 1.5)) printf("FAILED: the mean error is more than 1.5 of the plain one\n"), failed++;
        }
    for (size_t i = 0; i < sizeof beside / sizeof *beside; i++) printf("NEON, %s: at most %.2f of their bounds\n", beside[i].what, beside[i].most);
    printf("NEON, under emulation: %d passed, %d failed\n", passed, failed);
    return failed > 0 || passed == 0;
}
