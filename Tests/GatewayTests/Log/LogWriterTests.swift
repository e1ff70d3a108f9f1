import TestSupport
import Testing

@testable import Gateway

@Suite struct LogWriterTests {
    /// Takes what a writer writes, and lets it wait.
    private final class Output: Sendable {
        let lines: Locked<[String]> = Locked([])
        let fails: Locked<Bool> = Locked(false)
        let gate = Gate()

        func write(_ view: ByteView) -> Bool {
            _ = gate.wait()
            if fails.withLock({ $0 }) { return false }
            lines.withLock { $0.append(view.string) }
            return true
        }

        func writer() throws -> LogWriter {
            try LogWriter(write: { self.write($0) }, describeLoss: { $1.append(string: "\($0) lost\n") })
        }
    }

    private static func append(_ text: String, to writer: LogWriter) {
        Array((text + "\n").utf8).withByteView { writer.append($0) }
    }

    @Test func `writes all in order, and knows when it is done`() throws {
        let output = Output()
        let writer = try output.writer()
        #expect(writer.finish(within: .seconds(30)))
        for number in 0..<100 { Self.append("line \(number)", to: writer) }
        #expect(!writer.finish(within: .milliseconds(1)), "nothing can be written yet")
        output.gate.open()
        #expect(writer.finish(within: .seconds(30)))
        #expect(output.lines.withLock { $0 } == (0..<100).map { "line \($0)\n" })
    }

    /// Twice the bound at most is held, whatever comes, and the gap is named in its place.
    @Test func `does not wait for its output, and says what it lost`() throws {
        let output = Output()
        let writer = try output.writer()
        let line = String(repeating: "x", count: 1023)
        let fits = 2 * LogWriter.maxWaitingBytes / 1024
        for number in 0..<(2 * fits) { Self.append("\(number) " + line.dropFirst("\(number) ".count), to: writer) }
        // One that would fit must not come either, or it would look like the next.
        Self.append("short", to: writer)
        output.gate.open()
        #expect(writer.finish(within: .seconds(30)))
        Self.append("after", to: writer)
        #expect(writer.finish(within: .seconds(30)))

        // One gap while the first lines were with the thread, and maybe one before it began.
        var next = 0
        var gaps = 0
        for text in output.lines.withLock({ $0 }).dropLast() {
            if let lost = text.firstMatch(of: #/^(\d+) lost$/#.anchorsMatchLineEndings()),
                let count = Int(lost.output.1)
            {
                next += count
                gaps += 1
            } else {
                #expect(text.hasPrefix("\(next) ") || next == 2 * fits && text == "short\n", "\(text.prefix(20))")
                next += 1
            }
        }
        #expect(next == 2 * fits + 1)
        #expect((1...2).contains(gaps))
        #expect(output.lines.withLock { $0.last } == "after\n")
    }

    @Test func `a line longer than its room is lost and nothing else`() throws {
        let output = Output()
        output.gate.open()
        let writer = try output.writer()
        Self.append("before", to: writer)
        #expect(writer.finish(within: .seconds(30)))
        Self.append(String(repeating: "x", count: LogWriter.maxWaitingBytes), to: writer)
        #expect(eventually { output.lines.withLock { $0.count } == 2 })
        Self.append("after", to: writer)
        #expect(writer.finish(within: .seconds(30)))
        #expect(output.lines.withLock { $0 } == ["before\n", "1 lost\n", "after\n"])
    }

    @Test func `says what could not be written once it can`() throws {
        let output = Output()
        output.gate.open()
        output.fails.withLock { $0 = true }
        let writer = try output.writer()
        for _ in 0..<3 { Self.append("lost", to: writer) }
        #expect(writer.finish(within: .seconds(30)))
        output.fails.withLock { $0 = false }
        Self.append("after", to: writer)
        #expect(writer.finish(within: .seconds(30)))
        #expect(output.lines.withLock { $0 } == ["3 lost\n", "after\n"])
    }
}

@Suite struct LogRateTests {
    @Test func `lets so many through in a second, and tells of the others`() {
        let rate = LogRate()
        let start: Int64 = 5_000_000_000
        let admitted = (0..<1_000).map { rate.admit(now: start + $0 * 1_000) }
        #expect(
            admitted == Array(repeating: "", count: LogRate.limit) + Array(repeating: nil, count: 1_000 - LogRate.limit)
        )
        #expect(rate.admit(now: start + 999_999_999) == nil)
        #expect(rate.admit(now: start + 1_000_000_000) == " (and \(1_001 - LogRate.limit) like it before)")
        #expect(rate.admit(now: start + 1_000_000_001) == "")
    }
}
