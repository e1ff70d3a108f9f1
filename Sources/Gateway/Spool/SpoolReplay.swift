import Logging
import Synchronization

/// Tells in the log how the events of earlier runs go out. For the main thread, after the spool has been opened.
struct SpoolReplay {
    enum State { case going, done }

    /// Between two lines about one Reporter, at least; none tells what the one before has told.
    static let interval: Int64 = 10_000_000_000

    private let lanes: [StoredLane]
    /// Where each lane ended when this run began.
    private let ends: [Int64]
    private let settings: SpoolSettings
    private var readers: [Reader]

    private struct Reader {
        let index: Int
        let name: String
        let total: Int
        /// When it was last told of, and how many bytes waited then.
        var told: Int64
        var waiting: Int
    }

    /// nil where nothing waits.
    init?(_ lanes: [StoredLane], _ settings: SpoolSettings, now: Int64) {
        self.lanes = lanes
        self.settings = settings
        ends = lanes.map { $0.end.load(ordering: .acquiring) }
        readers = []
        for (index, reporter) in settings.reporters.enumerated() {
            let total = waiting(for: index)
            guard total > 0 else { continue }
            readers.append(Reader(index: index, name: reporter.name, total: total, told: now, waiting: total))
        }
        guard !readers.isEmpty else { return nil }
        let sums = readers.map { "\($0.total) bytes for Reporter \($0.name)" }
        settings.log(.notice, "events of an earlier run wait: \(sums.joined(separator: ", "))")
    }

    /// Tells who has come to the end, and now and then how far the others are.
    mutating func report(now: Int64) -> State {
        for index in readers.indices.reversed() {
            let reader = readers[index]
            let waiting = waiting(for: reader.index)
            if waiting == 0 {
                settings.log(.notice, "Reporter \(reader.name): no event of an earlier run waits any more")
                readers.remove(at: index)
            } else if waiting < reader.waiting, now - reader.told >= Self.interval {
                let percent = (reader.total - waiting) * 100 / reader.total
                let text = "\(percent) % of an earlier run's events are behind it, \(waiting) bytes wait"
                settings.log(.notice, "Reporter \(reader.name): \(text)")
                readers[index].told = now
                readers[index].waiting = waiting
            }
        }
        return readers.isEmpty ? .done : .going
    }

    private func waiting(for reader: Int) -> Int {
        zip(lanes, ends).reduce(0) { $0 + max(0, $1.0.waiting(for: reader, before: $1.1)) }
    }
}
