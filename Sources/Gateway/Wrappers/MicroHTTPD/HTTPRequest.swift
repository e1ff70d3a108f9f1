private import CMicroHTTPD
private import Glibc

/// A request that libmicrohttpd is working on. Valid until `HTTPDaemonDelegate.requestCompleted`; the daemon's thread only.
struct HTTPRequest {
    fileprivate let connection: OpaquePointer

    init(connection: OpaquePointer) { self.connection = connection }

    /// The word that the delegate keeps for the client's connection.
    var connectionContext: Int { Int(bitPattern: CMicroHTTPD_connection_context(connection)) }

    /// Stops the work on this connection until `resume`.
    func suspend() { MHD_suspend_connection(connection) }

    /// Lets the daemon's next run ask the delegate again (`HTTPDaemonDelegate.requestReady`). Only after `suspend`.
    func resume() { MHD_resume_connection(connection) }

    /// Hands the response to the daemon, which sends it: from `HTTPDaemonDelegate.requestReady`, or for a request that waits
    /// (the request may be over when this returns). False when libmicrohttpd refuses it.
    func reply(status: Int, _ response: consuming HTTPResponse) -> Bool {
        MHD_queue_response(connection, UInt32(status), response.raw) == .YES
    }
}

@available(*, unavailable)
extension HTTPRequest: Sendable {}

/// A body that is made as it is sent. Used on the daemon's thread only.
protocol HTTPBodySource: AnyObject {
    /// Appends the next part, a few KiB at most and in some microseconds; false where there is none, at the end.
    func next(into buffer: ByteBuffer) -> Bool
}

/// A body whose parts come from elsewhere, when they come. Used on the daemon's thread only.
protocol HTTPPartSource: AnyObject {
    /// The next bytes, `room` of them at most. After `nothingYet` it is not asked again before `HTTPRequest.resume`, after the last
    /// two never.
    func next(upTo room: Int) -> HTTPPart
}

enum HTTPPart {
    /// At least one, valid until the source is asked again.
    case bytes(ByteView)
    /// So many, of a body whose length is known: what libmicrohttpd is to send of them, the daemon's delegate sends itself
    /// (`HTTPDaemonDelegate.sendLent`), so that they are not copied.
    case lent(Int)
    case nothingYet
    case end
    /// There is more that never comes: the connection is closed without the last chunk, by which the client knows it.
    case broken
}

/// A response while it is put together.
struct HTTPResponse: ~Copyable {
    fileprivate let raw: OpaquePointer

    /// A response with this body, which is not copied: its owner keeps the bytes until the request is completed.
    init(body: ByteView) {
        let bytes = UnsafeMutableRawPointer(mutating: body.base)
        guard let raw = MHD_create_response_from_buffer(body.count, bytes, .RESPMEM_PERSISTENT) else {
            fatalError("out of memory")
        }
        self.raw = raw
    }

    /// A response whose body comes in parts, sent as chunks (RFC 9112, section 7.1).
    init(stream: any HTTPBodySource) {
        // Released when libmicrohttpd is done with the response.
        let context = Unmanaged.passRetained(BodyReader(stream)).toOpaque()
        let raw = MHD_create_response_from_callback(
            UInt64.max,
            BodyReader.partBytes,
            { context, _, target, room in
                guard let context, let target else { return -1 }
                return Unmanaged<BodyReader>.fromOpaque(context).takeUnretainedValue().read(into: target, room)
            },
            context,
            { context in
                guard let context else { return }
                Unmanaged<BodyReader>.fromOpaque(context).release()
            }
        )
        guard let raw else { fatalError("out of memory") }
        self.raw = raw
    }

