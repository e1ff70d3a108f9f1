/// Relays each TCP connection to a port of 127.0.0.1. One thread runs it.
final class TCPForwarder {
    private enum Kind: UInt8 {
        case stop, listening, connection
    }

    private static let maxConnections = 1_000

    private let epoll: Epoll
    private let listening: ListeningSocket
    private let target: Int
    private let stopSignal: EventFD
    private var connections: [Int32: ForwardedConnection] = [:]
    /// Never given twice while it may matter, so that no event is taken for that of a later connection.
    private var nextId: Int32 = 0
    private var isListening = false

    /// Takes the socket over. `run` ends when `stopSignal` is given.
    init(_ listening: ListeningSocket, target: Int, stopSignal: EventFD) throws(SystemError) {
        self.listening = listening
        self.target = target
        self.stopSignal = stopSignal
        epoll = try Epoll()
        try epoll.add(stopSignal.descriptor, .input, token: Epoll.Token(kind: Kind.stop.rawValue))
    }

    deinit { listening.closeSocket() }

    func run() throws(SystemError) {
        defer { for connection in connections.values { connection.close() } }
        while true {
            try listenAgain()
            // While no connection can be taken, one is tried for again each second.
            let count = try epoll.wait(timeoutMilliseconds: isListening ? -1 : 1_000)
            for index in 0..<count {
                let event = epoll.event(index)
                switch Kind(rawValue: event.token.kind) {
                case .stop: return
                case .listening: try accept()
                case .connection: try serve(event)
                case nil: break
                }
            }
        }
    }

    private func listenAgain() throws(SystemError) {
        guard !isListening, connections.count < Self.maxConnections else { return }
        try epoll.add(listening.descriptor, .input, token: Epoll.Token(kind: Kind.listening.rawValue))
        isListening = true
    }

    private func pauseListening() {
        epoll.remove(listening.descriptor)
        isListening = false
    }

    private func accept() throws(SystemError) {
        guard connections.count < Self.maxConnections else { return pauseListening() }
        switch StreamSocket.accept(from: listening) {
        case .nothingYet: break
        case .exhausted: pauseListening()
        case .socket(let client):
            guard let server = try? StreamSocket.connect(toLoopbackPort: target) else { return client.closeSocket() }
            let connection = ForwardedConnection(client, server)
            connections[nextId] = connection
            try update(connection, id: nextId)
            nextId = (nextId + 1) & 0x3FFF_FFFF
        }
    }

    private func serve(_ event: Epoll.Event) throws(SystemError) {
        let id = event.token.value >> 1
        // Closed by an earlier event of the same wait.
        guard let connection = connections[id] else { return }
        if connection.advance(ForwardedConnection.Side(rawValue: Int(event.token.value & 1)) ?? .client) {
            try update(connection, id: id)
        } else {
            // Closing takes the descriptors out of epoll.
            connection.close()
            connections[id] = nil
        }
    }

    /// Lets epoll watch for what the connection waits for now. A socket that waits for nothing is taken out altogether:
    /// epoll would go on reporting that its peer has hung up.
    private func update(_ connection: ForwardedConnection, id: Int32) throws(SystemError) {
        for side in ForwardedConnection.Side.allCases {
            let wanted = connection.interest(of: side)
            let watched = connection.watched[side.rawValue]
            if wanted == watched { continue }
            let socket = connection.socket(side).descriptor
            let token = Epoll.Token(kind: Kind.connection.rawValue, value: id << 1 | Int32(side.rawValue))
            if wanted.isEmpty {
                epoll.remove(socket)
            } else if watched.isEmpty {
                try epoll.add(socket, wanted, token: token)
            } else {
                try epoll.modify(socket, wanted, token: token)
            }
            connection.watched[side.rawValue] = wanted
        }
    }
}

@available(*, unavailable)
extension TCPForwarder: Sendable {}
