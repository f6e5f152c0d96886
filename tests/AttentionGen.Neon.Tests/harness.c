// Runs the NEON cores of Specs.h against a double-precision reference, within the error bound of the project: the larger of 1e-6 and twice
// the error of a plain single-precision evaluation. Both errors are the largest over all cases of a kernel and a kind of input: in a case
// of a few rows each is a matter of luck. Every buffer ends at, then begins after, a page that may not be touched.
#include "image.h"

typedef struct { long queries, keys, start, query_stride, key_stride, value_stride, output_stride, head_dim, value_dim, stretch; } call;
typedef void (*kernel)(float *, float *, float *, float *, float *, call *);
typedef struct { const char *name; int d, dv, causal; double scale; } spec;
enum { NORMAL, LARGE, NEAR, RISING, HIDDEN_NAN, INPUTS };
static const char *input_names[] = {"normal", "scores near 90", "scores near 1e4, all alike", "rising maximum", "NaN behind the mask"};

static const spec specs[] = {
#define SPEC(method, d, dv, causal, scale) {#method, d, dv, causal, scale},
#include "Specs.h"
};

static int passed, failed, cases[INPUTS];
static double largest[INPUTS], plain_largest[INPUTS];
static float *scratch;

static double uniform(void) { return (rand() + 0.5) / ((double)RAND_MAX + 1); }
static float normal(void) { return (float)(sqrt(-2 * log(uniform())) * cos(6.283185307179586 * uniform())); }

// A buffer of so many floats between two protected pages, at the upper or the lower end.
typedef struct { char *base; size_t size; float *data; } buffer;
static buffer guarded(long floats, int upper) {
    size_t bytes = floats * sizeof(float), body = (bytes + 4095) / 4096 * 4096;
    buffer b = {mmap(0, body + 8192, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0), body + 8192, 0};
    mprotect(b.base, 4096, PROT_NONE);
    mprotect(b.base + 4096 + body, 4096, PROT_NONE);
    b.data = (float *)(b.base + 4096 + (upper ? body - bytes : 0));
    return b;
}

// The 16-lane dot product of the error bound.
static float plain_dot(const float *a, const float *b, int d) {
    float lane[16] = {0};
    for (int i = 0; i < d; i++) lane[i % 16] += a[i] * b[i];
    for (int step = 8; step > 0; step /= 2) for (int i = 0; i < step; i++) lane[i] += lane[i + step];
    return lane[0];
}

