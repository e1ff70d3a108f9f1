import Logging
import TestSupport
import Testing

@testable import Gateway

@Suite struct LogLineTests {
    private static func line(
        _ message: String,
        _ level: Logger.Level = .notice,
        _ metadata: Logger.Metadata = [:]
    )
        -> LogLine
    {
        LogLine(time: 1_764_316_226_123_456_789, level: level, logger: "sidecar", message: message, metadata: metadata)
    }

    private static func text(_ line: LogLine, _ style: LogStyle) -> String {
        let buffer = ByteBuffer()
        line.write(style, to: buffer)
        return buffer.view.string
    }

    @Test(arguments: [
        (line("all well"), "2025-11-28T07:50:26.123456Z notice sidecar: all well"),
        (
            line("a\nb\u{1b}[2J", .error),
            "2025-11-28T07:50:26.123456Z error sidecar: a\\u{a}b\\u{1b}[2J"
        ),
        (line("x", .info, ["b": "2\n", "a": "1"]), "2025-11-28T07:50:26.123456Z info sidecar: x a=1 b=2\\u{a}"),
    ])
    func `text stays on one line and drives no terminal`(_ line: LogLine, _ expected: String) {
        #expect(Self.text(line, .text(isColoured: false)) == expected)
    }

    @Test func `colours are for the time and the level only`() {
        let text = Self.text(Self.line("all well", .error), .text(isColoured: true))
        #expect(text == "\u{1b}[2m2025-11-28T07:50:26.123456Z\u{1b}[0m \u{1b}[31merror\u{1b}[0m sidecar: all well")
    }

    @Test(arguments: ["all well", "a\nb\u{1b}[2J\"\\", "", "é😀"])
    func `JSON gives back what was logged`(_ message: String) throws {
        let text = Self.text(Self.line(message, .warning, ["a": "\"1\"", "b": "2"]), .json)
        #expect(!text.contains("\n"))
        let json = try JSON(parsing: Array(text.utf8))
        #expect(json["time"]?.string == "2025-11-28T07:50:26.123456Z")
        #expect(json["level"]?.string == "warning")
        #expect(json["logger"]?.string == "sidecar")
        #expect(json["message"]?.string == message)
        #expect(json["metadata"]?["a"]?.string == "\"1\"")
        #expect(json["metadata"]?["b"]?.string == "2")
    }

    @Test func `without metadata there is no such member`() throws {
        let json = try JSON(parsing: Array(Self.text(Self.line("x"), .json).utf8))
        #expect(json["metadata"] == nil)
    }
}

@Suite struct LogStyleTests {
    typealias Format = Configuration.Log.Format

    @Test(arguments: [
        (Format.auto, true, [:], LogStyle.text(isColoured: true)),
        (.auto, false, [:], .json),
        (.auto, true, ["NO_COLOR": "1"], .text(isColoured: false)),
        (.auto, true, ["NO_COLOR": ""], .text(isColoured: true)),
        (.auto, true, ["TERM": "dumb"], .text(isColoured: false)),
        (.text, true, [:], .text(isColoured: true)),
        (.text, false, [:], .text(isColoured: false)),
        (.json, true, [:], .json),
        (.json, false, [:], .json),
    ])
    func `follows format, terminal and environment`(
        _ format: Format,
        _ isTerminal: Bool,
        _ environment: [String: String],
        _ style: LogStyle
    ) {
        #expect(LogStyle(format, isTerminal: isTerminal, environment: environment) == style)
    }
}

@Suite struct LogThresholdTests {
    @Test func `steps from end to end, and stays there`() {
        let threshold = LogThreshold(.info)
        for level in [Logger.Level.debug, .trace, .trace] {
            threshold.step(towardsMore: true)
            #expect(threshold.level == level)
        }
        for level in [Logger.Level.debug, .info, .notice, .warning, .error, .critical, .critical] {
            threshold.step(towardsMore: false)
            #expect(threshold.level == level)
        }
    }

    @Test func `holds for loggers that are there already`() throws {
        let threshold = LogThreshold(.critical)
        let writer = try LogWriter(write: { _ in true }, describeLoss: { _, _ in })
        let handler = StandardErrorLog(label: "x", style: .json, threshold: threshold, writer: writer)
        let copy = handler
        threshold.step(towardsMore: true)
        #expect(copy.logLevel == .error)
        threshold.level = .debug
        #expect(copy.logLevel == .debug)
    }
}
