private import CCurl

/// A transfer that goes nowhere, so that libcurl closes the connections that have been made to look dead.
///
/// It looks for these when it is asked for a connection, and not by itself (7.88, url.c, prune_dead_connections); a service
/// that is asked no more would keep them, and with TLS each takes some 100 KB.
final class CurlSweep: CurlHandle {
    init() {
        super.init(target: Target(url: "http://127.0.0.1/"))
        // There is no socket to connect.
        noteOption(CCurl_easy_setopt_open_socket(easy) { _, _, _ in CURL_SOCKET_BAD }.rawValue)
    }

    override func finished(result: UInt32, in multi: CurlMulti) { multi.remove(self) }
}
