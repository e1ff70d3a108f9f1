import Logging

/// Tells of requests that were refused before they were whole: to who looks closely, each of them; to everybody, once a minute
/// at most, that a client speaks another protocol, which means a wrong setting. One per shard; confined to its thread.
final class RefusalLog {
    /// Nanoseconds.
    private static let interval: Int64 = 60_000_000_000

    private let log: Logger
    /// When to tell everybody again, on `Clock.monotonic`.
    private var next = Int64.min

    init(_ log: Logger) { self.log = log }

    func note(_ refusal: HTTP1Refusal) {
        let isOtherProtocol = refusal.kind == .tls || refusal.kind == .http2
        guard isOtherProtocol, Clock.monotonic() >= next else {
            log.debug("a request is refused: \(refusal.reason)")
            return
        }
        next = Clock.monotonic() + Self.interval
        log.warning("a client is refused: \(refusal.reason) (told once a minute)")
    }
}

@available(*, unavailable)
extension RefusalLog: Sendable {}
