/// All keys that can be set: the one table that files, environment, flags and documentation go by.
public enum ConfigurationSchema {
    /// In the order of the documentation; `type` comes before the keys that depend on it.
    public static let keys: [ConfigurationKey] =
        server + models + reporting + reporters + Configuration.Providers.kinds.flatMap { $0.keys } + ui + log

    static let maxSize = 1 << 40
    static let hour: Duration = .seconds(3_600)
    static let day: Duration = .seconds(86_400)

    private static let server: [ConfigurationKey] = [
        .text("server.host", .at(\.server.host), "The address or name to listen on.", check: checkHost),
        .integer("server.port", .at(\.server.port), 0...65_535, "The port to listen on; 0: any free port."),
        .integer(
            "server.shards",
            .at(\.server.shards),
            0...1_024,
            "How many threads serve; 0: one per available core."
        ),
        .size("server.maxBodyBytes", .at(\.server.maxBodyBytes), 0...maxSize, "The largest request body taken."),
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
            0...maxSize,
            "The most that all bodies of requests and answers together may take, over all shards; more are refused with 503. 0: a quarter of the "
                + "memory that the process may have, at most 1 GiB."
        ),
        .duration(
            "server.headTimeout",
            .at(\.server.headTimeout),
            .milliseconds(100)...day,
            "How long the header of a request may take to come; then 408."
        ),
        .duration(
            "server.bodyTimeout",
            .at(\.server.bodyTimeout),
            .seconds(1)...day,
            "In each such time a request's body must go on by 1 KiB a second, else 408; and the reading of an answer."
        ),
        .duration(
            "server.idleTimeout",
            .at(\.server.idleTimeout),
            .seconds(1)...day,
            "How long a client connection may stay open without a request."
        ),
        .duration(
            "server.drainTimeout",
            .at(\.server.drainTimeout),
            .zero...day,
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

    private static let models: [ConfigurationKey] = [
        .text(
            "models.N.name",
            .model(\.name),
            allowed: nameRule,
            isRequired: true,
            "The name that clients ask for; unique together with the version."
        ),
        .optionalText(
            "models.N.version",
            .model(\.version),
            allowed: nameRule,
            "The version, used where the Model Service does not say."
        ),
        .words("models.N.protocol", .model(\.protocol), "What the Model Service speaks."),
        .text(
            "models.N.url",
            .model(\.url),
            type: "URL",
            allowed: ServiceURL.rule,
            isRequired: true,
            "Where the Model Service takes predictions.",
            check: checkURL
        ),
        .duration(
            "models.N.timeout",
            .model(\.timeout),
            .milliseconds(1)...day,
            "How long the whole call may take, the wait for a free connection included; of a stream, until it begins."
        ),
        .integer(
            "models.N.maxConnections",
            .model(\.maxConnections),
            1...65_535,
            "The most connections to this Model Service, per shard."
        ),
        .size(
            "models.N.maxResponseBytes",
            .model(\.maxResponseBytes),
            1...maxSize,
            "The largest response taken from the Model Service; a stream may be longer."
        ),
        .words(
            "models.N.stream",
            .model(\.stream),
            "Which answers go on to the client as they come: server-sent events and lines of JSON (auto), all, or none."
        ),
        .duration(
            "models.N.idleTimeout",
            .model(\.idleTimeout),
            .milliseconds(1)...day,
            "How long the next part of a stream may take."
        ),
        .duration(
            "models.N.maxStreamTime",
            .model(\.maxStreamTime),
            .milliseconds(1)...day,
            "How long a stream may take in all."
        ),
        .size(
            "models.N.maxStreamBufferBytes",
            .model(\.maxStreamBufferBytes),
            16 << 10...1 << 30,
            "How much of a stream may wait for its client; then the Model Service waits."
        ),
        .duration(
            "models.N.keepAlive",
            .model(\.keepAlive),
            .zero...hour,
            "How long a connection to the Model Service stays open without a call: less than the service's own time; 0s: not at all."
        ),
        .integer(
            "models.N.retry.attempts",
            .model(\.retry.attempts),
            1...10,
            "How many calls a request over REST may take; 1: one that failed is not made again."
        ),
        .text(
            "models.N.retry.on",
            .model(\.retry.on),
            type: ConfigurationKey.listType,
            allowed: "connect, reset, timeout, 5xx",
            "After which failures a call is made again; all but `connect` only with `repeatable`.",
            check: checkRetryCauses
        ),
        .integer(
            "models.N.retry.budget",
            .model(\.retry.budget),
            1...100,
            "How many calls may be made again, of a hundred predictions; ten at once after a quiet time."
        ),
        .boolean(
            "models.N.repeatable",
            .model(\.repeatable),
            "Whether a request is sent once more where a kept connection dies, also when the Model Service may have read it."
        ),
        .integer(
            "models.N.maxPredictions",
            .model(\.maxPredictions),
            1...1_000_000,
            "The most Predictions of one answer; one that has more is passed on and recorded as one."
        ),
        .optionalText(
            "models.N.healthUrl",
            .model(\.healthUrl),
            type: "URL",
            allowed: ServiceURL.rule,
            "Asked with GET to learn whether the Model Service is ready; not set: chosen by protocol.",
            check: checkURL
        ),
        .words(
            "models.N.transport",
            .model(\.transport),
            "What carries the calls: direct (without TLS), curl, or auto: direct where it can."
        ),
        .optionalText(
            "models.N.caFile",
            .model(\.caFile),
            type: "path",
            "A PEM file of certificate authorities to trust instead of the system's."
        ),
    ]

    private static let reporting: [ConfigurationKey] = [
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
            1 << 10...maxSize,
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
            64 << 10...maxSize,
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
            .milliseconds(1)...hour,
            "The time between two syncs under interval, which is what a power cut may cost."
        ),
        .words(
            "reporting.spool.whenFull",
            .at(\.reporting.spool.whenFull),
            "What happens at maxBytes: predictions are refused, or the oldest events are dropped."
        ),
    ]

    private static let ui: [ConfigurationKey] = [
        .boolean("ui.enabled", .at(\.ui.enabled), "Whether GET /ui serves the page to look at."),
        .boolean(
            "ui.showsRequests",
            .at(\.ui.showsRequests),
            "Whether the page shows request bodies that reporting.capture has put into the events."
        ),
    ]

    private static let log: [ConfigurationKey] = [
        .words("log.level", .at(\.log.level), "The least important messages that are logged."),
        .words(
            "log.format",
            .at(\.log.format),
            "How the log looks: lines of text, JSON objects, or auto: text on a terminal, JSON elsewhere."
        ),
    ]

    private static let nameRule = "text without control characters"

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

    @Sendable private static func checkRetryCauses(_ text: String) throws(InvalidValue) {
        _ = try Configuration.Model.Retry.parse(text)
    }

    @Sendable private static func checkURL(_ text: String) throws(InvalidValue) { _ = try ServiceURL.parse(text) }
}
