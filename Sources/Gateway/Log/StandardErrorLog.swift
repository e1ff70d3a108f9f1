import Logging

/// The log of the process, on standard error: a line per message, written soon by a thread of its own.
struct StandardErrorLog: LogHandler {
    let label: String
    let style: LogStyle
    let threshold: LogThreshold
    let writer: LogWriter
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
        withExtendedLifetime(buffer) { writer.append(buffer.view) }
    }
}

/// The log of this process, as its main thread holds it.
struct ProcessLog {
    /// How long the end of the process may wait for what is not written yet.
    static let patience: Duration = .seconds(1)

    /// Decides how much is logged.
    let threshold: LogThreshold
    private let writer: LogWriter

    /// Makes it the log of the process. Once, before the first logger.
    static func start(_ configuration: Configuration.Log) throws(SystemError) -> ProcessLog {
        let threshold = LogThreshold(Logger.Level(rawValue: configuration.level.rawValue) ?? .info)
        let style = LogStyle(
            configuration.format,
            isTerminal: StandardError.isTerminal,
            environment: ProcessEnvironment.all()
        )
        let writer = try LogWriter(write: StandardError.write) { count, buffer in
            LogLine.loss(of: count, time: Clock.wall()).write(style, to: buffer)
            buffer.append(UInt8(ascii: "\n"))
        }
        LoggingSystem.bootstrap { StandardErrorLog(label: $0, style: style, threshold: threshold, writer: writer) }
        return ProcessLog(threshold: threshold, writer: writer)
    }

    /// Writes what is not written yet, as far as standard error takes it in time. The last call of all.
    func finish() { _ = writer.finish(within: Self.patience) }
}

extension LogLine {
    /// What stands in the place of lines that are missing.
    static func loss(of count: Int, time: Int64) -> LogLine {
        LogLine(
            time: time,
            level: .warning,
            logger: "log",
            message:
                "\(count) line\(count == 1 ? " is" : "s are") missing here: standard error did not take them in time"
        )
    }
}
