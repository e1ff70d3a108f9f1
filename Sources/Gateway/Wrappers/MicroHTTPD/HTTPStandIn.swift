private import Glibc

/// The request that libmicrohttpd gets to read in the place of a client's: enough for it to know how the answer is to be sent, and
/// no more. It is read by nobody else, and never longer than what it stands for.
struct HTTPStandIn: Equatable {
    /// A HEAD request is answered without a body.
    var isHead: Bool
    var isHTTP10: Bool
    /// Whether the connection stays open after the answer.
    var keepsAlive: Bool

    /// Writes it to memory of this size; its length, or nil where it does not fit.
    func write(to memory: UnsafeMutableRawPointer, _ size: Int) -> Int? {
        let text = ByteView(text)
        guard text.count <= size, let base = text.base else { return nil }
        memcpy(memory, base, text.count)
        return text.count
    }

    private var text: StaticString {
        switch (isHead, isHTTP10, keepsAlive) {
        case (false, false, true): "GET / HTTP/1.1\r\nHost:\r\n\r\n"
        case (false, false, false): "GET / HTTP/1.1\r\nHost:\r\nConnection:close\r\n\r\n"
        case (false, true, true): "GET / HTTP/1.0\r\nConnection:keep-alive\r\n\r\n"
        case (false, true, false): "GET / HTTP/1.0\r\n\r\n"
        case (true, false, true): "HEAD / HTTP/1.1\r\nHost:\r\n\r\n"
        case (true, false, false): "HEAD / HTTP/1.1\r\nHost:\r\nConnection:close\r\n\r\n"
        case (true, true, true): "HEAD / HTTP/1.0\r\nConnection:keep-alive\r\n\r\n"
        case (true, true, false): "HEAD / HTTP/1.0\r\n\r\n"
        }
    }
}
