// Linux calls that Swift's Glibc module leaves out.
#ifndef AMERON_CLINUX_H
#define AMERON_CLINUX_H

#include <stdint.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>

/// How many processors sched_getaffinity(2) allows this process, or -1. (CPU_COUNT is a macro of the GNU extensions.)
int CLinux_available_processors(void);

/// The name of the calling thread as ps and top show it: at most 15 bytes (pthread_setname_np(3)).
void CLinux_set_thread_name(const char *_Nonnull name);

#endif
