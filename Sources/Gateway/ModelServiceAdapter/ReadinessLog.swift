/// Tells in the log when one Model Service becomes ready, and when it no longer is. On one shard.
struct ReadinessLog {
    /// For so long after the start a model that is not ready yet is not spoken of: it may take a moment.
    static let patience: Int64 = 5_000_000_000
    /// Between two lines on a model that is not ready for one reason after the other.
    private static let interval: Int64 = 60_000_000_000

    /// Such as `iris 1`.
    let model: String
    /// Where Predictions come from.
    let url: String
    let log: (_ isWell: Bool, _ message: String) -> Void
    /// Nanoseconds of the monotonic clock.
    let start: Int64
    /// What was told last; nil: nothing yet.
    private var told: Readiness.Standing?
    private var toldAt: Int64 = 0
    private var wasReady = false

    init(model: String, url: String, start: Int64, log: @escaping (_ isWell: Bool, _ message: String) -> Void) {
        self.model = model
        self.url = url
        self.start = start
        self.log = log
    }

    /// - Parameter now: nanoseconds of the monotonic clock.
    mutating func note(_ standing: Readiness.Standing, now: Int64) {
        if standing.isReady {
            guard told?.isReady != true else { return }
            let after = told.map { " again, after \(Self.time(standing.since - $0.since))" } ?? ""
            log(true, "model \(model) is ready\(wasReady ? after : ""): \(url)")
            wasReady = true
        } else if let told, told.isReady {
            log(
                false,
                "model \(model) is not ready: \(standing.reason ?? ""); it was ready since \(Self.stamp(told.since))"
            )
        } else {
            guard now - start >= Self.patience, told?.reason != standing.reason else { return }
            guard told == nil || now - toldAt >= Self.interval else { return }
            let state = wasReady ? "still not ready" : "not ready yet"
            log(
                false,
                "model \(model) is \(state), after \(Self.time(Clock.wall() - standing.since)): \(standing.reason ?? "")"
            )
        }
        (told, toldAt) = (standing, now)
    }

    /// In whole seconds, or milliseconds below one.
    private static func time(_ nanoseconds: Int64) -> String {
        let unit: Int64 = nanoseconds >= 1_000_000_000 ? 1_000_000_000 : 1_000_000
        return DurationText.describe(.nanoseconds(nanoseconds / unit * unit))
    }

    private static func stamp(_ wall: Int64) -> String {
        let text = ByteBuffer(capacity: TimestampWriter.length)
        TimestampWriter().append(wall, to: text)
        return withExtendedLifetime(text) { text.view.string }
    }
}
