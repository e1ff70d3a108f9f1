import Logging

/// Passes on what librdkafka logs: each kind at most once a minute, for it repeats itself while a broker is away.
struct KafkaLogRelay {
    private static let interval: Int64 = 60_000_000_000

    private let log: ReporterLog
    private let redact: (String) -> String
    private var kinds: [String: Kind] = [:]

    private struct Kind {
        var lastTime: Int64
        var untold = 0
    }

    init(redact: @escaping (String) -> String, log: @escaping ReporterLog) {
        self.redact = redact
        self.log = log
    }

    /// - Parameters:
    ///   - level: syslog's.
    ///   - kind: librdkafka's facility, such as FAIL.
    mutating func relay(level: Int, kind: String, message: String, now: Int64) {
        var untold = 0
        if let known = kinds[kind] {
            guard now - known.lastTime >= Self.interval else {
                kinds[kind]?.untold += 1
                return
            }
            untold = known.untold
        }
        kinds[kind] = Kind(lastTime: now)
        let note = untold == 0 ? "" : " (and \(untold) more like it)"
        log(Self.level(level), "librdkafka: \(redact(message))\(note)")
    }

    /// A step below syslog's: what concerns the events, the Reporter says itself.
    static func level(_ syslog: Int) -> Logger.Level {
        switch syslog {
        case ...2: .error
        case 3: .warning
        case 4: .notice
        case 5, 6: .info
        default: .debug
        }
    }
}
