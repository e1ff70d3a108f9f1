// Lets the program see, and change, what a C library of the same process reads from its sockets by recv(2), and sends by send(2).
#ifndef AMERON_CRECEIVETAP_H
#define AMERON_CRECEIVETAP_H

#include <stddef.h>
#include <sys/types.h>

/// Called in the place of recv(2), with its buffer. Returns how many bytes it has written there, 0 for the end of the stream,
/// the negative of an errno, or `CReceiveTap_pass` for a socket that it does not know: that one is then read as usual.
typedef ssize_t (*CReceiveTap_function)(void *_Nullable context, int socket, void *_Nonnull buffer, size_t length);

/// Called in the place of send(2), which would send so many bytes. Returns how many it has sent, the negative of an errno, or
/// `CReceiveTap_pass`: then the library's own bytes are sent as usual.
typedef ssize_t (*CReceiveTap_sender)(void *_Nullable context, int socket, size_t length);

/// No errno has this value.
static const ssize_t CReceiveTap_pass = -4096;

/// Has this thread's calls of recv(2) go to the function, until `CReceiveTap_end`.
void CReceiveTap_begin(CReceiveTap_function _Nonnull function, void *_Nullable context);
void CReceiveTap_end(void);

/// Has this thread's calls of send(2) go to the function, where its calls of recv(2) are tapped; NULL: no more.
void CReceiveTap_set_sender(CReceiveTap_sender _Nullable sender);

#endif
