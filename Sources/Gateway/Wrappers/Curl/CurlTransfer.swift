private import CCurl
private import Glibc

/// One libcurl easy handle with the buffers of its answer, used for call after call to the same Model Service.
///
/// Confined to its shard. The request's body and the header list are borrowed from the caller until the transfer is
/// finished or removed; `body` and `headers` belong to the transfer and hold the answer until `prepare` is called again.
final class CurlTransfer: CurlHandle {
    /// The body of the answer.
    let body = ByteBuffer(capacity: 4096)
    /// The header lines of the (last) answer as they came, status line first, each ending in CR LF.
    let headers = ByteBuffer(capacity: 1024)
    /// The lines that go out with the request.
    let requestHeaders = CurlHeaderList()
    /// Told when the transfer is finished; outlives it.
    unowned var delegate: (any CurlTransferDelegate)?

    /// Of an answer: what the direct transport takes.
    private static let maxHeaderBytes = 256 << 10

    private let maxBodyBytes: Int
    private(set) var answerIsTooLong = false
    private(set) var headerIsTooLong = false
    private(set) var lacksMemory = false
    private var headerHasEnded = false
    /// Why the transfer was ended before its request went out.
    private(set) var abortion = Abortion.none
    private var attempts = 0
    /// Whether the kept connection that carried the request has died without any of it being acknowledged.
    private var wasUnread = false
    private var readBufferBytes = 16 << 10
    /// Whether the body is taken away as it comes; and whether it may be no longer than one that is not. How much has come.
    private var isStreamed = false
    var isLimited = false
    private var received = 0
    /// There is no room for more of such a body; and libcurl keeps some of it for that reason.
    private var isFull = false
    private var keepsSome = false

    enum Abortion {
        case none
        /// Only a fresh connection will do.
        case wantsFreshConnection
        /// The request may have been read already, and may not be sent again.
        case mayHaveBeenRead
    }

    init(target: Target, delegate: (any CurlTransferDelegate)? = nil) {
        self.delegate = delegate
        self.maxBodyBytes = target.maxBodyBytes
        super.init(target: target)
        let me = Unmanaged.passUnretained(self).toOpaque()
        setPointer(CURLOPT_WRITEDATA.rawValue, me)
        setPointer(CURLOPT_HEADERDATA.rawValue, me)
        setPointer(CURLOPT_PREREQDATA.rawValue, me)
        let write = CCurl_easy_setopt_data_function(easy, CURLOPT_WRITEFUNCTION) { data, size, count, context in
            CurlTransfer.from(context).takeBody(data, size * count)
        }
        noteOption(write.rawValue)
        let header = CCurl_easy_setopt_data_function(easy, CURLOPT_HEADERFUNCTION) { data, size, count, context in
            CurlTransfer.from(context).takeHeader(data, size * count)
        }
        noteOption(header.rawValue)
        let request = CCurl_easy_setopt_prereq(easy) { context, _, _, _, _ in
            CurlTransfer.from(context).mayRequest() ? CURL_PREREQFUNC_OK : CURL_PREREQFUNC_ABORT
        }
        noteOption(request.rawValue)
        setNumber(CURLOPT_HTTP_VERSION.rawValue, Int(CURL_HTTP_VERSION_1_1))
        if keepAlive == 0 { setNumber(CURLOPT_FORBID_REUSE.rawValue, 1) }
    }

    override func finished(result: UInt32, in multi: CurlMulti) {
        multi.remove(self)
        delegate?.transferFinished(self, failure: failure(result: result))
    }

    override var isPaused: Bool { keepsSome }

    override func connectionDied(unread: Bool) { wasUnread = unread }

    /// How much libcurl reads at once, after the size of the last answer: it allocates the buffer anew for each transfer,
    /// and up to 1 KiB that costs next to nothing.
    private func fitReadBuffer() {
        let wanted =
            switch headers.count + received {
            case ...1_000: 1 << 10
            case ...(64 << 10): 16 << 10
            default: 256 << 10
            }
        guard wanted != readBufferBytes else { return }
        readBufferBytes = wanted
        setNumber(CURLOPT_BUFFERSIZE.rawValue, wanted)
    }

