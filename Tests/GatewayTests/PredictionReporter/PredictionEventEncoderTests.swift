import Foundation
import TestSupport
import Testing

@testable import Gateway

/// Texts that live while an event refers to them.
private final class Texts {
    private var kept: [ByteBuffer] = []

    func view(_ bytes: [UInt8]) -> ByteView {
        let buffer = ByteBuffer()
        buffer.append(contentsOf: bytes)
        kept.append(buffer)
        return buffer.view
    }

    func view(_ text: String) -> ByteView { view(Array(text.utf8)) }
}

@Suite struct PredictionEventEncoderTests {
    private let texts = Texts()
    /// 2026-11-24 15:14:31.123456789.
    private let completedAt: Int64 = 1_795_533_271_123_456_789

    private func isValidJSON(_ view: ByteView) -> Bool {
        (try? JSONSerialization.jsonObject(with: Data(view.array), options: .fragmentsAllowed)) != nil
    }

    private func encode(_ event: PredictionEvent, source: String = "//host/ameron-sidecar") -> EventBatch {
        let batch = EventBatch()
        PredictionEventEncoder(source: source).encode(event, into: batch, isValidJSON: isValidJSON)
        return batch
    }

    private func line(_ event: PredictionEvent) -> String {
        let batch = encode(event)
        // A view does not keep its owner.
        return withExtendedLifetime(batch) { batch[0].line.string }
    }

    private func parsed(_ bytes: ByteView) throws -> NSDictionary {
        try #require(try JSONSerialization.jsonObject(with: Data(bytes.array)) as? NSDictionary)
    }

    private func data(_ event: PredictionEvent) throws -> NSDictionary {
        let batch = encode(event)
        return try withExtendedLifetime(batch) { try parsed(batch[0].data) }
    }

