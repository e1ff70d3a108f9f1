import Testing

@testable import Gateway

/// A kind of event goes through frame, envelope and format without any of them knowing it.
@Suite struct EventKindTests {
    @Test(arguments: EventKind.allCases) func `is called by its type alone`(kind: EventKind) {
        #expect(EventKind(type: ByteView(kind.type)) == kind)
        #expect(EventKind.allCases.count { ByteView($0.type) == ByteView(kind.type) } == 1)
    }

    @Test(arguments: ["", "org.ameron.prediction", "org.ameron.prediction.v11"]) func `is nothing else`(type: String) {
        Array(type.utf8).withByteView { #expect(EventKind(type: $0) == nil) }
    }

    @Test(arguments: EventKind.allCases) func `is in the line and beside it`(kind: EventKind) throws {
        let batch = EventBatch()
        batch.append(kind) { out in
            let start = out.count
            var parts = EventFrame.Parts()
            EventEnvelope.open(kind, source: ByteView("//host/\"a"), to: out)
            parts.id = out.part(since: start) { $0.append("id-1") }
            EventEnvelope.appendBeforeData(to: out)
            parts.data = out.part(since: start) { $0.append("{}") }
            EventEnvelope.close(out)
            out.append("\n")
            return parts
        }
        let frame = batch[0]
        #expect(frame.kind == kind)
        let format = JSONEventFormat()
        let record = format.record(of: frame)
        #expect(record.type == ByteView(kind.type) && record.source == ByteView("//host/\"a"))
        let event = ByteBuffer()
        format.appendEvent(of: record, to: event)
        #expect(event.view == frame.line.prefix(frame.line.count - 1))
        #expect(event.view.string.contains(#""type":"\#(kind.type)""#))
        withExtendedLifetime((batch, format, event)) {}
    }
}
