// Memory of a call: each part between two pages that may not be touched, ending at the upper one or beginning at the lower one, and with canaries in the
// rest of its pages. A touch of a protected page ends the run with the name of the call and of the part.
#include <signal.h>
#include <unistd.h>

enum { PAGE = 4096, MOST_PARTS = 256, CANARY = 0xA5 };

// Rows of floats. Row (i, j) is the row j of the head i; both strides may be 0, where all heads or rows have the same.
typedef struct { float *data; long length, stride, head_stride; int dim; } buffer;
static float *row(const buffer *b, int head, int row) { return b->data + head * b->head_stride + row * b->stride; }

static struct part { const char *name; char *base, *data; size_t bytes, body; int written; } parts[MOST_PARTS];
static int part_count;
static unsigned coins; // a bit for each part: its end or its beginning is at a protected page
static unsigned char canaries[PAGE];

static char *guarded_bytes(const char *name, size_t bytes, int written) {
    if (part_count == MOST_PARTS) { fprintf(stderr, "more parts than there is room for\n"); exit(96); }
    size_t body = (bytes + PAGE - 1) / PAGE * PAGE;
    char *base = mmap(0, body + 2 * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (base == MAP_FAILED) { perror("mmap"); exit(96); }
    mprotect(base, PAGE, PROT_NONE);
    mprotect(base + PAGE + body, PAGE, PROT_NONE);
    int upper = coins >> part_count % 31 & 1;
    char *data = base + PAGE + (upper ? body - bytes : 0);
    memset(upper ? base + PAGE : data + bytes, CANARY, body - bytes);
    parts[part_count++] = (struct part){name, base, data, bytes, body, written};
    return data;
}

// Rows of NaN, gaps between them included.
static buffer guarded(const char *name, int heads, int rows, int dim, long stride, long head_stride, int written) {
    long length = (heads - 1) * head_stride + (rows - 1) * stride + dim;
    buffer b = {(float *)guarded_bytes(name, length * sizeof(float), written), length, stride, head_stride, dim};
    for (long i = 0; i < length; i++) b.data[i] = NAN;
    return b;
}

static float *guarded_memory(const char *name, long floats) { return guarded(name, 1, 1, (int)floats, 0, 0, 1).data; }

// From here on, a write to what a call only reads is a touch of a protected page.
static void seal_inputs(void) {
    for (int i = 0; i < part_count; i++) if (!parts[i].written && parts[i].body > 0) mprotect(parts[i].base + PAGE, parts[i].body, PROT_READ);
}

// Gives all parts back. Returns how many were written around.
static int release_parts(void) {
    int overrun = 0;
    for (int i = 0; i < part_count; i++) {
        struct part *p = &parts[i];
        char *body = p->base + PAGE, *end = p->data + p->bytes;
        if (p->written && (memcmp(body, canaries, p->data - body) || memcmp(end, canaries, body + p->body - end))) overrun++, printf("written beside %s\n", p->name);
        munmap(p->base, p->body + 2 * PAGE);
    }
    part_count = 0;
    return overrun;
}

static void (*print_case)(void);

static void touched(int number, siginfo_t *info, void *context) {
    (void)number, (void)context;
    char *address = info->si_addr;
    printf("FAILED ");
    print_case();
    for (int i = 0; i < part_count; i++) {
        struct part *p = &parts[i];
        if (address < p->base || address >= p->base + p->body + 2 * PAGE) continue;
        long before = p->data - address, after = address - (p->data + p->bytes);
        if (before > 0) printf(": touched %s, %ld bytes before its first one\n", p->name, before);
        else if (after >= 0) printf(": touched %s, %ld bytes after its last one\n", p->name, after + 1);
        else printf(": wrote to %s, byte %ld of %zu\n", p->name, -before, p->bytes);
        fflush(stdout);
        _exit(1);
    }
    printf(": touched %p, which is at no part of the call\n", (void *)address);
    fflush(stdout);
    _exit(1);
}

// A touch of a protected page ends the run and says in which call, as 'print' does.
static void watch_pages(void (*print)(void)) {
    print_case = print;
    memset(canaries, CANARY, sizeof canaries);
    struct sigaction action = {.sa_sigaction = touched, .sa_flags = SA_SIGINFO};
    sigaction(SIGSEGV, &action, 0);
    sigaction(SIGBUS, &action, 0);
}