    /// Makes ready for the next call: forgets the last answer, and asks for `POST` with this body or for `GET`.
    func prepare(method: Method, body requestBody: ByteView = .empty, freshConnection: Bool = false) {
        fitReadBuffer()
        body.removeAll(keepingAtMost: BodyLoan.freeBytes)
        headers.removeAll(keepingAtMost: 64 << 10)
        clearError()
        answerIsTooLong = false
        headerIsTooLong = false
        lacksMemory = false
        headerHasEnded = false
        abortion = .none
        wasUnread = false
        attempts = 0
        isStreamed = false
        isLimited = false
        received = 0
        isFull = false
        keepsSome = false
        if freshConnection != usesFreshConnection {
            usesFreshConnection = freshConnection
            setNumber(CURLOPT_FRESH_CONNECT.rawValue, freshConnection ? 1 : 0)
        }
        switch method {
        case .get:
            if self.method != .get { setNumber(CURLOPT_HTTPGET.rawValue, 1) }
        case .post:
            if self.method != .post { setNumber(CURLOPT_POST.rawValue, 1) }
            // The size goes first: with a size, libcurl does not look for the end of a string.
            noteOption(
                CCurl_easy_setopt_offset(easy, CURLOPT_POSTFIELDSIZE_LARGE, curl_off_t(requestBody.count)).rawValue
            )
            setPointer(CURLOPT_POSTFIELDS.rawValue, requestBody.base.map { UnsafeRawPointer($0) } ?? Self.noBody)
        }
        self.method = method
        setPointer(CURLOPT_HTTPHEADER.rawValue, requestHeaders.rawList)
    }

    /// Forgets an answer that nobody needs any more, and the room of a large one.
    func letGo() {
        body.removeAll(keepingAtMost: 4 << 10)
        headers.removeAll(keepingAtMost: 4 << 10)
    }

    /// There is room again, after `transferReceived` has returned false. The delegate may be told of more from within this
    /// function.
    func resume() {
        isFull = false
        guard keepsSome else { return }
        keepsSome = false
        // Where it cannot go on, its time runs out; the handle itself is as good as before.
        _ = curl_easy_pause(easy, CURLPAUSE_CONT)
    }

    /// Asks for this target, byte for byte, in place of the URL's path and query. It is copied.
    func setTarget(_ target: ByteBuffer) {
        target.append(0)
        setPointer(CURLOPT_REQUEST_TARGET.rawValue, target.view.base.map { UnsafeRawPointer($0) })
    }

    enum Method { case get, post }
    private var method: Method?
    private var usesFreshConnection = false
    private static var noBody: UnsafeRawPointer { UnsafeRawPointer(ByteView("").base.unsafelyUnwrapped) }

    /// The status of the answer; 0: none came.
    var status: Int { getNumber(CURLINFO_RESPONSE_CODE.rawValue) }

    /// How many bytes of the body are still to come, as far as the answer says; 0: it does not.
    var expectedBodyBytes: Int {
        var length: curl_off_t = -1
        _ = CCurl_easy_getinfo_offset(easy, CURLINFO_CONTENT_LENGTH_DOWNLOAD_T, &length)
        return max(Int(length) - body.count, 0)
    }

    var answerHasBegun: Bool { !headers.isEmpty }

    /// Whether a request that got no answer may be sent once more, on a fresh connection: a kept one had carried it, and the
    /// peer does not mind or cannot have read it.
    var maySendAgain: Bool { attempts == 1 && !usesConnectionOfItsOwn && !answerHasBegun && mayBeRepeated }

    private var mayBeRepeated: Bool { isRepeatable || method == .get || wasUnread }

    /// Whether the connection in use was opened for this transfer.
    private var usesConnectionOfItsOwn: Bool { getNumber(CURLINFO_NUM_CONNECTS.rawValue) > 0 }

    // MARK: Callbacks

