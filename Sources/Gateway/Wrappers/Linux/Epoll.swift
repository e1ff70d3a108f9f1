private import CLinux
private import Glibc

/// An epoll instance (epoll(7)). Confined to the thread of its shard.
final class Epoll {
    /// What one wait reported about one descriptor.
    struct Event {
        var token: Token
        var readiness: Readiness
    }

    /// What a registered descriptor is for, carried in epoll's 64 bits of user data.
    ///
    /// The generation tells an event of a descriptor that has since been closed and reused from one of its successor.
    struct Token: Equatable {
        var kind: UInt8
        var generation: UInt32
        var value: Int32

        init(kind: UInt8, generation: UInt32 = 0, value: Int32 = 0) {
            self.kind = kind
            self.generation = generation & 0xFF_FFFF
            self.value = value
        }

        fileprivate init(bits: UInt64) {
            self.kind = UInt8(truncatingIfNeeded: bits >> 56)
            self.generation = UInt32(truncatingIfNeeded: bits >> 32) & 0xFF_FFFF
            self.value = Int32(truncatingIfNeeded: bits)
        }

        fileprivate var bits: UInt64 {
            UInt64(kind) << 56 | UInt64(generation) << 32 | UInt64(UInt32(bitPattern: value))
        }
    }

    struct Readiness: OptionSet {
        let rawValue: UInt32
        static let input = Readiness(rawValue: EPOLLIN.rawValue)
        static let output = Readiness(rawValue: EPOLLOUT.rawValue)
        static let peerClosed = Readiness(rawValue: EPOLLRDHUP.rawValue)
        static let edgeTriggered = Readiness(rawValue: EPOLLET.rawValue)
        /// Reported whether asked for or not.
        static let error = Readiness(rawValue: EPOLLERR.rawValue)
        /// Reported whether asked for or not.
        static let hangUp = Readiness(rawValue: EPOLLHUP.rawValue)
    }

    private let descriptor: Int32
    private let events: UnsafeMutableBufferPointer<epoll_event>
    /// How many events of the last wait are still to be asked for.
    private var left = 0
    /// Whether the last wait could have brought more.
    private var mayHoldMore = false

    /// For tests: as if the system had no room for more descriptors (ENOSPC, epoll_ctl(2)).
    var isFull = false

    init(maxEvents: Int = 256) throws(SystemError) {
        descriptor = epoll_create1(Int32(EPOLL_CLOEXEC))
        guard descriptor >= 0 else { throw SystemError.last("epoll_create1") }
        events = .allocate(capacity: maxEvents)
        events.initialize(repeating: epoll_event())
    }

    deinit {
        close(descriptor)
        events.deallocate()
    }

    func add(_ socket: Int32, _ interest: Readiness, token: Token) throws(SystemError) {
        if isFull { throw SystemError(call: "epoll_ctl", code: ENOSPC) }
        try control(EPOLL_CTL_ADD, socket, interest, token)
    }

    func modify(_ socket: Int32, _ interest: Readiness, token: Token) throws(SystemError) {
        try control(EPOLL_CTL_MOD, socket, interest, token)
    }

    /// Forgets a descriptor; one that is closed already was forgotten by the kernel, which is no error.
    func remove(_ socket: Int32) {
        var event = epoll_event()
        _ = epoll_ctl(descriptor, EPOLL_CTL_DEL, socket, &event)
    }

    private func control(
        _ operation: Int32,
        _ socket: Int32,
        _ interest: Readiness,
        _ token: Token
    ) throws(SystemError) {
        var event = epoll_event()
        event.events = interest.rawValue
        event.data.u64 = token.bits
        guard epoll_ctl(descriptor, operation, socket, &event) == 0 else { throw SystemError.last("epoll_ctl") }
    }

    /// Waits up to `timeoutMilliseconds` (-1: for ever) and returns how many events there are; 0 after a signal too.
    func wait(timeoutMilliseconds: Int32) throws(SystemError) -> Int {
        let result = epoll_wait(descriptor, events.baseAddress, Int32(events.count), timeoutMilliseconds)
        left = max(Int(result), 0)
        mayHoldMore = result < 0 || left == events.count
        guard result >= 0 || errno == EINTR else { throw SystemError.last("epoll_wait") }
        return left
    }

    /// Whether all that the last wait could tell has been told and asked for: nothing else was ready by then.
    var hasToldAll: Bool { left == 0 && !mayHoldMore }

    /// One of the events of the last wait, asked for one after the other.
    func event(_ index: Int) -> Event {
        left -= 1
        return Event(token: Token(bits: events[index].data.u64), readiness: Readiness(rawValue: events[index].events))
    }
}

@available(*, unavailable)
extension Epoll: Sendable {}
