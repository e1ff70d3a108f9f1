private import CLinux
private import Glibc

/// Sending and receiving on a connected socket that another library opened, without waiting (send(2), recv(2)).
struct StreamSocket {
    enum Written: Equatable {
        /// How many bytes; fewer than there were: the socket is full.
        case bytes(Int)
        /// The connection is broken.
        case failed
    }

    enum Received: Equatable {
        case bytes(Int)
        case nothingYet
        /// The peer has ended its sending.
        case ended
        /// The connection is broken.
        case failed
    }

    let descriptor: Int32

    /// Sends one run of bytes and then another, as much as the socket takes.
    func write(_ first: ByteView, _ second: ByteView) -> Written {
        var parts = (
            iovec(iov_base: UnsafeMutableRawPointer(mutating: first.base), iov_len: first.count),
            iovec(iov_base: UnsafeMutableRawPointer(mutating: second.base), iov_len: second.count)
        )
        let written = withUnsafeMutablePointer(to: &parts) { pointer in
            var message = msghdr()
            message.msg_iov = UnsafeMutableRawPointer(pointer).assumingMemoryBound(to: iovec.self)
            message.msg_iovlen = 2
            return sendmsg(descriptor, &message, Self.flags)
        }
        if written >= 0 { return .bytes(written) }
        return errno == EAGAIN || errno == EINTR ? .bytes(0) : .failed
    }

    /// Appends up to `length` bytes that have come.
    func receive(into buffer: ByteBuffer, upTo length: Int) -> Received {
        var received = 0
        buffer.append(upTo: length) { room in
            // Not by recv(2), which is the program's own in the thread that runs libmicrohttpd (CReceiveTap).
            received = recvfrom(descriptor, room, length, Self.flags, nil, nil)
            return max(received, 0)
        }
        return Self.outcome(received)
    }

    /// Appends up to `length` bytes that have come to one buffer, and up to `moreLength` bytes behind them to another, by one
    /// call (recvmsg(2)).
    func receive(into buffer: ByteBuffer, upTo length: Int, then more: ByteBuffer, upTo moreLength: Int) -> Received {
        var received = 0
        buffer.append(upTo: length) { room in
            more.append(upTo: moreLength) { moreRoom in
                var parts = (
                    iovec(iov_base: UnsafeMutableRawPointer(room), iov_len: length),
                    iovec(iov_base: UnsafeMutableRawPointer(moreRoom), iov_len: moreLength)
                )
                received = withUnsafeMutablePointer(to: &parts) { pointer in
                    var message = msghdr()
                    message.msg_iov = UnsafeMutableRawPointer(pointer).assumingMemoryBound(to: iovec.self)
                    message.msg_iovlen = 2
                    return recvmsg(descriptor, &message, Self.flags)
                }
                return max(received - length, 0)
            }
            return max(min(received, length), 0)
        }
        return Self.outcome(received)
    }

    private static func outcome(_ received: Int) -> Received {
        if received > 0 { return .bytes(received) }
        if received == 0 { return .ended }
        return errno == EAGAIN || errno == EINTR ? .nothingYet : .failed
    }

    /// Ends both directions; a peer that has sent what was not read gets a reset when the socket is closed (shutdown(2)).
    func end() { shutdown(descriptor, Int32(SHUT_RDWR)) }

    /// How many bytes the peer's machine has acknowledged since the connection was opened (TCP_INFO, tcp(7)); also after it
    /// has broken. nil where this is no TCP.
    var acknowledgedBytes: UInt64? {
        var count: UInt64 = 0
        return CLinux_tcp_acknowledged(descriptor, &count) == 0 ? count : nil
    }

    /// How many of the bytes that were written the peer's machine has not acknowledged (SIOCOUTQ, tcp(7)); also after the
    /// connection has broken. nil where this is no TCP.
    var unacknowledgedBytes: Int? {
        var family: Int32 = 0
        var length = socklen_t(MemoryLayout<Int32>.size)
        guard getsockopt(descriptor, SOL_SOCKET, SO_DOMAIN, &family, &length) == 0, family != AF_UNIX else {
            return nil
        }
        var count: Int32 = 0
        guard ioctl(descriptor, UInt(TIOCOUTQ), &count) == 0 else { return nil }
        return Int(count)
    }

    /// Whether nothing has come, and the peer has neither closed the connection nor broken it. Takes nothing.
    var isQuiet: Bool {
        var byte: UInt8 = 0
        return recvfrom(descriptor, &byte, 1, Self.flags | Int32(MSG_PEEK), nil, nil) < 0 && errno == EAGAIN
    }

    /// Makes a connection that somebody else has open look like one that the peer has closed: nothing is sent or comes any
    /// more, and what has come is thrown away.
    func spoil() {
        shutdown(descriptor, Int32(SHUT_RDWR))
        let scratch = ByteBuffer(capacity: 64 << 10)
        while case .bytes = receive(into: scratch, upTo: 64 << 10) { scratch.removeAll() }
    }

    private static var flags: Int32 { Int32(MSG_NOSIGNAL) | Int32(MSG_DONTWAIT) }
}
