/* SPDX-License-Identifier: MIT */
/* Lets tests watch and control the library's memory and random bytes. */
#include <malloc.h>
#include <sys/types.h>

#include "fixed_random.h"
#include "harness.h"

static size_t allocations_left = SIZE_MAX;
static bool allocation_failed;
static size_t live;
static size_t live_at_start;
static size_t most;

bool fail_allocation(size_t successes) {
    bool had_failed = allocation_failed;
    allocations_left = successes;
    allocation_failed = false;
    return had_failed;
}

static bool may_allocate(void) {
    if (allocations_left == SIZE_MAX)
        return true;
    if (allocations_left-- != 0)
        return true;
    allocation_failed = true; /* and allocations_left is SIZE_MAX: no more of them fail */
    return false;
}

static void *count(void *memory) {
    if (memory != NULL)
        live += malloc_usable_size(memory);
    if (live > most)
        most = live;
    return memory;
}

size_t memory_peak(void) {
    size_t peak = most - live_at_start;
    live_at_start = most = live;
    return peak;
}

/* The linker puts these in the place of the functions that they are named after (--wrap). */
void *__wrap_malloc(size_t size);
void *__wrap_calloc(size_t count, size_t size);
void __wrap_free(void *memory);
ssize_t __wrap_getrandom(void *out, size_t length, unsigned flags);
void *__real_malloc(size_t size);
void *__real_calloc(size_t count, size_t size);
void __real_free(void *memory);
ssize_t __real_getrandom(void *out, size_t length, unsigned flags);

void *__wrap_malloc(size_t size) { return may_allocate() ? count(__real_malloc(size)) : NULL; }

void *__wrap_calloc(size_t number, size_t size) {
    return may_allocate() ? count(__real_calloc(number, size)) : NULL;
}

void __wrap_free(void *memory) {
    if (memory != NULL)
        live -= malloc_usable_size(memory);
    __real_free(memory);
}

static bool is_fixed;
static uint64_t state;

void random_is_fixed(void) {
    is_fixed = true;
    state = 0;
}

void random_is_random(void) { is_fixed = false; }

ssize_t __wrap_getrandom(void *out, size_t length, unsigned flags) {
    if (!is_fixed)
        return __real_getrandom(out, length, flags);
    fixed_random(&state, out, length);
    return (ssize_t)length;
}
