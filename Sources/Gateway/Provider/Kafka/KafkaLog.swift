import Logging

/// Passes what librdkafka says on to the log, each message once in a while: it repeats itself while a broker is away.
/// Confined to its shard.
final class KafkaLog {
    /// The least time between two messages that differ in numbers only, in nanoseconds.
    private static let interval: Int64 = 10_000_000_000
    /// How many messages are remembered.
    private static let limit = 256

    private let log: Logger
    /// Whose values are cut out of what librdkafka says.
    private let secrets: KafkaSettings
    private var lastTold: [String: Int64] = [:]

    init(_ log: Logger, secrets: KafkaSettings) {
        self.log = log
        self.secrets = secrets
    }

    /// Of the events of a client, those that are for people.
    func note(_ event: KafkaEvent) {
        switch event {
        case .log(let level, let facility, let message):
            write(Self.level(level, facility), "\(facility): \(secrets.redacted(message))")
        case .error(let error, let isFatal): write(isFatal ? .error : .warning, "\(error)")
        case .committed(_, let error?) where error != .noOffset:
            warning("offsets could not be committed: \(error)")
        case .delivered, .consumed, .partitionEnd, .statistics, .rebalance, .committed: break
        }
    }

    func error(_ message: @autoclosure () -> String) { write(.error, message()) }
    func warning(_ message: @autoclosure () -> String) { write(.warning, message()) }
    /// What happens, each time that it happens.
    func info(_ message: @autoclosure () -> String) { log.info("Kafka Provider: \(message())") }
    func debug(_ message: @autoclosure () -> String) { write(.debug, message()) }

    private func write(_ level: Logger.Level, _ text: @autoclosure () -> String) {
        guard level >= log.logLevel else { return }
        let message = text()
        let now = Clock.monotonic()
        let key = message.filter { !$0.isNumber }
        if let last = lastTold[key], now - last < Self.interval { return }
        if lastTold.count >= Self.limit { lastTold.removeAll(keepingCapacity: true) }
        lastTold[key] = now
        log.log(level: level, "Kafka Provider: \(message)")
    }

    /// From syslog's levels (RFC 5424, section 6.2.1). What is lost is tried again, so that nothing here is worse than a
    /// warning; that a property is for the other kind of client says little, as both get the same.
    private static func level(_ level: Int, _ facility: String) -> Logger.Level {
        if facility == "CONFWARN" { return .debug }
        switch level {
        case ...4: return .warning
        case 5: return .notice
        case 6: return .info
        default: return .debug
        }
    }
}
