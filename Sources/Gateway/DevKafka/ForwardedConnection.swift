/// A client's connection and the one to the server behind it: what comes by one goes out by the other, each way by itself
/// until its sender ends it.
final class ForwardedConnection {
    enum Side: Int, CaseIterable {
        case client, server
        var other: Side { self == .client ? .server : .client }
    }

    /// The bytes from one side that the other has not taken yet.
    private struct Direction {
        let buffer = ByteBuffer(capacity: ForwardedConnection.limit)
        /// The sender has ended.
        var hasEnded = false
        /// The receiver was told so, after all bytes.
        var isFinished = false
    }

    /// How many bytes of a direction are held before its sender is no longer read.
    static let limit = 64 << 10

    private let sockets: [StreamSocket]
    /// By the side that sends.
    private var directions = [Direction(), Direction()]
    /// What epoll watches each side for.
    var watched: [Epoll.Readiness] = [[], []]

    init(_ client: StreamSocket, _ server: StreamSocket) { sockets = [client, server] }

    func socket(_ side: Side) -> StreamSocket { sockets[side.rawValue] }

    func close() { for socket in sockets { socket.closeSocket() } }

    func interest(of side: Side) -> Epoll.Readiness {
        var interest: Epoll.Readiness = []
        let outgoing = directions[side.rawValue]
        if !outgoing.hasEnded && outgoing.buffer.count < Self.limit { interest.insert(.input) }
        if !directions[side.other.rawValue].buffer.isEmpty { interest.insert(.output) }
        return interest
    }

    /// Reads and writes what can be, after an event of one side; false when the connection is done with, or broken.
    func advance(_ side: Side) -> Bool {
        guard receive(from: side), send(from: side), send(from: side.other) else { return false }
        return !directions.allSatisfy(\.isFinished)
    }

    private func receive(from side: Side) -> Bool {
        let direction = directions[side.rawValue]
        let room = Self.limit - direction.buffer.count
        guard !direction.hasEnded, room > 0 else { return true }
        switch socket(side).receive(into: direction.buffer, upTo: room) {
        case .bytes, .nothingYet: return true
        case .ended:
            directions[side.rawValue].hasEnded = true
            return true
        case .failed: return false
        }
    }

    private func send(from side: Side) -> Bool {
        let direction = directions[side.rawValue]
        if !direction.buffer.isEmpty {
            guard case .bytes(let count) = socket(side.other).write(direction.buffer.view, .empty) else { return false }
            direction.buffer.removeFirst(count)
        }
        if direction.hasEnded, direction.buffer.isEmpty, !direction.isFinished {
            socket(side.other).endSending()
            directions[side.rawValue].isFinished = true
        }
        return true
    }
}

@available(*, unavailable)
extension ForwardedConnection: Sendable {}