    private var event: PredictionEvent {
        var event = PredictionEvent()
        event.id = texts.view("0193a4b2-0000-7000-8000-000000000001")
        event.requestId = texts.view("request-1")
        event.predictionId = texts.view("0193a4b2-0000-7000-8000-000000000002")
        event.rowIndex = 1
        event.rowCount = 3
        event.face = "v2"
        event.modelName = texts.view(#"ir\"is"#)
        event.modelVersion = texts.view("7")
        event.modelTime = 4_125_400
        event.gatewayTime = 87_000
        event.value = texts.view(#"{"label":"4"}"#)
        event.receivedAt = completedAt - 5_000_000
        event.sentAt = completedAt - 4_000_000
        event.answeredAt = completedAt - 1_000_000
        event.completedAt = completedAt
        return event
    }

    @Test func `a Prediction, byte for byte`() {
        var event = event
        event.traceparent = texts.view("00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01")
        let wanted = #"""
            {"specversion":"1.0","type":"org.ameron.prediction.v1","source":"//host/ameron-sidecar",
            "id":"0193a4b2-0000-7000-8000-000000000001","time":"2026-11-24T15:14:31.123456Z",
            "datacontenttype":"application/json","data":{"requestId":"request-1",
            "predictionId":"0193a4b2-0000-7000-8000-000000000002","rowIndex":1,"rowCount":3,"provider":"rest",
            "face":"v2","modelName":"ir\"is","modelVersion":"7","timeTakenInMs":4.125,"gatewayTimeInMs":0.087,
            "status":200,"value":{"label":"4"},"receivedAt":"2026-11-24T15:14:31.118456Z",
            "sentAt":"2026-11-24T15:14:31.119456Z","answeredAt":"2026-11-24T15:14:31.122456Z",
            "completedAt":"2026-11-24T15:14:31.123456Z",
            "traceparent":"00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"}}
            """#.replacingOccurrences(of: "\n", with: "") + "\n"
        #expect(line(event) == wanted)
    }

    @Test func `a failed call`() throws {
        var event = event
        event.status = 504
        event.failure = .init(cause: "timeout", message: texts.view("no \"answer\"\nafter 2 s"))
        event.contentType = texts.view("image/png")
        event.answeredAt = 0
        let data = try data(event)
        #expect(data["value"] is NSNull)
        #expect(data["error"] as? NSDictionary == ["cause": "timeout", "message": "no \"answer\"\nafter 2 s"])
        #expect(data["status"] as? Int == 504)
        #expect(data["answeredAt"] == nil)
        #expect(data["sentAt"] != nil)
        #expect(data["contentType"] == nil)
    }

    @Test func `what the model sent is carried over`() throws {
        var event = event
        event.timeTakenInMs = texts.view("11.8e0")
        event.value = texts.view("{\n  \"a\": [1,\r\n 2.50]\n}")
        event.extra = texts.view("\"score\":\n0.98,\"tags\":[\"x\"]")
        let text = line(event)
        #expect(text.contains(#""timeTakenInMs":11.8e0,"#))
        #expect(text.contains(#""value":{   "a": [1,   2.50] },"#))
        #expect(text.contains(#""extra":{"score": 0.98,"tags":["x"]}"#))
        #expect(text.filter { $0 == "\n" }.count == 1)
        _ = try data(event)
    }

    @Test func `a base64 value names its media type`() throws {
        var event = event
        event.value = texts.view(#""iVBORw==""#)
        event.contentType = texts.view("image/png")
        let data = try data(event)
        #expect(data["value"] as? String == "iVBORw==")
        #expect(data["contentType"] as? String == "image/png")
    }

    @Test func `no value is null`() throws {
        var event = event
        event.value = .empty
        #expect(try data(event)["value"] is NSNull)
        #expect(try data(event)["error"] == nil)
    }

    @Test(
        arguments: [
            ("application/json", "{\"x\":\n1}", false, true), ("application/json", "{\"x\":", false, false),
            ("application/json", "{\"x\":1}", true, false), ("text/plain", "{\"x\":1}", false, false),
            ("", "1", false, false), ("application/json", "", false, false),
        ])
    func `a captured request`(contentType: String, body: String, truncated: Bool, isCarriedOver: Bool) throws {
        var event = event
        event.request = .init(
            body: texts.view(body),
            contentType: texts.view(contentType),
            truncated: truncated
        )
        let data = try data(event)
        if isCarriedOver {
            #expect(data["request"] as? NSDictionary == ["x": 1])
        } else {
            #expect(data["request"] as? String == Data(body.utf8).base64EncodedString())
        }
        #expect(data["requestContentType"] as? String == (contentType.isEmpty ? nil : contentType))
        #expect(data["requestTruncated"] as? Bool == truncated)
    }

    @Test func `the parts of each record`() throws {
        let batch = EventBatch()
        let encoder = PredictionEventEncoder(source: "//host/a\"b")
        for row in 0..<3 {
            var event = event
            event.rowIndex = row
            event.requestId = texts.view("quote\"")
            if row == 2 { event.completedAt = 0 }
            encoder.encode(event, into: batch, isValidJSON: isValidJSON)
        }
        #expect(batch.count == 3)
        var end = 0
        for row in 0..<batch.count {
            let frame = batch[row]
            #expect(batch.frames[row].lowerBound == end)
            end = batch.frames[row].upperBound
            #expect(frame.bytes.count == batch.frames[row].count)
            let whole = try parsed(frame.line)
            #expect(whole["source"] as? String == "//host/a\"b")
            #expect(whole["id"] as? String == frame.id.string)
            #expect(whole["time"] as? String == (row == 2 ? nil : frame.time.string))
            let data = try parsed(frame.data)
            #expect(whole["data"] as? NSDictionary == data)
            #expect(data["rowIndex"] as? Int == row)
            #expect(frame.requestId.string == #"quote\""#)
            #expect(data["predictionId"] as? String == frame.predictionId.string)
            #expect(frame.modelName.string == #"ir\"is"#)
        }
        #expect(end == batch.bytes.count)
    }

    @Test(arguments: 0..<8 as Range<UInt64>)
    func `plain text of any bytes comes out as one line that parses`(seed: UInt64) throws {
        var generator = SeededGenerator(seed: seed)
        for _ in 0..<100 {
            var event = event
            let plain = (0..<5).map { _ in awkwardBytes(using: &generator) }
            event.requestId = texts.view(plain[0])
            event.traceparent = texts.view(plain[1])
            event.contentType = texts.view(plain[2])
            event.request = .init(body: texts.view(plain[3]), contentType: texts.view(plain[4]), truncated: false)
            let batch = encode(event)
            #expect(batch[0].line.array.filter { $0 == 0x0a }.count == 1)
            let data = try parsed(batch[0].data)
            #expect(data["requestId"] as? String == String(decoding: plain[0], as: UTF8.self))
            #expect(data["traceparent"] as? String ?? "" == String(decoding: plain[1], as: UTF8.self))
            #expect(data["contentType"] as? String ?? "" == String(decoding: plain[2], as: UTF8.self))
            #expect(data["request"] as? String == Data(plain[3]).base64EncodedString())
            #expect(data["requestContentType"] as? String ?? "" == String(decoding: plain[4], as: UTF8.self))
        }
    }
}
