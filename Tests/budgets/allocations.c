// Counts heap allocations by who asked for them: preloaded (LD_PRELOAD) into the executable whose budget is tested.
//
// Every call of malloc and its like goes into a table in the file that ALLOCATION_TABLE names, one entry for each
// thread name and call stack. The test maps that file and reads it while the process runs. The layout is in
// Tests/BudgetTests/AllocationTable.swift too.
#define _GNU_SOURCE
#include <execinfo.h>
#include <fcntl.h>
#include <link.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <unistd.h>

enum { SITES = 1 << 14, FRAMES = 28, OBJECTS = 64, NAME = 112 };

struct object {
    char name[NAME];
    uint64_t base, low, high;
};
struct site {
    _Atomic uint64_t key;
    _Atomic uint64_t count;
    _Atomic uint32_t frames; // set last: until then the entry is not to be read
    uint32_t padding;
    char thread[16];
    uint64_t frame[FRAMES];
};
struct table {
    _Atomic uint64_t lost; // calls that found no room
    _Atomic uint64_t objects;
    struct object object[OBJECTS];
    struct site site[SITES];
};

// The allocator itself: glibc's, or that of a library which takes its place under these names too (mimalloc does).
extern void *__libc_malloc(size_t);
extern void *__libc_calloc(size_t, size_t);
extern void *__libc_realloc(void *, size_t);
extern void *__libc_memalign(size_t, size_t);

static struct table *table;
// The unwinder allocates too, the first time.
static __thread int busy __attribute__((tls_model("initial-exec")));

static int note_object(struct dl_phdr_info *info, size_t size, void *unused) {
    (void)size, (void)unused;
    uint64_t at = table->objects;
    if (at == OBJECTS) return 1;
    struct object *object = &table->object[at];
    strncpy(object->name, info->dlpi_name, NAME - 1);
    object->base = info->dlpi_addr;
    object->low = UINT64_MAX;
    for (int index = 0; index < info->dlpi_phnum; index++) {
        const ElfW(Phdr) *part = &info->dlpi_phdr[index];
        if (part->p_type != PT_LOAD) continue;
        uint64_t start = info->dlpi_addr + part->p_vaddr;
        if (start < object->low) object->low = start;
        if (start + part->p_memsz > object->high) object->high = start + part->p_memsz;
    }
    table->objects = at + 1;
    return 0;
}

__attribute__((constructor)) static void start(void) {
    // So that strace may look on where only a child may be traced.
    prctl(PR_SET_PTRACER, PR_SET_PTRACER_ANY);
    const char *path = getenv("ALLOCATION_TABLE");
    int file = path ? open(path, O_RDWR | O_CLOEXEC) : -1;
    if (file < 0 || ftruncate(file, sizeof(struct table)) != 0) return;
    void *memory = mmap(NULL, sizeof(struct table), PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
    close(file);
    if (memory == MAP_FAILED) return;
    void *warm[2];
    busy = 1;
    backtrace(warm, 2);
    table = memory;
    dl_iterate_phdr(note_object, NULL);
    busy = 0;
}

__attribute__((noinline)) static void count(void) {
    if (!table || busy) return;
    busy = 1;
    uint64_t stack[FRAMES + 2];
    int depth = backtrace((void **)stack, FRAMES + 2) - 2; // without this function and its caller here
    if (depth < 0) depth = 0;
    char thread[16] = {0};
    prctl(PR_GET_NAME, thread);
    uint64_t key = 1469598103934665603u;
    for (int index = 0; index < depth; index++) key = (key ^ stack[index + 2]) * 1099511628211u;
    for (int index = 0; index < 16; index++) key = (key ^ (uint8_t)thread[index]) * 1099511628211u;
    key |= 1; // 0: a free entry
    for (int probe = 0; probe < 64; probe++) {
        struct site *site = &table->site[((key >> 20) + probe) % SITES];
        uint64_t found = 0;
        if (atomic_compare_exchange_strong(&site->key, &found, key)) {
            memcpy(site->thread, thread, 16);
            memcpy(site->frame, stack + 2, depth * sizeof *stack);
            site->frames = depth;
        } else if (found != key) {
            continue;
        }
        site->count++;
        busy = 0;
        return;
    }
    table->lost++;
    busy = 0;
}

void *malloc(size_t size) {
    count();
    return __libc_malloc(size);
}

void *calloc(size_t number, size_t size) {
    count();
    return __libc_calloc(number, size);
}

void *realloc(void *old, size_t size) {
    count();
    return __libc_realloc(old, size);
}

void *memalign(size_t alignment, size_t size) {
    count();
    return __libc_memalign(alignment, size);
}

void *aligned_alloc(size_t alignment, size_t size) {
    count();
    return __libc_memalign(alignment, size);
}

int posix_memalign(void **result, size_t alignment, size_t size) {
    count();
    void *memory = __libc_memalign(alignment, size);
    if (!memory) return 12; // ENOMEM
    *result = memory;
    return 0;
}

// C++'s: left to it, an allocator in glibc's place would answer them without a call that is seen here.
static void *new(size_t size) {
    void *memory = __libc_malloc(size);
    if (!memory) abort();
    return memory;
}

void *_Znwm(size_t size) {
    count();
    return new(size);
}

void *_Znam(size_t size) {
    count();
    return new(size);
}

void *_ZnwmRKSt9nothrow_t(size_t size, const void *unused) {
    (void)unused;
    count();
    return __libc_malloc(size);
}

void *_ZnamRKSt9nothrow_t(size_t size, const void *unused) {
    (void)unused;
    count();
    return __libc_malloc(size);
}
