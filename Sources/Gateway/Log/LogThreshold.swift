import Logging
import Synchronization

/// The least important level that is logged. Any thread; the main thread changes it when a signal says so.
final class LogThreshold: Sendable {
    private let index: Atomic<Int>

    init(_ level: Logger.Level) { index = Atomic(Self.position(of: level)) }

    var level: Logger.Level {
        get { Logger.Level.allCases[index.load(ordering: .relaxed)] }
        set { index.store(Self.position(of: newValue), ordering: .relaxed) }
    }

    /// Moves by one level: towards `trace`, or towards `critical`. At the end it stays.
    func step(towardsMore: Bool) {
        let next = Self.position(of: level) + (towardsMore ? -1 : 1)
        if Logger.Level.allCases.indices.contains(next) { level = Logger.Level.allCases[next] }
    }

    private static func position(of level: Logger.Level) -> Int { Logger.Level.allCases.firstIndex(of: level) ?? 0 }
}
