#define _GNU_SOURCE
#include "CReceiveTap.h"

#include <errno.h>
#include <sys/socket.h>

static _Thread_local struct {
    CReceiveTap_function function;
    CReceiveTap_sender sender;
    void *context;
} tap;

void CReceiveTap_begin(CReceiveTap_function function, void *context) {
    tap.context = context;
    tap.function = function;
}

void CReceiveTap_end(void) { tap.function = NULL; }

void CReceiveTap_set_sender(CReceiveTap_sender sender) { tap.sender = sender; }

// The executable's own definition: a shared library's call of recv finds it before libc's (ld.so(8), symbol lookup). Whoever
// is not tapped gets the same system call as ever.
ssize_t recv(int socket, void *buffer, size_t length, int flags) {
    if (tap.function) {
        ssize_t result = tap.function(tap.context, socket, buffer, length);
        if (result >= 0) return result;
        if (result != CReceiveTap_pass) {
            errno = (int)-result;
            return -1;
        }
    }
    return recvfrom(socket, buffer, length, flags, NULL, NULL);
}

// The same of send.
ssize_t send(int socket, const void *buffer, size_t length, int flags) {
    if (tap.sender && tap.function) {
        ssize_t result = tap.sender(tap.context, socket, length);
        if (result >= 0) return result;
        if (result != CReceiveTap_pass) {
            errno = (int)-result;
            return -1;
        }
    }
    return sendto(socket, buffer, length, flags, NULL, 0);
}
