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
            received = recv(descriptor, room, length, Self.flags)
            return max(received, 0)
        }
        if received > 0 { return .bytes(received) }
        if received == 0 { return .ended }
        return errno == EAGAIN || errno == EINTR ? .nothingYet : .failed
    }

    private static var flags: Int32 { Int32(MSG_NOSIGNAL) | Int32(MSG_DONTWAIT) }
}
