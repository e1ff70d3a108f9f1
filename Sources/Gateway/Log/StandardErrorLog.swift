import Logging

/// The log of the process, on standard error: a line per message, written at once.
struct StandardErrorLog: LogHandler {
    let label: String
    let style: LogStyle
    let threshold: LogThreshold
    var metadata: Logger.Metadata = [:]

    /// One for all loggers: a signal changes it for the whole process.
    var logLevel: Logger.Level {
        get { threshold.level }
        nonmutating set { threshold.level = newValue }
    }

    subscript(metadataKey key: String) -> Logger.Metadata.Value? {
        get { metadata[key] }
        set { metadata[key] = newValue }
    }

    func log(event: LogEvent) {
        let line = LogLine(
            time: Clock.wall(),
            level: event.level,
            logger: label,
            message: event.message.description,
            metadata: metadata.merging(event.metadata ?? [:]) { $1 }
        )
        let buffer = ByteBuffer()
        line.write(style, to: buffer)
        buffer.append(UInt8(ascii: "\n"))
        withExtendedLifetime(buffer) { StandardError.write(buffer.view) }
    }
}

extension StandardErrorLog {
    /// Makes it the log of the process, and returns what decides how much is logged. Once, before the first logger.
    static func start(_ configuration: Configuration.Log) -> LogThreshold {
        let threshold = LogThreshold(Logger.Level(rawValue: configuration.level.rawValue) ?? .info)
        let style = LogStyle(
            configuration.format,
            isTerminal: StandardError.isTerminal,
            environment: ProcessEnvironment.all()
        )
        LoggingSystem.bootstrap { StandardErrorLog(label: $0, style: style, threshold: threshold) }
        return threshold
    }
}
