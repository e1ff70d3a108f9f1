// Linux calls that Swift's Glibc module leaves out.
#ifndef AMERON_CLINUX_H
#define AMERON_CLINUX_H

#include <poll.h>
#include <stdint.h>
#include <time.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/random.h>

/// How many processors sched_getaffinity(2) allows this process, or -1. (CPU_COUNT is a macro of the GNU extensions.)
int CLinux_available_processors(void);

/// The name of the calling thread as ps and top show it: at most 15 bytes (pthread_setname_np(3)).
void CLinux_set_thread_name(const char *_Nonnull name);

/// ppoll(2) without a signal mask; negative nanoseconds: no time limit. (It is one of the GNU extensions.)
int CLinux_ppoll(struct pollfd *_Nonnull list, unsigned int count, int64_t nanoseconds);

/// Has the allocator give free memory of the calling thread back to the system: mimalloc where it is linked (mi_collect), else
/// glibc's (malloc_trim(3)).
void CLinux_collect_memory(void);

/// What a value of errno means; a constant text. (strerror(3) shares its text among threads.)
const char *_Nonnull CLinux_error_text(int code);

/// How many bytes the peer of a TCP connection has acknowledged, of all that were sent (tcpi_bytes_acked: Linux 4.1 and
/// later; glibc's own struct ends before it). Not 0 where it cannot be told: the socket is no TCP's.
int CLinux_tcp_acknowledged(int descriptor, uint64_t *_Nonnull count);

/// The commit that the program was linked from, or NULL: scripts/release.sh links it in, other builds do not.
const char *_Nullable CLinux_commit(void);

/// Takes a waiting connection, which does not block and which children do not inherit (accept4(2)); -1: see errno. (It is one of
/// the GNU extensions.)
int CLinux_accept(int listening);

#endif
