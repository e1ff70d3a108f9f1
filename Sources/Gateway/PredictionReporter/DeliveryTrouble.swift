import Logging

/// Tells of a Reporter's trouble once when it begins and once when it ends, and of refused events at most once a minute.
///
/// Trouble that somebody must mend (`block`) is told whatever was told before, once for each cause, and shows in the metrics
/// until events get through.
struct DeliveryTrouble {
    private static let refusalInterval: Int64 = 60_000_000_000
    /// When a batch was last told of.
    private var lastSingling: Int64?

    private let destination: String
    private let isDurable: Bool
    private let block: ReporterBlock
    private let log: ReporterLog
    private(set) var isOn = false
    /// The causes that have been told of since it began.
    private var causes: [String] = []
    /// Events given up since it began.
    private var lost = 0
    /// Refused events that have not been told of, and when some were last.
    private var untoldRefusals = 0
    private var lastRefusal: Int64?

    /// - Parameter destination: what to call it in the log.
    init(destination: String, isDurable: Bool, block: ReporterBlock, log: @escaping ReporterLog) {
        self.destination = destination
        self.isDurable = isDurable
        self.block = block
        self.log = log
    }

    /// Somebody must mend something before events get through.
    var isBlocked: Bool { !causes.isEmpty }

    /// Nothing gets through.
    mutating func begin(_ reason: String) {
        guard !isOn else { return }
        isOn = true
        log(.error, "\(destination): \(reason); \(consequence)")
    }

    /// Nothing gets through as the destination is set up, whatever the events are.
    ///
    /// - Parameter cause: a stable word for programs.
    mutating func begin(_ reason: String, blockedBy cause: String) {
        isOn = true
        block.set(cause, by: .destination)
        guard !causes.contains(cause) else { return }
        causes.append(cause)
        log(.error, "\(destination): \(reason); no event gets through until that is mended; \(consequence)")
    }

    private var consequence: String { isDurable ? "its events wait in the spool" : "its events wait in the queue" }

    /// Something has got through.
    mutating func end() {
        guard isOn else { return }
        isOn = false
        causes = []
        block.set(nil, by: .destination)
        log(.notice, "\(destination) takes events again; \(lost == 0 ? "none was given up" : "\(lost) were given up")")
        lost = 0
    }

    /// Events were given up because of the trouble, which has begun.
    mutating func gaveUp(_ count: Int) { lost += count }

    /// A batch was refused as a whole, for what one of its events may be, or for its size.
    mutating func singledOut(_ count: Int, _ reason: String, now: Int64) {
        if let lastSingling, now - lastSingling < Self.refusalInterval { return }
        lastSingling = now
        log(.warning, "\(destination) refuses a batch of \(count) events: \(reason); they are sent one by one")
    }

    /// The destination will never take these events.
    mutating func refused(_ count: Int, _ reason: String, now: Int64) {
        untoldRefusals += count
        if let lastRefusal, now - lastRefusal < Self.refusalInterval { return }
        lastRefusal = now
        let which = untoldRefusals == 1 ? "an event" : "\(untoldRefusals) events"
        log(.error, "\(destination) refuses \(which): \(reason)")
        untoldRefusals = 0
    }
}

@available(*, unavailable)
extension DeliveryTrouble: Sendable {}
