// libcurl for Swift: the header, and one fixed signature for each kind of argument of its variadic calls.
#ifndef AMERON_CCURL_SHIM_H
#define AMERON_CCURL_SHIM_H

#include <curl/curl.h>
#include <dlfcn.h>
#include <stddef.h>

static inline CURLcode CCurl_easy_setopt_long(CURL *_Nonnull easy, CURLoption option, long value) {
    return curl_easy_setopt(easy, option, value);
}
static inline CURLcode CCurl_easy_setopt_offset(CURL *_Nonnull easy, CURLoption option, curl_off_t value) {
    return curl_easy_setopt(easy, option, value);
}
static inline CURLcode CCurl_easy_setopt_pointer(CURL *_Nonnull easy, CURLoption option, const void *_Nullable value) {
    return curl_easy_setopt(easy, option, value);
}
typedef size_t (*CCurl_data_function)(char *_Nonnull data, size_t size, size_t count, void *_Nullable context);
static inline CURLcode CCurl_easy_setopt_data_function(
    CURL *_Nonnull easy, CURLoption option, CCurl_data_function _Nonnull value) {
    return curl_easy_setopt(easy, option, value);
}
static inline CURLcode CCurl_easy_setopt_prereq(CURL *_Nonnull easy, curl_prereq_callback _Nonnull value) {
    return curl_easy_setopt(easy, CURLOPT_PREREQFUNCTION, value);
}
static inline CURLcode CCurl_easy_setopt_socket_options(CURL *_Nonnull easy, curl_sockopt_callback _Nonnull value) {
    return curl_easy_setopt(easy, CURLOPT_SOCKOPTFUNCTION, value);
}
static inline CURLcode CCurl_easy_setopt_open_socket(CURL *_Nonnull easy, curl_opensocket_callback _Nonnull value) {
    return curl_easy_setopt(easy, CURLOPT_OPENSOCKETFUNCTION, value);
}
static inline CURLcode CCurl_easy_setopt_close_socket(CURL *_Nonnull easy, curl_closesocket_callback _Nonnull value) {
    return curl_easy_setopt(easy, CURLOPT_CLOSESOCKETFUNCTION, value);
}
static inline CURLcode CCurl_easy_getinfo_long(CURL *_Nonnull easy, CURLINFO info, long *_Nonnull value) {
    return curl_easy_getinfo(easy, info, value);
}
static inline CURLcode CCurl_easy_getinfo_offset(CURL *_Nonnull easy, CURLINFO info, curl_off_t *_Nonnull value) {
    return curl_easy_getinfo(easy, info, value);
}
static inline CURLcode CCurl_easy_getinfo_pointer(CURL *_Nonnull easy, CURLINFO info, void *_Nullable *_Nonnull value) {
    return curl_easy_getinfo(easy, info, value);
}
static inline CURLcode CCurl_easy_getinfo_socket(CURL *_Nonnull easy, curl_socket_t *_Nonnull value) {
    return curl_easy_getinfo(easy, CURLINFO_ACTIVESOCKET, value);
}

/// Whether TLS holds bytes that came with an answer and after it, and were not read: what no look at the socket shows. From a
/// callback of a transfer with a connection. libcurl links the library of TLS and says where its object is, so it is asked by
/// name; of other libraries than OpenSSL nothing is known, and the answer is 0.
static inline int CCurl_tls_holds_bytes(CURL *_Nonnull easy) {
    struct curl_tlssessioninfo *session = NULL;
    if (curl_easy_getinfo(easy, CURLINFO_TLS_SSL_PTR, &session) != CURLE_OK || session == NULL ||
        session->internals == NULL || session->backend != CURLSSLBACKEND_OPENSSL)
        return 0;
    static int (*has_pending)(const void *ssl);
    if (has_pending == NULL) has_pending = (int (*)(const void *))dlsym(NULL, "SSL_has_pending");
    return has_pending != NULL && has_pending(session->internals) != 0;
}

static inline CURLMcode CCurl_multi_setopt_long(CURLM *_Nonnull multi, CURLMoption option, long value) {
    return curl_multi_setopt(multi, option, value);
}
static inline CURLMcode CCurl_multi_setopt_pointer(CURLM *_Nonnull multi, CURLMoption option, void *_Nullable value) {
    return curl_multi_setopt(multi, option, value);
}
static inline CURLMcode CCurl_multi_setopt_socket_function(CURLM *_Nonnull multi, curl_socket_callback _Nonnull value) {
    return curl_multi_setopt(multi, CURLMOPT_SOCKETFUNCTION, value);
}
static inline CURLMcode CCurl_multi_setopt_timer_function(
    CURLM *_Nonnull multi, curl_multi_timer_callback _Nonnull value) {
    return curl_multi_setopt(multi, CURLMOPT_TIMERFUNCTION, value);
}

/// The finished transfer of a CURLMSG_DONE message: the result is in a union that Swift can't read by name.
static inline CURLcode CCurl_message_result(const CURLMsg *_Nonnull message) { return message->data.result; }

#endif
