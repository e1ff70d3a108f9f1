private import CCurl
private import Glibc

/// A libcurl easy handle, and what its two uses have in common: whole transfers, and connections alone.
class CurlHandle {
    /// How a Model Service is reached.
    struct Target {
        var url: String
        var unixSocketPath: String?
        var caFile: String?
        var maxBodyBytes = 64 << 20
    }

    /// For the wrappers of libcurl alone.
    final let easy: UnsafeMutableRawPointer
    private let errorText: UnsafeMutablePointer<CChar>
    private var parsedURL: OpaquePointer?
    private var knowsSocketWatcher = false

    init(target: Target) {
        guard let easy = curl_easy_init() else { fatalError("out of memory") }
        self.easy = easy
        errorText = .allocate(capacity: Int(CURL_ERROR_SIZE))
        errorText.initialize(repeating: 0, count: Int(CURL_ERROR_SIZE))
        setURL(target.url)
        setPointer(CURLOPT_PRIVATE.rawValue, Unmanaged.passUnretained(self).toOpaque())
        setPointer(CURLOPT_ERRORBUFFER.rawValue, errorText)
        setNumber(CURLOPT_NOSIGNAL.rawValue, 1)
        setNumber(CURLOPT_TCP_NODELAY.rawValue, 1)
        // A call that is given up while its name is looked up is left to the thread that does that. Without this, libcurl waits
        // for it: for as long as a name server does not answer, and with it all that this thread has to do.
        setNumber(CURLOPT_QUICK_EXIT.rawValue, 1)
        setText(CURLOPT_PROTOCOLS_STR.rawValue, "http,https")
        // Without a value libcurl searches the environment for a proxy on each transfer; a Model Service has none.
        setText(CURLOPT_PROXY.rawValue, "")
        if let path = target.unixSocketPath { setText(CURLOPT_UNIX_SOCKET_PATH.rawValue, path) }
        if let file = target.caFile { setText(CURLOPT_CAINFO.rawValue, file) }
    }

    deinit {
        curl_easy_cleanup(easy)
        curl_url_cleanup(parsedURL)
        errorText.deallocate()
    }

    /// libcurl is done with the handle. Overridden; called by `CurlMulti` alone.
    func finished(result: UInt32, in multi: CurlMulti) {}

    /// Points later calls at another URL of the same Model Service. Taken apart here, it is not taken apart for each call.
    final func setURL(_ url: String) {
        if let parsedURL { curl_url_cleanup(parsedURL) }
        parsedURL = curl_url()
        _ = url.withCString { curl_url_set(parsedURL, CURLUPART_URL, $0, 0) }
        setPointer(CURLOPT_CURLU.rawValue, parsedURL.map { UnsafeRawPointer($0) })
    }

    /// What libcurl has to say about a failure. Not for the request path.
    final var errorMessage: String { String(cString: errorText) }

    /// The same as bytes; valid until the next call.
    final var errorView: ByteView { ByteView(cString: errorText) }

    final func clearError() { errorText[0] = 0 }

    final var osError: Int { getNumber(CURLINFO_OS_ERRNO.rawValue) }

    // MARK: For the wrappers of libcurl alone
    // Options by their numbers, since a type of the C module may not show outside of a file that imports it privately.

    final func setNumber(_ option: UInt32, _ value: Int) {
        _ = CCurl_easy_setopt_long(easy, CURLoption(rawValue: option), value)
    }

    final func setPointer(_ option: UInt32, _ value: UnsafeRawPointer?) {
        _ = CCurl_easy_setopt_pointer(easy, CURLoption(rawValue: option), value)
    }

    final func setText(_ option: UInt32, _ value: String) {
        _ = value.withCString { CCurl_easy_setopt_pointer(easy, CURLoption(rawValue: option), $0) }
    }

    final func getNumber(_ info: UInt32) -> Int {
        var value = 0
        _ = CCurl_easy_getinfo_long(easy, CURLINFO(rawValue: info), &value)
        return value
    }

    static func of(easy: UnsafeMutableRawPointer) -> CurlHandle {
        var me: UnsafeMutableRawPointer?
        _ = CCurl_easy_getinfo_pointer(easy, CURLINFO_PRIVATE, &me)
        return Unmanaged<CurlHandle>.fromOpaque(me.unsafelyUnwrapped).takeUnretainedValue()
    }

    /// Lets `multi` know when a socket is opened, and when it is closed, also long after the handle.
    final func setSocketWatcher(_ multi: UnsafeMutableRawPointer) {
        guard !knowsSocketWatcher else { return }
        knowsSocketWatcher = true
        setPointer(CURLOPT_SOCKOPTDATA.rawValue, multi)
        _ = CCurl_easy_setopt_socket_options(easy) { context, socket, _ in CurlMulti.socketIsOpened(context, socket) }
        setPointer(CURLOPT_CLOSESOCKETDATA.rawValue, multi)
        _ = CCurl_easy_setopt_close_socket(easy) { context, socket in CurlMulti.socketIsClosed(context, socket) }
    }
}

@available(*, unavailable)
extension CurlHandle: Sendable {}
