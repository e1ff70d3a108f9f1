private import Glibc

/// A TCP socket that listens. Whoever has it last closes it.
struct ListeningSocket {
    /// How many connections that are complete the kernel holds until they are accepted.
    static let backlog = 4096

    let descriptor: Int32
    /// The port it is bound to, also where 0 was asked for.
    let port: Int

    /// Sockets of one port, over which the kernel spreads connections by a hash (SO_REUSEPORT, socket(7)).
    ///
    /// - Parameter port: 0: any free one.
    static func group(_ count: Int, host: String, port: Int) throws(SystemError) -> [ListeningSocket] {
        guard count > 1 else { return [try ListeningSocket(host: host, port: port)] }
        // They would share the port with another program's too, unnoticed.
        if port != 0 { try ListeningSocket(host: host, port: port).closeSocket() }
        var sockets: [ListeningSocket] = []
        do throws(SystemError) {
            for _ in 0..<count {
                sockets.append(try ListeningSocket(host: host, port: sockets.first?.port ?? port, isShared: true))
            }
        } catch {
            for socket in sockets { socket.closeSocket() }
            throw error
        }
        return sockets
    }

    /// Binds and listens; `host` is an address or a name (getaddrinfo(3)).
    ///
    /// - Parameter isShared: whether others that are shared may listen on the same address.
    init(host: String, port: Int, isShared: Bool = false) throws(SystemError) {
        let name = "listen on \(host.contains(":") ? "[\(host)]" : host):\(port)"
        var hints = addrinfo()
        hints.ai_flags = AI_PASSIVE | AI_NUMERICSERV
        hints.ai_socktype = Int32(SOCK_STREAM.rawValue)
        var found: UnsafeMutablePointer<addrinfo>?
        let status = getaddrinfo(host.isEmpty ? nil : host, String(port), &hints, &found)
        guard status == 0, let address = found else {
            throw SystemError(call: "\(name): \(String(cString: gai_strerror(status)))", code: EADDRNOTAVAIL)
        }
        defer { freeaddrinfo(found) }
        let type = Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue) | Int32(SOCK_NONBLOCK.rawValue)
        let socket = Glibc.socket(address.pointee.ai_family, type, 0)
        guard socket >= 0 else { throw SystemError.last(name) }
        var one: Int32 = 1
        setsockopt(socket, SOL_SOCKET, SO_REUSEADDR, &one, 4)
        if isShared { setsockopt(socket, SOL_SOCKET, SO_REUSEPORT, &one, 4) }
        guard
            Glibc.bind(socket, address.pointee.ai_addr, address.pointee.ai_addrlen) == 0,
            Glibc.listen(socket, Int32(Self.backlog)) == 0
        else {
            let error = SystemError.last(name)
            close(socket)
            throw error
        }
        self.descriptor = socket
        self.port = Self.boundPort(socket) ?? port
    }

    func closeSocket() { close(descriptor) }

    private static func boundPort(_ socket: Int32) -> Int? {
        var storage = sockaddr_storage()
        var length = socklen_t(MemoryLayout<sockaddr_storage>.size)
        let status = withUnsafeMutablePointer(to: &storage) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) { getsockname(socket, $0, &length) }
        }
        guard status == 0 else { return nil }
        return withUnsafePointer(to: &storage) { pointer in
            if pointer.pointee.ss_family == sa_family_t(AF_INET6) {
                return pointer.withMemoryRebound(to: sockaddr_in6.self, capacity: 1) {
                    Int(UInt16(bigEndian: $0.pointee.sin6_port))
                }
            }
            return pointer.withMemoryRebound(to: sockaddr_in.self, capacity: 1) {
                Int(UInt16(bigEndian: $0.pointee.sin_port))
            }
        }
    }
}
