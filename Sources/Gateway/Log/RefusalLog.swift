import Logging

/// Tells of requests that were refused before they were whole: to who looks closely, so many a second; to everybody, that a
/// client speaks another protocol, which means a wrong setting. One per shard; confined to its thread.
final class RefusalLog {
    /// In nanoseconds, between two lines to everybody.
    private static let interval: Int64 = 60_000_000_000

    private let log: Logger
    private let rate = LogRate()
    /// When to tell everybody again, on `Clock.monotonic`.
    private var next = Int64.min

    init(_ log: Logger) { self.log = log }

    /// - Parameter isOtherProtocol: what came is no HTTP/1.
    func note(_ reason: StaticString, isOtherProtocol: Bool) {
        let now = Clock.monotonic()
        if isOtherProtocol, now >= next {
            next = now + Self.interval
            log.warning("a client is refused: \(reason) (told once a minute)")
        } else if log.logLevel <= .debug, let more = rate.admit(now: now) {
            log.debug("a request is refused: \(reason)\(more)")
        }
    }
}

@available(*, unavailable)
extension RefusalLog: Sendable {}
