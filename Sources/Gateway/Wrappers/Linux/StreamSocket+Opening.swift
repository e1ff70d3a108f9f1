private import CLinux
private import Glibc

/// Sockets that are opened and closed here, and belong to who opened them.
extension StreamSocket {
    enum Accepted {
        case socket(StreamSocket)
        case nothingYet
        /// No connection can be taken now: there are no more descriptors, or no memory.
        case exhausted
    }

    /// Takes a waiting connection (accept(2)).
    ///
    /// - Parameter sendsAtOnce: whether what is written leaves at once, however little it is (TCP_NODELAY).
    static func accept(from listening: ListeningSocket, sendsAtOnce: Bool = true) -> Accepted {
        while true {
            let descriptor = CLinux_accept(listening.descriptor)
            if descriptor >= 0 {
                return .socket(sendsAtOnce ? opened(descriptor) : StreamSocket(descriptor: descriptor))
            }
            switch errno {
            case EMFILE, ENFILE, ENOBUFS, ENOMEM: return .exhausted
            case EAGAIN: return .nothingYet
            default: continue  // interrupted, or the connection is gone before it was taken
            }
        }
    }

    /// Begins to connect to a port of 127.0.0.1; what comes of it, the first write or read tells (connect(2)).
    static func connect(toLoopbackPort port: Int) throws(SystemError) -> StreamSocket {
        let type = Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue) | Int32(SOCK_NONBLOCK.rawValue)
        let descriptor = socket(AF_INET, type, 0)
        guard descriptor >= 0 else { throw .last("socket") }
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = in_port_t(UInt16(clamping: port).bigEndian)
        address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
        let status = withUnsafePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                Glibc.connect(descriptor, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
            }
        }
        guard status == 0 || errno == EINPROGRESS else {
            let error = SystemError.last("connect to 127.0.0.1:\(port)")
            close(descriptor)
            throw error
        }
        return opened(descriptor)
    }

    /// The descriptor of a new socket (socket(2)), which children do not inherit.
    static func open(_ family: Int32, _ type: Int32, _ number: Int32) throws(SystemError) -> Int32 {
        let descriptor = socket(family, type | Int32(SOCK_CLOEXEC.rawValue), number)
        guard descriptor >= 0 else { throw .last("socket") }
        return descriptor
    }

    private static func opened(_ descriptor: Int32) -> StreamSocket {
        var on: Int32 = 1
        setsockopt(descriptor, Int32(IPPROTO_TCP), TCP_NODELAY, &on, 4)
        return StreamSocket(descriptor: descriptor)
    }

    /// Tells the peer that no more will be sent (shutdown(2)).
    func endSending() { shutdown(descriptor, Int32(SHUT_WR)) }

    func closeSocket() { close(descriptor) }
}
