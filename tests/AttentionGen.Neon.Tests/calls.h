// Which calls are made: of each kernel, lengths around the edges of tiles and blocks, then random ones.
static unsigned mix(unsigned x) {
    x *= 2654435769u;
    x = (x ^ x >> 15) * 2246822519u;
    return x ^ x >> 13;
}

// The same for a case whenever it is drawn, and without a pattern over the cases.
static void try(const spec *s, shape c, unsigned index) {
    static const int chunks[] = {384, 64, 768}; // as the library cuts keys: a block, more for very many; and smaller
    unsigned mixed = mix(index * 64 + (unsigned)(s - specs));
    c.input = mixed % INPUTS, c.upper = mixed / INPUTS % 2, c.head_major = mixed / (2 * INPUTS) % 2, c.stretch = c.path == PACKED ? 768 : chunks[mixed / (4 * INPUTS) % 3];
    c.start = c.keys - c.queries;
    c.gaps = c.path == ROWS ? (gaps){5, s->d, 3, 7} : (gaps){0, s->d, 3, 0};
    coins = mix(mixed);
    if (c.input == HIDDEN_NAN) c.start = c.keys > c.queries ? c.start / 2 : 0;
    check(s, &c);
}

// What is done to elements and scores does not depend on lengths: kernels that differ in it share the edges, half each.
static int is_plain(const spec *s) { return s->scored == PLAIN && !s->rotary && !s->normed && !s->memory && s->key_type == F32 && !s->first; }

static void packed(const spec *s) {
    static const int lengths[] = {1, 2, 7, 8, 9, 16, 95, 96, 97, 383, 384, 385, 769};
    enum { LENGTHS = sizeof lengths / sizeof *lengths };
    if (s->queries) {
        int cases = s->queries * s->keys < 5000 ? 60 : 24;
        for (int i = 0; i < cases; i++) try(s, (shape){PACKED, 1, s->queries, s->keys}, i);
        return;
    }

    for (int a = 0; a < LENGTHS; a++) {
        for (int b = 0; b < LENGTHS; b++) {
            // Edges against each other for small heads; the larger the head, the fewer.
            if (s->d > 64 && (a + b) % 4) continue;
            if (s->d <= 64 && !is_plain(s) && (a + b + (s - specs)) % 2) continue;
            if (lengths[a] * (long)lengths[b] * s->d > 6000000) continue;
            try(s, (shape){PACKED, 1, lengths[a], lengths[b]}, a * LENGTHS + b);
        }
    }
}

// Up to 24 rows. Each third case where there are few keys; the more work, the fewer.
static void rows(const spec *s) {
    static const int keys[] = {1, 2, 3, 4, 5, 6, 7, 8, 9, 31, 32, 33, 255, 256, 257, 385, 600};
    enum { KEYS = sizeof keys / sizeof *keys };
    int a = 0;
    if (s->queries) return; // the code for fixed lengths has no way for few rows
    for (int group = 1; group <= 4; group++) {
        for (int queries = 1; queries * group <= 24; queries++, a++) {
            for (int b = 0; b < KEYS; b++) {
                if ((a * KEYS + b + (s - specs)) % ((keys[b] < 100 ? 3 : s->d <= 64 ? 8 : 12) * (is_plain(s) ? 1 : 2))) continue;
                try(s, (shape){ROWS, group, queries, keys[b]}, a * KEYS + b);
            }
        }
    }
}

// A number from 0 to 'most'.
static unsigned random_state;
static int upto(int most) {
    random_state = random_state * 1664525u + 1013904223u;
    return (int)(mix(random_state) % (unsigned)(most + 1));
}

// Few, some or many, often one beside a multiple of what tiles and blocks hold.
static int random_length(int most) {
    static const int edges[] = {4, 8, 16, 32, 96, 384};
    if (upto(2) == 0) return clamp(1 + upto(23), 1, most);
    if (upto(1)) return 1 + upto(most - 1);
    int edge = edges[upto(5)], multiple = 1 + upto(3);
    return clamp(edge * multiple - 1 + upto(2), 1, most);
}

// Calls of a kernel with lengths, starts, windows, gaps and operands of any kind; the same for its name and seed.
static void random_calls(const spec *of, int calls, unsigned seed) {
    random_state = seed;
    for (const char *name = of->name; *name; name++) random_state = (random_state ^ (unsigned char)*name) * 16777619u;
    srand(random_state);
    for (int i = 0; i < calls; i++) {
        spec s = *of;
        shape c = {.path = of->queries ? PACKED : upto(1), .group = 1, .is_random = 1};
        c.keys = of->keys ? of->keys : random_length(800);
        if (c.path == ROWS) c.group = 1 + upto(5), c.queries = 1 + upto(24 / c.group - 1);
        else c.queries = of->queries ? of->queries : random_length(clamp(400000 / (c.keys * (of->d + 16)), 1, 400));
        if (s.left >= 0) s.left = random_length(400) - 1;
        if (s.left >= 0 && s.right >= 0 && !s.first && !s.rotary) s.right = upto(1) ? 0 : random_length(400) - 1;
        if (s.first) s.first = random_length(100);
        c.start = upto(1) ? c.keys - c.queries : upto(c.keys + 2); // also past all keys
        c.stretch = c.path == ROWS && upto(1) ? 1 + upto(99) : (int[]){64, 384, 768}[upto(2)];
        c.head_major = upto(1), c.input = upto(INPUTS - 1), c.upper = upto(1);
        c.gaps.query = upto(9), c.gaps.key = upto(9), c.gaps.value = upto(9), c.gaps.output = upto(9);
        c.broadcast.bias_heads = upto(1), c.broadcast.bias_queries = upto(1), c.broadcast.keep_queries = upto(1);
        coins = (unsigned)upto(0x7ffffffe);
        check(&s, &c);
    }
}
