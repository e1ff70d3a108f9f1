import Foundation

/// An upper bound for waiting. Tests use it only so that nothing hangs for ever: no test asserts how long a thing took.
package struct Deadline: Sendable {
    /// Long enough for a loaded machine and a build with sanitizers.
    package static let standardSeconds = 30.0

    private let end: ContinuousClock.Instant

    package init(seconds: Double = Deadline.standardSeconds) {
        end = ContinuousClock.now + .seconds(seconds)
    }

    package var hasPassed: Bool { ContinuousClock.now >= end }

    /// What is left, as poll(2) takes it: at least 0, at most `limit`.
    package func remainingMilliseconds(limit: Int32 = .max) -> Int32 {
        let left = end - ContinuousClock.now
        guard left > .zero else { return 0 }
        let (seconds, attoseconds) = left.components
        let milliseconds = seconds * 1000 + attoseconds / 1_000_000_000_000_000 + 1
        return Int32(min(Int64(limit), milliseconds))
    }
}

/// Polls `condition` until it holds; false when it did not within the given time.
package func eventually(
    within seconds: Double = Deadline.standardSeconds,
    _ condition: () throws -> Bool
) rethrows -> Bool {
    let deadline = Deadline(seconds: seconds)
    while true {
        if try condition() { return true }
        if deadline.hasPassed { return false }
        usleep(2_000)
    }
}

/// Polls `value` until it gives something; nil when it did not within the given time.
package func eventuallyValue<Value>(
    within seconds: Double = Deadline.standardSeconds,
    _ value: () throws -> Value?
) rethrows -> Value? {
    var found: Value?
    _ = try eventually(within: seconds) {
        found = try value()
        return found != nil
    }
    return found
}

/// Calls at a steady rate, for load: when the next call is due, and the wait until then.
package struct Pacer {
    private let interval: Duration
    /// When the current call was due: latency counts from here, so that a slow answer does not hide those behind it.
    package private(set) var due: ContinuousClock.Instant

    package init(perSecond: Double) {
        interval = .seconds(1 / perSecond)
        due = ContinuousClock.now
    }

    /// Returns when the next call is due; at once where it is late.
    package mutating func wait() {
        due += interval
        let left = (due - ContinuousClock.now).components
        guard left.seconds >= 0, left.attoseconds > 0 else { return }
        usleep(UInt32(min(left.seconds, 60)) * 1_000_000 + UInt32(left.attoseconds / 1_000_000_000_000))
    }
}
