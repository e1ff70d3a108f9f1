// libmicrohttpd for Swift: the header, and one fixed signature for each variadic call that we need.
#ifndef AMERON_CMICROHTTPD_SHIM_H
#define AMERON_CMICROHTTPD_SHIM_H

#include <stdarg.h>
#include <sys/socket.h>

#include <microhttpd.h>

/// MHD_start_daemon is variadic: all options go in by MHD_OPTION_ARRAY, which `options` must end with MHD_OPTION_END.
static inline struct MHD_Daemon *_Nullable CMicroHTTPD_start_daemon(
    unsigned int flags, uint16_t port, MHD_AccessHandlerCallback _Nonnull handler, void *_Nullable handler_cls,
    struct MHD_OptionItem *_Nonnull options) {
    return MHD_start_daemon(flags, port, NULL, NULL, handler, handler_cls, MHD_OPTION_ARRAY, options, MHD_OPTION_END);
}

/// The daemon's own epoll descriptor, or -1.
static inline int CMicroHTTPD_epoll_fd(struct MHD_Daemon *_Nonnull daemon) {
    const union MHD_DaemonInfo *info = MHD_get_daemon_info(daemon, MHD_DAEMON_INFO_EPOLL_FD);
    return info ? info->epoll_fd : -1;
}

/// Gives the daemon an open connection. It copies an address, of which nothing is asked, and takes no empty one.
static inline void CMicroHTTPD_add_connection(struct MHD_Daemon *_Nonnull daemon, int connection) {
    static const struct sockaddr nowhere = {.sa_family = AF_UNSPEC};
    MHD_add_connection(daemon, connection, &nowhere, sizeof nowhere);
}

/// The client's socket, or -1.
static inline int CMicroHTTPD_connection_fd(struct MHD_Connection *_Nonnull connection) {
    const union MHD_ConnectionInfo *info = MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CONNECTION_FD);
    return info ? info->connect_fd : -1;
}

/// Where the application keeps its own word for this connection (MHD_OPTION_NOTIFY_CONNECTION's socket_context).
static inline void *_Nullable CMicroHTTPD_connection_context(struct MHD_Connection *_Nonnull connection) {
    const union MHD_ConnectionInfo *info = MHD_get_connection_info(connection, MHD_CONNECTION_INFO_SOCKET_CONTEXT);
    return info ? info->socket_context : NULL;
}

/// Options that take a function and its context: the function travels in the integer of an option item.
static inline struct MHD_OptionItem CMicroHTTPD_option_number(enum MHD_OPTION option, intptr_t value) {
    struct MHD_OptionItem item = {option, value, NULL};
    return item;
}
static inline struct MHD_OptionItem CMicroHTTPD_option_completed(
    MHD_RequestCompletedCallback _Nonnull callback, void *_Nullable context) {
    struct MHD_OptionItem item = {MHD_OPTION_NOTIFY_COMPLETED, (intptr_t)callback, context};
    return item;
}
static inline struct MHD_OptionItem CMicroHTTPD_option_connection(
    MHD_NotifyConnectionCallback _Nonnull callback, void *_Nullable context) {
    struct MHD_OptionItem item = {MHD_OPTION_NOTIFY_CONNECTION, (intptr_t)callback, context};
    return item;
}
typedef size_t (*CMicroHTTPD_unescape)(
    void *_Nullable context, struct MHD_Connection *_Nullable connection, char *_Nullable text);
static inline struct MHD_OptionItem CMicroHTTPD_option_unescape(
    CMicroHTTPD_unescape _Nonnull callback, void *_Nullable context) {
    struct MHD_OptionItem item = {MHD_OPTION_UNESCAPE_CALLBACK, (intptr_t)callback, context};
    return item;
}
typedef void (*CMicroHTTPD_log)(void *_Nullable context, const char *_Nonnull format, va_list arguments);
static inline struct MHD_OptionItem CMicroHTTPD_option_log(CMicroHTTPD_log _Nonnull callback, void *_Nullable context) {
    struct MHD_OptionItem item = {MHD_OPTION_EXTERNAL_LOGGER, (intptr_t)callback, context};
    return item;
}

#endif