static void check(const spec *s, int queries, int keys, int start, int input, int upper) {
    int d = s->d, dv = s->dv, qs = d, ks = 2 * d, vs = dv + 3, os = dv; // strides wider than the rows, too
    float scale = s->scale ? (float)s->scale : (float)(1 / sqrt(d));
    buffer q = guarded((long)queries * qs, upper), o = guarded((long)queries * os, upper);
    buffer k = guarded((long)(keys - 1) * ks + d, upper), v = guarded((long)(keys - 1) * vs + dv, upper);
    for (int i = 0; i < queries * qs; i++) q.data[i] = normal();
    for (int i = 0; i < (keys - 1) * ks + d; i++) k.data[i] = normal();
    for (int i = 0; i < (keys - 1) * vs + dv; i++) v.data[i] = normal();
    if (input == LARGE) for (int i = 0; i < queries * qs; i++) q.data[i] *= 90;
    if (input == NEAR) {
        float common = (float)sqrt(1e4 / (d * fabs(scale)));
        for (int i = 0; i < queries * qs; i++) q.data[i] = common + 0.01f * q.data[i];
        for (int j = 0; j < keys; j++) for (int i = 0; i < d; i++) k.data[j * ks + i] = common + 0.001f * k.data[j * ks + i];
    }
    if (input == RISING) // each key a little further in the direction that all queries look
        for (int e = 0; e < d; e++) {
            float direction = normal();
            for (int i = 0; i < queries; i++) q.data[i * qs + e] = direction + 0.01f * q.data[i * qs + e];
            for (int j = 0; j < keys; j++) k.data[j * ks + e] = (float)(j * 200.0 / keys / (d * scale)) * direction;
        }
    if (input == HIDDEN_NAN && s->causal) // what the last query does not see
        for (int j = start + queries; j < keys; j++) {
            for (int e = 0; e < d; e++) k.data[j * ks + e] = NAN;
            for (int e = 0; e < dv; e++) v.data[j * vs + e] = e % 2 ? NAN : INFINITY;
        }
    if (input == HIDDEN_NAN && s->causal && start + queries - 1 < keys && queries > 1) // what only the last query sees
        for (int e = 0; e < dv; e++) v.data[(start + queries - 1) * vs + e] = NAN;

    for (int i = 0; i < queries * os; i++) o.data[i] = 12345;
    call c = {queries, keys, start, qs, ks, vs, os, d, dv, 768};
    kernel run = image_method(s->name);
    run(q.data, k.data, v.data, o.data, scratch, &c);

    double worst = 0, plain_worst = 0, *w = malloc(keys * sizeof(double));
    float *pw = malloc(keys * sizeof(float));
    int wrong_nan = 0;
    for (int i = 0; i < queries; i++) {
        int visible = s->causal ? start + i + 1 : keys;
        if (visible > keys) visible = keys;
        if (visible < 0) visible = 0;
        double max = -INFINITY, sum = 0;
        float pmax = -INFINITY, psum = 0;
        for (int j = 0; j < visible; j++) {
            double dot = 0;
            for (int e = 0; e < d; e++) dot += (double)q.data[i * qs + e] * k.data[j * ks + e];
            w[j] = dot * scale;
            max = fmax(max, w[j]);
            pw[j] = plain_dot(q.data + i * qs, k.data + j * ks, d) * scale;
            pmax = fmaxf(pmax, pw[j]);
        }
        for (int j = 0; j < visible; j++) sum += w[j] = exp(w[j] - max), psum += pw[j] = expf(pw[j] - pmax);
        for (int e = 0; e < dv; e++) {
            double expected = 0;
            float plain = 0;
            for (int j = 0; j < visible; j++) expected += w[j] * v.data[j * vs + e], plain += pw[j] * v.data[j * vs + e];
            if (visible > 0) expected /= sum, plain /= psum;
            float actual = o.data[i * os + e];
            if (isnan(expected)) { wrong_nan += !isnan(actual); continue; }
            double error = fabs(actual - expected);
            if (!(error <= worst)) worst = error; // a NaN stays
            plain_worst = fmax(plain_worst, fabs(plain - expected));
        }
    }
    free(w), free(pw);
    munmap(q.base, q.size), munmap(k.base, k.size), munmap(v.base, v.size), munmap(o.base, o.size);
    cases[input]++;
    if (!(worst <= largest[input])) largest[input] = worst; // a NaN stays
    plain_largest[input] = fmax(plain_largest[input], plain_worst);
    if (!wrong_nan) { passed++; return; }
    failed++;
    printf("FAILED %s, %d queries x %d keys from %d, %s: %d values should be NaN and are not\n", s->name, queries, keys, start, input_names[input], wrong_nan);
}

// The bound, over all cases of a kernel.
static void judge(const spec *s) {
    for (int input = 0; input < INPUTS; input++) {
        double bound = fmax(1e-6, 2 * plain_largest[input]);
        if (!(largest[input] <= bound)) {
            printf("FAILED %s, %s: error %.3g, bound %.3g\n", s->name, input_names[input], largest[input], bound);
            passed -= cases[input], failed += cases[input];
        }
        cases[input] = 0, largest[input] = plain_largest[input] = 0;
    }
}

int main(int argc, char **argv) {
    image_load(argv[1], argv[2]);
    scratch = aligned_alloc(64, 256 << 20);
    srand(1);
    static const int lengths[] = {1, 2, 7, 8, 9, 16, 95, 96, 97, 383, 384, 385, 769};
    enum { LENGTHS = sizeof lengths / sizeof *lengths };
    for (size_t i = 0; i < sizeof specs / sizeof *specs; i++) {
        const spec *s = specs + i;
        for (int a = 0; a < LENGTHS; a++) {
            for (int b = 0; b < LENGTHS; b++) {
                // Edges against each other for small heads; the larger the head, the fewer.
                if (s->d > 64 && (a + b) % 4) continue;
                if (lengths[a] * (long)lengths[b] * s->d > 6000000) continue;
                int queries = lengths[a], keys = lengths[b], input = (a * 3 + b) % INPUTS;
                int start = input == HIDDEN_NAN ? (keys > queries ? (keys - queries) / 2 : 0) : keys - queries;
                check(s, queries, keys, start, input, (a + b) % 2);
            }
        }
        judge(s);
    }
    printf("NEON, under emulation: %d passed, %d failed\n", passed, failed);
    return failed > 0 || passed == 0;
}
