import Logging

/// Tells of a Reporter's trouble once when it begins and once when it ends, and of refused events at most once a minute.
struct DeliveryTrouble {
    private static let refusalInterval: Int64 = 60_000_000_000

    private let destination: String
    private let isDurable: Bool
    private let log: ReporterLog
    private(set) var isOn = false
    /// Events given up since it began.
    private var lost = 0
    /// Refused events that have not been told of, and when some were last.
    private var untoldRefusals = 0
    private var lastRefusal: Int64?

    /// - Parameter destination: what to call it in the log.
    init(destination: String, isDurable: Bool, log: @escaping ReporterLog) {
        self.destination = destination
        self.isDurable = isDurable
        self.log = log
    }

    /// Nothing gets through.
    mutating func begin(_ reason: String) {
        guard !isOn else { return }
        isOn = true
        let consequence = isDurable ? "its events wait in the spool" : "its events wait in the queue"
        log(.error, "\(destination): \(reason); \(consequence)")
    }

    /// Something has got through.
    mutating func end() {
        guard isOn else { return }
        isOn = false
        log(.notice, "\(destination) takes events again; \(lost == 0 ? "none was given up" : "\(lost) were given up")")
        lost = 0
    }

    /// An event was given up because of the trouble.
    mutating func gaveUp(_ count: Int, _ reason: String) {
        begin(reason)
        lost += count
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
