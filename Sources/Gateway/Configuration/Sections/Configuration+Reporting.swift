extension Configuration {
    public struct Reporting: Sendable, Equatable {
        /// What of the request goes into the events: nothing, each row's own part, the whole body once.
        public enum Capture: String, Sendable, CaseIterable { case none, input, body }
        public enum Delivery: String, Sendable, CaseIterable {
            case bestEffort = "best-effort"
            case atLeastOnce = "at-least-once"
        }

        public var delivery = Delivery.bestEffort
        public var capture = Capture.none
        /// Where a whole body is cut.
        public var maxCaptureBytes = 64 << 10
        /// The longest event: of longer ones parts are left out.
        public var maxEventBytes = 1 << 20
        /// Per Reporter: what waits to be delivered. Best effort only.
        public var maxQueueBytes = 64 << 20
        /// At least once only.
        public var spool = Spool()
        public var reporters: [Reporter] = []

        public init() {}
    }

    /// Where events stay on disk until every Reporter has delivered them.
    public struct Spool: Sendable, Equatable {
        public enum Fsync: String, Sendable, CaseIterable { case never, interval, always }
        public enum WhenFull: String, Sendable, CaseIterable {
            case refuse
            case dropOldest = "drop-oldest"
        }

        /// A directory; made where it is missing.
        public var path = "spool"
        public var maxBytes = 1 << 30
        public var fsync = Fsync.interval
        /// Between two syncs under `interval`: what a power cut may cost.
        public var fsyncInterval: Duration = .seconds(1)
        public var whenFull = WhenFull.refuse

        public init() {}
    }
}

extension Configuration.Reporting {
    static let keys: [ConfigurationKey] = [
        .words(
            "reporting.delivery",
            .at(\.reporting.delivery),
            "What happens to events that a Reporter cannot take in time: they are dropped and counted, or wait on disk."
        ),
        .words(
            "reporting.capture",
            .at(\.reporting.capture),
            "What of the request goes into the events: nothing, each row's own part of it, or once the whole body."
        ),
        .size(
            "reporting.maxCaptureBytes",
            .at(\.reporting.maxCaptureBytes),
            0...1 << 30,
            "Where a captured body is cut."
        ),
        .size(
            "reporting.maxEventBytes",
            .at(\.reporting.maxEventBytes),
            16 << 10...1 << 30,
            "The longest event; of a longer one request, input and value are left out, in this order."
        ),
        .size(
            "reporting.maxQueueBytes",
            .at(\.reporting.maxQueueBytes),
            1 << 10...ConfigurationSchema.maxSize,
            "The most that may wait to be delivered, per Reporter; best effort only."
        ),
        .text(
            "reporting.spool.path",
            .at(\.reporting.spool.path),
            type: "path",
            "Where events wait under at-least-once; made where it is missing, relative to the working directory."
        ),
        .size(
            "reporting.spool.maxBytes",
            .at(\.reporting.spool.maxBytes),
            64 << 10...ConfigurationSchema.maxSize,
            "The most that may wait there."
        ),
        .words(
            "reporting.spool.fsync",
            .at(\.reporting.spool.fsync),
            "When events are forced from memory to disk: never, at an interval, or always before the client is answered."
        ),
        .duration(
            "reporting.spool.fsyncInterval",
            .at(\.reporting.spool.fsyncInterval),
            .milliseconds(1)...ConfigurationSchema.hour,
            "The time between two syncs under interval, which is what a power cut may cost."
        ),
        .words(
            "reporting.spool.whenFull",
            .at(\.reporting.spool.whenFull),
            "What happens at maxBytes: predictions are refused, or the oldest events are dropped."
        ),
    ]
}
