import TestSupport
import Testing

@testable import Gateway

/// What formats promise to destinations, and that destinations need nothing else of them.
@Suite struct EventFormatTests {
    private let batch = EventBatch()

    private func frame(_ number: Int, source: String = "//host/a") -> EventFrame {
        fillEvents(batch, number..<number + 1, source: source)
        return batch[0]
    }

    @Test(arguments: ["//host/a", "//höst/\"a\"\\", ""]) func `an event and its record as JSON`(source: String) throws {
        let format = EventFormatName.json.make()
        let frame = frame(7, source: source)
        let record = format.record(of: frame)
        #expect(record.type == "org.ameron.prediction.v1" && record.contentType == "application/json")
        #expect(record.source.string == source)
        #expect(record.id == "event-7" && record.time.string.hasPrefix("2026-"))
        #expect(try eventNumber(record.value.string) == 7)
        #expect(format.line(of: frame) == frame.line)
        let line = frame.line.prefix(frame.line.count - 1)
        let out = ByteBuffer()
        format.appendEvent(of: record, to: out)
        #expect(out.view == line)
        out.removeAll()
        format.appendEvent(ofLine: line, to: out)
        #expect(out.view == line)
    }

    @Test func `a copy of a record is the record, also after it was moved`() {
        let format = EventFormatName.json.make()
        let record = format.record(of: frame(3))
        let buffer = ByteBuffer()
        buffer.append("before")
        var stored = StoredEventRecord(record, in: buffer)
        expectSame(stored.record(in: buffer), record)
        let other = ByteBuffer()
        other.append(buffer[stored.range])
        stored.move(to: 0)
        expectSame(stored.record(in: other), record)
        withExtendedLifetime((format, buffer, other)) {}
    }

    private func expectSame(_ one: EventRecord, _ other: EventRecord) {
        #expect(one.type == other.type && one.source == other.source && one.id == other.id)
        #expect(one.time == other.time && one.contentType == other.contentType && one.value == other.value)
    }

    /// A format that no destination knows.
    private final class Bare: EventFormat {
        private let lines = ByteBuffer(capacity: 4_096)

        func record(of frame: EventFrame) -> EventRecord {
            EventRecord(
                type: ByteView("bare"),
                source: ByteView("here"),
                id: frame.id,
                time: .empty,
                contentType: ByteView("text/bare"),
                value: frame.requestId
            )
        }

        func line(of frame: EventFrame) -> ByteView {
            let start = lines.count
            lines.append(frame.id)
            lines.append("\n")
            return lines[start..<lines.count]
        }

        let batch = EventBatchFraming(contentType: "text/bares", opening: "<", separator: "|", closing: ">")

        func appendEvent(of record: EventRecord, to out: ByteBuffer) { out.append(record.id) }
        func appendEvent(ofLine line: ByteView, to out: ByteBuffer) { out.append(line) }
    }

    @Test func `posts are in the format, whatever that is`() {
        let format = Bare()
        var ledger = DeliveryLedger()
        let many = HTTPDelivery(.batch, format.batch, arrival: 0, capacity: 10)
        for number in 0..<3 {
            let frame = frame(number)
            many.append(frame, in: format, ledger.begin(WaitingEvent(frame: frame, lane: 0, end: Int64(number + 1))))
        }
        many.close()
        #expect(many.body == "<event-0|event-1|event-2>" && many.contentType == "text/bares")
        let (first, second) = many.halves()
        #expect(first.body == "<event-0>" && second.body == "<event-1|event-2>")
        #expect(kept(second, format) == ["event-1", "event-2"])

        let one = HTTPDelivery(.binary, format.batch, arrival: 0, capacity: 10)
        let frame = frame(8)
        one.append(frame, in: format, ledger.begin(WaitingEvent(frame: frame, lane: 0, end: 9)))
        one.close()
        #expect(one.body == "key-1" && one.contentType == "text/bare")
        #expect(one.record?.type.string == "bare" && one.record?.id.string == "event-8")
        #expect(kept(one, format) == ["event-8"])
        // Used again, for a batch as before.
        many.reset(arrival: 0, keepingAtMost: 100)
        many.append(frame, in: format, ledger.begin(WaitingEvent(frame: frame, lane: 0, end: 10)))
        many.close()
        #expect(many.body == "<event-8>")
    }

    private func kept(_ delivery: HTTPDelivery, _ format: any EventFormat) -> [String] {
        var kept: [String] = []
        delivery.forEachEvent(format) { text, _ in kept.append(text.string) }
        return kept
    }

    @Test func `Kafka's messages are in the format, whatever that is`() {
        let writer = KafkaEventWriter(key: .requestId, format: Bare())
        let message = writer.message(of: frame(8))
        #expect(message.key?.string == "key-1")
        #expect(message.record.value == "key-1" && message.record.contentType == "text/bare")
        // Names, values and what they take beside them.
        let headers = ["ce_specversion1.0", "ce_typebare", "ce_sourcehere", "ce_idevent-8", "content-typetext/bare"]
        let length = headers.reduce(0) { $0 + $1.utf8.count + 6 }
        #expect(writer.writeHeaders(of: message) == 101 + 5 + 5 + length)
    }
}
