#define _GNU_SOURCE
#include "CLinux.h"

#include <linux/tcp.h>
#include <malloc.h>
#include <netinet/in.h>
#include <pthread.h>
#include <sched.h>
#include <stdbool.h>
#include <stddef.h>
#include <string.h>
#include <sys/socket.h>

int CLinux_available_processors(void) {
    cpu_set_t set;
    if (sched_getaffinity(0, sizeof set, &set) != 0) return -1;
    return CPU_COUNT(&set);
}

void CLinux_set_thread_name(const char *name) { pthread_setname_np(pthread_self(), name); }

int CLinux_ppoll(struct pollfd *list, unsigned int count, int64_t nanoseconds) {
    struct timespec time = {nanoseconds / 1000000000, nanoseconds % 1000000000};
    return ppoll(list, count, nanoseconds < 0 ? 0 : &time, 0);
}

// Weak: release builds are linked with mimalloc, others are not.
extern void mi_collect(bool force) __attribute__((weak));

void CLinux_collect_memory(void) {
    if (mi_collect)
        mi_collect(true);
    else
        malloc_trim(0);
}

const char *CLinux_error_text(int code) {
    const char *text = strerrordesc_np(code);
    return text ? text : "unknown error";
}

int CLinux_tcp_acknowledged(int descriptor, uint64_t *count) {
    struct tcp_info info;
    socklen_t length = sizeof info;
    if (getsockopt(descriptor, IPPROTO_TCP, TCP_INFO, &info, &length) != 0) return -1;
    if (length < offsetof(struct tcp_info, tcpi_bytes_acked) + sizeof info.tcpi_bytes_acked) return -1;
    *count = info.tcpi_bytes_acked;
    return 0;
}

// Weak: NULL where nothing defines it. Data of the linker's and not of the compiler's, so that a new commit compiles
// nothing anew.
extern const char ameron_sidecar_commit[] __attribute__((weak));

const char *CLinux_commit(void) { return ameron_sidecar_commit; }

int CLinux_accept(int listening) { return accept4(listening, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC); }
