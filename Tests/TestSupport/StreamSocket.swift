import Foundation
import Synchronization

/// Where a test's socket is: never anywhere but on this machine.
package enum Endpoint: Sendable, Equatable {
    case tcp(port: UInt16)
    case unix(path: String)
}

/// How waiting on a socket ended other than by what was waited for.
package enum SocketError: Error, Equatable {
    case refused
    case timedOut
    /// Reset, or written to after the peer had closed.
    case reset
    /// The gate that interrupts was opened.
    case interrupted
    case system(Int32)

    init(errno code: Int32) {
        switch code {
        case ECONNREFUSED, ENOENT: self = .refused
        case ECONNRESET, EPIPE: self = .reset
        default: self = .system(code)
        }
    }
}

/// A connected stream socket with a deadline on everything, closed with the last reference to it.
package final class StreamSocket: @unchecked Sendable {
    // Sendable: the descriptor never changes before deinit, and the calls on it are thread-safe. One reader and writer.
    let descriptor: Int32
    /// Ends all waiting when it opens.
    private let interrupt: Gate?

    init(descriptor: Int32, interrupt: Gate? = nil) {
        self.descriptor = descriptor
        self.interrupt = interrupt
        let flags = fcntl(descriptor, F_GETFL)
        _ = fcntl(descriptor, F_SETFL, flags | O_NONBLOCK)
        var on: Int32 = 1
        setsockopt(descriptor, Int32(IPPROTO_TCP), TCP_NODELAY, &on, socklen_t(MemoryLayout<Int32>.size))
    }

    deinit { close(descriptor) }

    package convenience init(connectingTo endpoint: Endpoint, deadline: Deadline = Deadline()) throws {
        self.init(descriptor: try makeSocket(endpoint))
        let result = endpoint.withSocketAddress { connect(descriptor, $0, $1) }
        if result == 0 { return }
        guard errno == EINPROGRESS else { throw SocketError(errno: errno) }
        _ = try wait(for: POLLOUT, deadline)
        var code: Int32 = 0
        var size = socklen_t(MemoryLayout<Int32>.size)
        getsockopt(descriptor, SOL_SOCKET, SO_ERROR, &code, &size)
        if code != 0 { throw SocketError(errno: code) }
    }

    /// Waits until the socket is ready; gives the events that poll(2) saw.
    @discardableResult
    package func wait(for events: Int32, or gate: Gate? = nil, _ deadline: Deadline) throws -> Int32 {
        while true {
            var entries = [
                pollfd(fd: descriptor, events: Int16(events), revents: 0),
                pollfd(fd: interrupt?.descriptor ?? -1, events: Int16(POLLIN), revents: 0),
                pollfd(fd: gate?.descriptor ?? -1, events: Int16(POLLIN), revents: 0),
            ]
            let count = poll(&entries, nfds_t(entries.count), deadline.remainingMilliseconds())
            if count < 0 && errno != EINTR { throw SocketError(errno: errno) }
            if count > 0 {
                if entries[1].revents != 0 { throw SocketError.interrupted }
                return Int32(entries[0].revents)
            }
            if deadline.hasPassed { throw SocketError.timedOut }
        }
    }

    /// Some bytes; none at the end of the stream.
    package func read(atMost count: Int = 64 << 10, _ deadline: Deadline) throws -> [UInt8] {
        while true {
            var failure: Int32 = 0
            let bytes = [UInt8](unsafeUninitializedCapacity: count) { buffer, used in
                let result = recv(descriptor, buffer.baseAddress, buffer.count, 0)
                if result < 0 { failure = errno }
                used = max(0, result)
            }
            if failure == 0 { return bytes }
            guard failure == EAGAIN || failure == EINTR else { throw SocketError(errno: failure) }
            try wait(for: POLLIN, deadline)
        }
    }

    package func write(_ bytes: some Sequence<UInt8>, _ deadline: Deadline = Deadline()) throws {
        let bytes = Array(bytes)
        var sent = 0
        while sent < bytes.count {
            let result = bytes.withUnsafeBytes {
                send(descriptor, $0.baseAddress! + sent, bytes.count - sent, Int32(MSG_NOSIGNAL))
            }
            if result >= 0 {
                sent += result
            } else if errno == EAGAIN || errno == EINTR {
                try wait(for: POLLOUT, deadline)
            } else {
                throw SocketError(errno: errno)
            }
        }
    }

    /// Acknowledges what has come at once (TCP_QUICKACK, tcp(7)).
    package func acknowledge() {
        var on: Int32 = 1
        setsockopt(descriptor, Int32(IPPROTO_TCP), TCP_QUICKACK, &on, socklen_t(MemoryLayout<Int32>.size))
    }

    /// No more will be written; what the peer sends can still be read.
    package func finishWriting() { shutdown(descriptor, Int32(SHUT_WR)) }

    /// Both directions end now; the peer sees an orderly end.
    package func finish() { shutdown(descriptor, Int32(SHUT_RDWR)) }

    /// Makes the coming close (when the last reference goes) a reset (RST).
    package func resetOnClose() {
        var linger = linger(l_onoff: 1, l_linger: 0)
        setsockopt(descriptor, SOL_SOCKET, SO_LINGER, &linger, socklen_t(MemoryLayout.size(ofValue: linger)))
    }

    /// POLLRDHUP of poll(2), which the Glibc module leaves out.
    static let peerClosed: Int32 = 0x2000
}

