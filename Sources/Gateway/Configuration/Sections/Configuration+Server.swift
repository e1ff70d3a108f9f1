extension Configuration {
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
}

extension Configuration.Server {
    static let keys: [ConfigurationKey] = [
        .text("server.host", .at(\.server.host), "The address or name to listen on.", check: checkHost),
        .integer("server.port", .at(\.server.port), 0...65_535, "The port to listen on; 0: any free port."),
        .integer(
            "server.shards",
            .at(\.server.shards),
            0...1_024,
            "How many threads serve; 0: one per available core."
        ),
        .size(
            "server.maxBodyBytes",
            .at(\.server.maxBodyBytes),
            0...ConfigurationSchema.maxSize,
            "The largest request body taken."
        ),
        .size(
            "server.maxHeaderBytes",
            .at(\.server.maxHeaderBytes),
            1 << 10...1 << 20,
            "The most that the request line and the headers may take together."
        ),
        .integer(
            "server.maxConnections",
            .at(\.server.maxConnections),
            1...1_000_000,
            "The most client connections, over all shards."
        ),
        .integer(
            "server.maxInFlight",
            .at(\.server.maxInFlight),
            1...1_000_000,
            "The most requests worked on at once, over all shards; more are refused with 503."
        ),
        .size(
            "server.maxInFlightBytes",
            .at(\.server.maxInFlightBytes),
            0...ConfigurationSchema.maxSize,
            "The most that all bodies of requests and answers together may take, over all shards; more are refused with 503. 0: a quarter of the "
                + "memory that the process may have, at most 1 GiB."
        ),
        .duration(
            "server.headTimeout",
            .at(\.server.headTimeout),
            .milliseconds(100)...ConfigurationSchema.day,
            "How long the header of a request may take to come; then 408."
        ),
        .duration(
            "server.bodyTimeout",
            .at(\.server.bodyTimeout),
            .seconds(1)...ConfigurationSchema.day,
            "In each such time a request's body must go on by 1 KiB a second, else 408; and the reading of an answer."
        ),
        .duration(
            "server.idleTimeout",
            .at(\.server.idleTimeout),
            .seconds(1)...ConfigurationSchema.day,
            "How long a client connection may stay open without a request."
        ),
        .duration(
            "server.drainTimeout",
            .at(\.server.drainTimeout),
            .zero...ConfigurationSchema.day,
            "How long the requests in flight have to end when the program is told to stop."
        ),
        .optionalText(
            "server.allowedHosts",
            ConfigurationPlace<String>.at(\.server.allowedHosts).emptyAsNil,
            allowed: "host names joined by commas, *. at the start of one standing for any below it, or *",
            "Public names by which browsers may ask for /metrics, /ui and the like, and pages of which may ask for predictions.",
            check: checkHosts
        ),
    ]

    @Sendable private static func checkHost(_ text: String) throws(InvalidValue) {
        if let scheme = text.firstRange(ofText: "://") {
            let rest = text[scheme.upperBound...].prefix { $0 != ":" && $0 != "/" }
            throw InvalidValue(
                "is a URL; write the address only, and the port into server.port",
                suggestion: String(rest)
            )
        }
        let colons = text.utf8.count(where: { $0 == UInt8(ascii: ":") })
        if colons == 1 || text.hasPrefix("[") {
            let host = (try? ServiceURL.hostAndPort(text[...]).host) ?? String(text.prefix { $0 != ":" })
            throw InvalidValue(
                "holds more than an address; the port is server.port",
                suggestion: host.isEmpty ? nil : host
            )
        }
    }

    @Sendable private static func checkHosts(_ text: String) throws(InvalidValue) {
        for entry in KafkaText.list(text) where entry != "*" {
            let name = entry.hasPrefix("*.") ? entry.dropFirst(2) : entry
            if name.contains("/") { throw InvalidValue("holds a URL; write its host only, without http:// and path") }
            if try ServiceURL.hostAndPort(name).port != nil { throw InvalidValue("holds a port; every port counts") }
        }
    }
}
