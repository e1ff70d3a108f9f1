#define _GNU_SOURCE
#include "CLinux.h"

#include <pthread.h>
#include <sched.h>

int CLinux_available_processors(void) {
    cpu_set_t set;
    if (sched_getaffinity(0, sizeof set, &set) != 0) return -1;
    return CPU_COUNT(&set);
}

void CLinux_set_thread_name(const char *name) { pthread_setname_np(pthread_self(), name); }