    private func takeBody(_ data: UnsafeMutablePointer<CChar>, _ count: Int) -> Int {
        if isStreamed {
            // An answer may have come by the time its request is sent. Of a kept connection that is paused then, libcurl says
            // nothing, and it would be taken for idle: what one read has brought is taken all the same.
            guard !isFull || !isWatched else {
                keepsSome = true
                return Int(CURL_WRITEFUNC_PAUSE)
            }
            guard !isLimited || received + count <= maxBodyBytes else {
                answerIsTooLong = true
                return 0
            }
            received += count
            body.append(ByteView(base: UnsafeRawPointer(data).assumingMemoryBound(to: UInt8.self), count: count))
            isFull = delegate?.transferReceived(self) == false
            return count
        }
        guard body.count + count <= maxBodyBytes else {
            answerIsTooLong = true
            return 0
        }
        guard body.count + count <= BodyLoan.freeBytes || delegate?.makeRoom(count, in: self) ?? true else {
            lacksMemory = true
            return 0
        }
        body.append(ByteView(base: UnsafeRawPointer(data).assumingMemoryBound(to: UInt8.self), count: count))
        received += count
        if delegate?.transferGrew(self) == true {
            isStreamed = true
            isFull = delegate?.transferReceived(self) == false
        }
        return count
    }

    private func takeHeader(_ data: UnsafeMutablePointer<CChar>, _ count: Int) -> Int {
        let line = ByteView(base: UnsafeRawPointer(data).assumingMemoryBound(to: UInt8.self), count: count)
        // A new status line ends a 1xx answer.
        if line.hasPrefix(ByteView("HTTP/")) {
            headers.removeAll()
            headerHasEnded = false
        }
        // What comes after the header is a trailer, which is no part of it (RFC 9110, section 6.5.1).
        guard !headerHasEnded else { return count }
        if line == "\r\n" || line == "\n" { headerHasEnded = true }
        guard headers.count + count <= Self.maxHeaderBytes else {
            headerIsTooLong = true
            return 0
        }
        headers.append(line)
        if headerHasEnded, status >= 200 { isStreamed = delegate?.transferBegan(self) ?? false }
        return count
    }

    /// A connection is there: the request is about to go out, for the first time or again.
    ///
    /// libcurl repeats what a kept connection has not answered by itself, whatever may have been read of it, and up to five
    /// times over all transfers of a handle. Here it may do so once, where the request may be sent again, and if it has
    /// opened a connection for that; on another kept one it is told to stop, and the owner starts anew.
    private func mayRequest() -> Bool {
        attempts += 1
        if attempts == 1 {
            guard !usesConnectionOfItsOwn else { return true }
            guard CCurl_tls_holds_bytes(easy) == 0 else {
                abortion = .wantsFreshConnection
                return false
            }
            carrier?.requestBegins(self)
            return true
        }
        guard mayBeRepeated else {
            abortion = .mayHaveBeenRead
            return false
        }
        guard attempts == 2, usesConnectionOfItsOwn else {
            abortion = .wantsFreshConnection
            return false
        }
        return true
    }

    private static func from(_ context: UnsafeMutableRawPointer?) -> CurlTransfer {
        Unmanaged<CurlTransfer>.fromOpaque(context.unsafelyUnwrapped).takeUnretainedValue()
    }
}

/// Hears of the end of a transfer.
protocol CurlTransferDelegate: AnyObject {
    /// The answer is complete, or `failure` says why there is none. The transfer is out of the multi handle already.
    func transferFinished(_ transfer: CurlTransfer, failure: CurlFailure?)
    /// Makes room for more bytes of a long body; false where there is no memory for them.
    func makeRoom(_ more: Int, in transfer: CurlTransfer) -> Bool
    /// The header of the answer is in. Whether the body is taken away as it comes: then it may be of any length, and
    /// `transferReceived` is told of it. The transfer is not removed from within these functions.
    func transferBegan(_ transfer: CurlTransfer) -> Bool
    /// More of a body is in that is not taken away: whether it is from now on.
    func transferGrew(_ transfer: CurlTransfer) -> Bool
    /// More of such a body is in; false where there is no room for more until `CurlTransfer.resume`.
    func transferReceived(_ transfer: CurlTransfer) -> Bool
}

extension CurlTransferDelegate {
    /// Its `maxBodyBytes` is all there is.
    func makeRoom(_ more: Int, in transfer: CurlTransfer) -> Bool { true }
    /// It is taken when it is complete.
    func transferBegan(_ transfer: CurlTransfer) -> Bool { false }
    func transferGrew(_ transfer: CurlTransfer) -> Bool { false }
    func transferReceived(_ transfer: CurlTransfer) -> Bool { true }
}