    /// A response whose body comes in parts from a source that outlives it, sent as they come: as chunks (RFC 9112, section 7.1),
    /// or as they are where it is known how long they are together.
    init(parts source: any HTTPPartSource, length: Int?, of request: HTTPRequest) {
        let context = Unmanaged.passRetained(PartReader(source, request.connection)).toOpaque()
        let raw = MHD_create_response_from_callback(
            length.map { UInt64($0) } ?? UInt64.max,
            length.map { min($0, PartReader.plainBytes) } ?? PartReader.partBytes,
            { context, _, target, room in
                guard let context, let target else { return -1 }
                return Unmanaged<PartReader>.fromOpaque(context)._withUnsafeGuaranteedRef { reader in
                    reader.read(into: target, room)
                }
            },
            context,
            { context in
                guard let context else { return }
                Unmanaged<PartReader>.fromOpaque(context).release()
            }
        )
        guard let raw else { fatalError("out of memory") }
        if length != nil { HTTPDaemon.lendBytes() }
        self.raw = raw
    }

    deinit { MHD_destroy_response(raw) }

    /// Adds a header line. `value` must be followed by a NUL byte, as `HeaderTable` leaves it.
    ///
    /// - Returns: false where libmicrohttpd refuses it (a line break in it, say).
    @discardableResult
    borrowing func add(_ name: StaticString, _ value: ByteView) -> Bool {
        add(ByteView(name), value)
    }

    /// Adds a header line; name and value must each be followed by a NUL byte.
    @discardableResult
    borrowing func add(_ name: ByteView, _ value: ByteView) -> Bool {
        // libmicrohttpd takes no empty value (0.9.75). White space is none of the value (RFC 9110, section 5.5).
        guard let name = name.base, let value = value.isEmpty ? ByteView(" ").base : value.base else { return false }
        return MHD_add_response_header(
            raw,
            UnsafeRawPointer(name).assumingMemoryBound(to: CChar.self),
            UnsafeRawPointer(value).assumingMemoryBound(to: CChar.self)
        ) == .YES
    }

    /// Adds a header line of constant text.
    @discardableResult
    borrowing func add(_ name: StaticString, _ value: StaticString) -> Bool { add(ByteView(name), ByteView(value)) }
}

/// Between a source of parts and libmicrohttpd, which asks when the client's socket has room.
private final class PartReader {
    /// What libmicrohttpd offers room for at most; it takes what is left of a connection's memory where that is less.
    static let partBytes = 16 << 10
    /// The same of a body that is not sent in chunks: nothing is written there, since it is lent.
    static let plainBytes = 64 << 10
    private static let endOfStream = -1
    private static let endWithError = -2

    private let source: any HTTPPartSource
    private let connection: OpaquePointer

    init(_ source: any HTTPPartSource, _ connection: OpaquePointer) {
        self.source = source
        self.connection = connection
    }

    func read(into target: UnsafeMutablePointer<CChar>, _ room: Int) -> Int {
        switch source.next(upTo: room) {
        case .bytes(let view):
            guard let bytes = view.base else { return 0 }
            memcpy(target, bytes, min(view.count, room))
            return min(view.count, room)
        case .lent(let count): return min(count, room)
        case .nothingYet:
            // It is asked again in the run after it has been resumed.
            MHD_suspend_connection(connection)
            return 0
        case .end: return Self.endOfStream
        case .broken: return Self.endWithError
        }
    }
}

/// Between a source and libmicrohttpd, which takes what it has room for.
private final class BodyReader {
    /// How much is made at once, more or less: what a client's connection has room for.
    static let partBytes = 4 << 10
    private static let endOfStream = -1

    private let source: any HTTPBodySource
    private let buffer = ByteBuffer(capacity: 2 * partBytes)
    private var taken = 0
    private var isAtEnd = false

    init(_ source: any HTTPBodySource) { self.source = source }

    /// How many bytes it has copied, at least one; or that there are no more.
    func read(into target: UnsafeMutablePointer<CChar>, _ room: Int) -> Int {
        if taken == buffer.count { fill() }
        let count = min(room, buffer.count - taken)
        guard count > 0 else { return Self.endOfStream }
        memcpy(target, buffer.base + taken, count)
        taken += count
        return count
    }

    private func fill() {
        buffer.removeAll()
        taken = 0
        while !isAtEnd, buffer.count < Self.partBytes { isAtEnd = !source.next(into: buffer) }
    }
}
