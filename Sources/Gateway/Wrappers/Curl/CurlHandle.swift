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
        /// How long a connection is kept without a call, in nanoseconds; nil: as long as libcurl likes.
        var keepAlive: Int64?
        /// Whether a request may be sent again although it may have been read.
        var isRepeatable = true
    }

    /// For the wrappers of libcurl alone.
    final let easy: UnsafeMutableRawPointer
    /// How long its connections are kept without a call, in nanoseconds.
    final let keepAlive: Int64
    /// Whether a request may be sent again although it may have been read.
    final let isRepeatable: Bool
    /// Which of the calls over its `CurlMulti` it carries, or carried last; 0: none yet.
    private(set) final var ticket = 0
    /// Whether libcurl has said since it began which socket it waits for: the multi's to set.
    final var isWatched = false
    /// Where it is. For `CurlMulti` to change.
    final var stage = Stage.idle
    /// The first of libcurl's refusals to take an option: the handle is not what it should be, and must not be used.
    private final var refusal: UInt32 = 0
    /// Why there was no socket for a connection: libcurl does not say; 0: there was one.
    private(set) final var socketError: Int32 = 0
    /// Whether libcurl reads no more of an answer until it is told to.
    var isPaused: Bool { false }
    private let errorText: UnsafeMutablePointer<CChar>
    private var parsedURL: OpaquePointer?
    private(set) final unowned var carrier: CurlMulti?

    enum Stage {
        case idle
        /// With its `CurlMulti`: to be started, with libcurl, or to be told that it cannot start.
        case waiting, out, failed
    }

    init(target: Target) {
        guard let easy = curl_easy_init() else { fatalError("out of memory") }
        self.easy = easy
        keepAlive = target.keepAlive ?? .max
        isRepeatable = target.isRepeatable
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
        setPointer(CURLOPT_OPENSOCKETDATA.rawValue, Unmanaged.passUnretained(self).toOpaque())
        let open = CCurl_easy_setopt_open_socket(easy) { context, _, address in
            guard let context, let address = address?.pointee else { return CURL_SOCKET_BAD }
            let me = Unmanaged<CurlHandle>.fromOpaque(context).takeUnretainedValue()
            do throws(SystemError) {
                me.socketError = 0
                return try StreamSocket.open(address.family, address.socktype, address.protocol)
            } catch {
                me.socketError = error.code
                return CURL_SOCKET_BAD
            }
        }
        note(open)
        if let path = target.unixSocketPath { setText(CURLOPT_UNIX_SOCKET_PATH.rawValue, path) }
        if let file = target.caFile { setText(CURLOPT_CAINFO.rawValue, file) }
        if let keepAlive = target.keepAlive {
            // Whole seconds, and libcurl uses a connection for up to one more. `CurlMulti` closes it to the point.
            setNumber(CURLOPT_MAXAGE_CONN.rawValue, Int(max(keepAlive / 1_000_000_000 - 1, 0)))
        }
    }

    deinit {
        curl_easy_cleanup(easy)
        curl_url_cleanup(parsedURL)
        errorText.deallocate()
    }

    /// Whether its connections are kept by libcurl for other handles.
    var leavesConnections: Bool { true }

    /// libcurl is done with the handle, which is taken out of `multi` here. Overridden; called by `CurlMulti` alone.
    func finished(result: UInt32, in multi: CurlMulti) {}

    /// A connection is closed on which this handle's request has gone out, wholly or in part; whether the peer's machine has
    /// acknowledged none of it. Overridden; called by `CurlMulti` alone.
    func connectionDied(unread: Bool) {}

    /// Points later calls at another URL of the same Model Service. Taken apart here, it is not taken apart for each call.
    final func setURL(_ url: String) {
        if let parsedURL { curl_url_cleanup(parsedURL) }
        parsedURL = curl_url()
        let code = parsedURL.map { parsed in url.withCString { curl_url_set(parsed, CURLUPART_URL, $0, 0) } }
        if code != CURLUE_OK {
            note(code == nil || code == CURLUE_OUT_OF_MEMORY ? CURLE_OUT_OF_MEMORY : CURLE_URL_MALFORMAT)
        }
        setPointer(CURLOPT_CURLU.rawValue, parsedURL.map { UnsafeRawPointer($0) })
    }

    /// What libcurl has to say about a failure. Not for the request path.
    final var errorMessage: String { String(cString: errorText) }

    /// The same as bytes; valid until the next call.
    final var errorView: ByteView { ByteView(cString: errorText) }

    final func clearError() { errorText[0] = 0 }

    /// Says what a code means, where libcurl has said nothing.
    final func setError(_ code: UInt32) {
        if errorText[0] == 0 { setError(String(cString: curl_easy_strerror(CURLcode(rawValue: code)))) }
    }

    /// Says something in libcurl's place.
    final func setError(_ text: String) {
        // Stops at the last byte, which is and stays 0.
        strncpy(errorText, text, Int(CURL_ERROR_SIZE) - 1)
    }

    final var osError: Int { getNumber(CURLINFO_OS_ERRNO.rawValue) }

    // MARK: For the wrappers of libcurl alone
    // Options by their numbers, since a type of the C module may not show outside of a file that imports it privately.

    /// Why the handle must not be used; nil: every option was taken.
    final var setupFailure: UInt32? { refusal == 0 ? nil : refusal }

    private final func note(_ code: CURLcode) {
        if refusal == 0 { refusal = code.rawValue }
    }

    final func setNumber(_ option: UInt32, _ value: Int) {
        note(CCurl_easy_setopt_long(easy, CURLoption(rawValue: option), value))
    }

    final func setPointer(_ option: UInt32, _ value: UnsafeRawPointer?) {
        note(CCurl_easy_setopt_pointer(easy, CURLoption(rawValue: option), value))
    }

    final func setText(_ option: UInt32, _ value: String) {
        note(value.withCString { CCurl_easy_setopt_pointer(easy, CURLoption(rawValue: option), $0) })
    }

    /// What another kind of option was answered.
    final func noteOption(_ code: UInt32) { note(CURLcode(rawValue: code)) }

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
}

extension CurlHandle {
    /// For `CurlMulti` alone: a call begins. From then on `multi` knows when a socket is opened, and when it is closed, also
    /// long after the handle.
    final func begin(in multi: CurlMulti, ticket: Int) {
        self.ticket = ticket
        isWatched = false
        guard carrier !== multi else { return }
        carrier = multi
        let context = Unmanaged.passUnretained(multi).toOpaque()
        setPointer(CURLOPT_SOCKOPTDATA.rawValue, context)
        note(CCurl_easy_setopt_socket_options(easy) { context, socket, _ in CurlMulti.socketIsOpened(context, socket) })
        setPointer(CURLOPT_CLOSESOCKETDATA.rawValue, context)
        note(CCurl_easy_setopt_close_socket(easy) { context, socket in CurlMulti.socketIsClosed(context, socket) })
    }
}

@available(*, unavailable)
extension CurlHandle: Sendable {}
