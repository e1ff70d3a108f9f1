/// Everything that can be set, with its default. Sizes are in bytes.
public struct Configuration: Sendable, Equatable {
    public var server = Server()
    public var models: [Model] = []
    public var reporting = Reporting()
    public var providers = Providers()
    public var ui = UI()
    public var log = Log()

    public init() {}

    public struct Server: Sendable, Equatable {
        public var host = "127.0.0.1"
        /// 0: any free port; the one chosen is logged.
        public var port = 8080
        /// How many threads serve; 0: one per available core.
        public var shards = 0
        public var maxBodyBytes = 16 << 20
        public var maxHeaderBytes = 8 << 10
        /// Over all shards.
        public var maxConnections = 20_000
        /// Requests being worked on, over all shards; more are refused with 503.
        public var maxInFlight = 10_000
        /// All request bodies together, over all shards; 0: a quarter of the memory that the process may have, at most 1 GiB.
        public var maxInFlightBytes = 0
        /// From a connection's beginning, or the first byte of a later request, to the end of the header.
        public var headTimeout: Duration = .seconds(10)
        /// In each such time, a body that comes and an answer that is read must go on by 1 KiB a second.
        public var bodyTimeout: Duration = .seconds(60)
        public var idleTimeout: Duration = .seconds(75)
        public var drainTimeout: Duration = .seconds(25)
        /// Other names that the Sidecar is asked by: joined by commas, `*.` for all below a domain, `*` for any.
        public var allowedHosts = ""

        public init() {}
    }

    public struct Model: Sendable, Equatable {
        public enum ServiceProtocol: String, Sendable, CaseIterable { case native, v1, v2, raw }

        /// What carries the calls: `direct` (our framing, no TLS), `curl` (libcurl's transfers), `auto` (direct where it can).
        public enum Transport: String, Sendable, CaseIterable { case auto, direct, curl }

        /// Which answers go on to the client as they come: those of `text/event-stream` and `application/x-ndjson`, all, none.
        public enum Stream: String, Sendable, CaseIterable { case auto, always, never }

        public struct Retry: Sendable, Equatable {
            /// All calls of a request; 1: none is made again.
            public var attempts = 1
            /// After what, of `connect`, `reset`, `timeout` and `5xx`, separated by commas.
            public var on = "connect"
            /// At most so many of a hundred predictions.
            public var budget = 20

            public init() {}
        }

        public var name = ""
        /// Used where the Model Service does not say; nil: not known.
        public var version: String?
        /// What the Model Service speaks.
        public var `protocol`: ServiceProtocol = .native
        /// `http://`, `https://` or `http+unix://%2Fpath%2Fof%2Fsocket/path`.
        public var url = ""
        /// The whole call, the wait for a free connection included.
        public var timeout: Duration = .seconds(2)
        /// Per shard.
        public var maxConnections = 256
        public var maxResponseBytes = 64 << 20
        public var stream = Stream.auto
        /// How long the next part of an answer that comes in parts may take; `timeout` is for its first line.
        public var idleTimeout: Duration = .seconds(30)
        /// How long such an answer may take in all.
        public var maxStreamTime: Duration = .seconds(600)
        /// How much of it may wait for its client.
        public var maxStreamBufferBytes = 256 << 10
        /// How long a connection stays open without a call.
        public var keepAlive: Duration = .seconds(4)
        /// When a call over REST is made again.
        public var retry = Retry()
        /// Whether the Model Service may be asked again although it may have read the request.
        public var repeatable = false
        /// Of one answer; more are recorded as one.
        public var maxPredictions = 10_000
        public var transport = Transport.auto
        /// Asked with GET to learn whether the Model Service is ready; nil: chosen by protocol.
        public var healthUrl: String?
        /// A PEM file of certificate authorities to trust instead of the system's.
        public var caFile: String?

        public init() {}
    }

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

    /// The page at `/ui`.
    public struct UI: Sendable, Equatable {
        public var enabled = true
        /// Whether captured request bodies are shown on it.
        public var showsRequests = false

        public init() {}
    }

    public struct Log: Sendable, Equatable {
        public enum Level: String, Sendable, CaseIterable { case trace, debug, info, notice, warning, error, critical }

        /// `auto`: text on a terminal, with colours, and JSON elsewhere.
        public enum Format: String, Sendable, CaseIterable { case auto, text, json }

        public var level = Level.info
        public var format = Format.auto

        public init() {}
    }
}
