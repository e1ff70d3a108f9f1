/// What the thread of a Reporter that posts waits for: its transfers, and shards with new events.
final class HTTPTransferLoop {
    private enum TokenKind {
        static let receiver: UInt8 = 1
        static let wake: UInt8 = 2
    }

    let curl: CurlMulti
    private let epoll: Epoll
    private let wake: ReaderWake

    init(wake: ReaderWake, maxConnections: Int) throws(SystemError) {
        epoll = try Epoll()
        curl = CurlMulti(epoll: epoll, tokenKind: TokenKind.receiver, maxIdleConnections: maxConnections)
        self.wake = wake
        try epoll.add(wake.event.descriptor, .input, token: Epoll.Token(kind: TokenKind.wake))
    }

    /// Moves the transfers on, and tells of those that have ended.
    func runTransfers() {
        curl.runTimers(now: Clock.monotonic())
        curl.deliverFinished()
    }

    /// Waits for something to happen, at most until `time` on `Clock.monotonic`.
    ///
    /// - Parameter source: whose new events are to end the wait; nil: none do.
    func wait(until time: Int64, orEventsIn source: (any EventSource)?) throws(SystemError) {
        let time = min(time, curl.deadline ?? .max)
        var timeout = Self.milliseconds(until: time)
        if let source, !wake.beginSleep(unless: { source.hasEvents }) { timeout = 0 }
        defer { if source != nil { wake.endSleep() } }
        let count = try epoll.wait(timeoutMilliseconds: timeout)
        for index in 0..<count {
            let event = epoll.event(index)
            if event.token.kind == TokenKind.wake { wake.event.clear() } else { curl.socketReady(event) }
        }
    }

    /// Rounded up, so as not to spin.
    private static func milliseconds(until time: Int64) -> Int32 {
        if time == .max { return -1 }
        let left = time - Clock.monotonic()
        return left <= 0 ? 0 : Int32(clamping: (left + 999_999) / 1_000_000)
    }

    /// Closes all connections; no transfer may be out.
    func shutDown() { curl.shutDown() }
}

@available(*, unavailable)
extension HTTPTransferLoop: Sendable {}
