private import CMicroHTTPD

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
        // An empty value may have no address of its own.
        guard let name = name.base, let value = value.base ?? ByteView("").base else { return false }
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
