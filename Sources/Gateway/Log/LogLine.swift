import Logging

/// One line of the log, without its end.
struct LogLine {
    /// Nanoseconds since 1970-01-01 UTC.
    var time: Int64
    var level: Logger.Level
    var logger: String
    var message: String
    var metadata: Logger.Metadata = [:]

    func write(_ style: LogStyle, to buffer: ByteBuffer) {
        switch style {
        case .json: writeJSON(to: buffer)
        case .text(let isColoured): writeText(isColoured: isColoured, to: buffer)
        }
    }

    private var sortedMetadata: [(key: String, value: String)] {
        metadata.map { ($0.key, "\($0.value)") }.sorted { $0.key < $1.key }
    }

    private func writeJSON(to buffer: ByteBuffer) {
        buffer.append("{\"time\":\"")
        TimestampWriter().append(time, to: buffer)
        buffer.append("\",\"level\":\"")
        buffer.append(string: level.rawValue)
        buffer.append("\",\"logger\":")
        buffer.appendJSON(text: logger)
        buffer.append(",\"message\":")
        buffer.appendJSON(text: message)
        if !metadata.isEmpty {
            buffer.append(",\"metadata\":{")
            for (index, entry) in sortedMetadata.enumerated() {
                if index > 0 { buffer.append(UInt8(ascii: ",")) }
                buffer.appendJSON(text: entry.key)
                buffer.append(UInt8(ascii: ":"))
                buffer.appendJSON(text: entry.value)
            }
            buffer.append(UInt8(ascii: "}"))
        }
        buffer.append(UInt8(ascii: "}"))
    }

    /// Whatever stands in the message, the line stays one and drives no terminal.
    private func writeText(isColoured: Bool, to buffer: ByteBuffer) {
        func switchTo(_ colour: StaticString) { if isColoured { buffer.append(colour) } }
        let plain: StaticString = "\u{1b}[0m"
        switchTo("\u{1b}[2m")
        TimestampWriter().append(time, to: buffer)
        switchTo(plain)
        buffer.append(UInt8(ascii: " "))
        switchTo(level.colour)
        buffer.append(string: level.rawValue)
        switchTo(plain)
        buffer.append(string: " \(logger): \(printable(message, maxScalars: .max))")
        for entry in sortedMetadata {
            buffer.append(string: printable(" \(entry.key)=\(entry.value)", maxScalars: .max))
        }
    }
}

extension Logger.Level {
    /// Its escape sequence (ECMA-48, 8.3.117): red, yellow, green, and faint for what is only remarked.
    fileprivate var colour: StaticString {
        switch self {
        case .critical: "\u{1b}[1;31m"
        case .error: "\u{1b}[31m"
        case .warning: "\u{1b}[33m"
        case .notice: "\u{1b}[32m"
        case .info: "\u{1b}[36m"
        case .debug, .trace: "\u{1b}[2m"
        }
    }
}