/// A listening socket on loopback. Between `init` and `listen` its port is taken but refuses connections.
final class ListeningSocket: @unchecked Sendable {
    // Sendable: as StreamSocket.
    let descriptor: Int32
    let endpoint: Endpoint

    init(_ wanted: Endpoint) throws {
        let descriptor = try makeSocket(wanted)
        self.descriptor = descriptor
        let result = wanted.withSocketAddress { bind(descriptor, $0, $1) }
        let code = errno
        guard case .tcp = wanted else {
            endpoint = wanted
            if result != 0 { throw SocketError(errno: code) }
            return
        }
        var address = sockaddr_in()
        var size = socklen_t(MemoryLayout<sockaddr_in>.size)
        withUnsafeMutablePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) { _ = getsockname(descriptor, $0, &size) }
        }
        endpoint = .tcp(port: UInt16(bigEndian: address.sin_port))
        if result != 0 { throw SocketError(errno: code) }
    }

    deinit {
        close(descriptor)
        if case .unix(let path) = endpoint { unlink(path) }
    }

    func startListening() throws {
        guard listen(descriptor, 1024) == 0 else { throw SocketError(errno: errno) }
    }

    /// The next connection; nil when the gate opened.
    func accept(until stop: Gate) -> Int32? {
        while true {
            var entries = [
                pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0),
                pollfd(fd: stop.descriptor, events: Int16(POLLIN), revents: 0),
            ]
            guard poll(&entries, 2, -1) > 0 || errno == EINTR else { return nil }
            if entries[1].revents != 0 { return nil }
            guard entries[0].revents != 0 else { continue }
            let connection = inheritance.withLock {
                let connection = Glibc.accept(descriptor, nil, nil)
                if connection >= 0 { _ = fcntl(connection, F_SETFD, FD_CLOEXEC) }
                return connection
            }
            if connection >= 0 { return connection }
        }
    }
}

private func makeSocket(_ endpoint: Endpoint) throws -> Int32 {
    let family =
        switch endpoint {
        case .tcp: AF_INET
        case .unix: AF_UNIX
        }
    let descriptor = socket(family, Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue), 0)
    guard descriptor >= 0 else { throw SocketError(errno: errno) }
    return descriptor
}

extension Endpoint {
    /// The loopback address 127.0.0.1, or the path.
    fileprivate func withSocketAddress<Result>(_ body: (UnsafePointer<sockaddr>, socklen_t) -> Result) -> Result {
        switch self {
        case .tcp(let port):
            var address = sockaddr_in()
            address.sin_family = sa_family_t(AF_INET)
            address.sin_port = port.bigEndian
            address.sin_addr.s_addr = UInt32(0x7f00_0001).bigEndian
            return withUnsafePointer(to: &address) {
                $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                    body($0, socklen_t(MemoryLayout<sockaddr_in>.size))
                }
            }
        case .unix(let path):
            var address = sockaddr_un()
            address.sun_family = sa_family_t(AF_UNIX)
            let room = MemoryLayout.size(ofValue: address.sun_path)
            precondition(path.utf8.count < room, "too long for a socket's path: \(path)")
            withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: path.utf8) }
            return withUnsafePointer(to: &address) {
                $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                    body($0, socklen_t(MemoryLayout<sockaddr_un>.size))
                }
            }
        }
    }
}
