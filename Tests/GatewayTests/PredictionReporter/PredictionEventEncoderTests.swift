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

    private func encode(
        _ event: PredictionEvent,
        source: String = "//host/ameron-sidecar",
        maxEventBytes: Int = 1 << 20
    ) -> EventBatch {
        let batch = EventBatch()
        let policy = EventPolicy(maxEventBytes: maxEventBytes)
        PredictionEventEncoder(source: source).encode(event, policy, into: batch)
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

    private func data(_ event: PredictionEvent, maxEventBytes: Int = 1 << 20) throws -> NSDictionary {
        let batch = encode(event, maxEventBytes: maxEventBytes)
        return try withExtendedLifetime(batch) { try parsed(batch[0].data) }
    }

    private var event: PredictionEvent {
        var event = PredictionEvent()
        event.id = texts.view("0193a4b2-0000-7000-8000-000000000001")
        event.requestId = texts.view("request-1")
        event.rowIndex = 1
        event.rowCount = 3
        event.face = "v2"
        event.routedModel = texts.view("iris")
        event.routedVersion = texts.view("2")
        event.modelName = texts.view(#"ir\"is"#)
        event.modelVersion = texts.view("7")
        event.modelTime = 4_125_400
        event.gatewayTime = 87_000
        event.value.bytes = texts.view(#"{"label":"4"}"#)
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
            "predictionId":"0193a4b2-0000-7000-8000-000000000001","rowIndex":1,"rowCount":3,"provider":"rest",
            "face":"v2","routedModel":"iris","routedVersion":"2","modelName":"ir\"is","modelVersion":"7",
            "timeTakenInMs":4.125,"gatewayTimeInMs":0.087,"status":200,"value":{"label":"4"},"receivedAt":"2026-11-24T15:14:31.118456Z",
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
        event.failure?.detail = texts.view("out of \"memory\"")
        #expect((try self.data(event)["error"] as? NSDictionary)?["detail"] as? String == "out of \"memory\"")
        #expect(data["status"] as? Int == 504)
        #expect(data["answeredAt"] == nil)
        #expect(data["sentAt"] != nil)
        #expect(data["contentType"] == nil)
    }

    @Test func `what the model sent is carried over`() throws {
        var event = event
        event.timeTakenInMs = texts.view("11.8e0")
        event.value.bytes = texts.view("{\n  \"a\": [1,\r\n 2.50]\n}")
        event.extra.bytes = texts.view("\"score\":\n0.98,\"tags\":[\"x\"]")
        let text = line(event)
        #expect(text.contains(#""timeTakenInMs":11.8e0,"#))
        #expect(text.contains(#""value":{   "a": [1,   2.50] },"#))
        #expect(text.contains(#""extra":{"score": 0.98,"tags":["x"]}"#))
        #expect(text.filter { $0 == "\n" }.count == 1)
        _ = try data(event)
    }

    @Test(arguments: [
        (BodyEncoding.base64, [0x89, 0x50, 0x4E, 0x47], "iVBORw=="),
        (.text, Array("a \"b\"\n\u{7}".utf8), "a \"b\"\n\u{7}"),
    ])
    func `a value that is not JSON says what it is`(encoding: BodyEncoding, value: [UInt8], text: String) throws {
        var event = event
        event.value = .init(bytes: texts.view(value), encoding: encoding)
        event.contentType = texts.view("image/png")
        event.contentEncoding = texts.view("br")
        event.unsplit = .encoded
        let data = try data(event)
        #expect(data["value"] as? String == text)
        #expect(data["valueEncoding"] as? String == "\(encoding)")
        #expect(data["contentType"] as? String == "image/png")
        #expect(data["contentEncoding"] as? String == "br")
        #expect(data["unsplit"] as? String == "encoded")
    }

    @Test func `no value is null`() throws {
        var event = event
        event.value = .init()
        #expect(try data(event)["value"] is NSNull)
        #expect(try data(event)["error"] == nil)
    }

    @Test func `what is not known is absent`() throws {
        var event = event
        event.modelVersion = .empty
        event.routedVersion = .empty
        let data = try data(event)
        for name in [
            "modelVersion", "routedVersion", "valueEncoding", "contentType", "contentEncoding", "unsplit", "extra",
            "error",
            "input", "inputEncoding", "request", "requestEncoding", "requestContentType", "requestContentEncoding",
            "requestTruncated", "nonFinite", "truncated", "traceparent",
        ] {
            #expect(data[name] == nil, "\(name)")
        }
    }

    @Test func `NaN and Infinity are null, and marked`() throws {
        var event = event
        event.value = .init(
            bytes: texts.view(#"[NaN, "NaN", -Infinity,{"Infinity":Infinity,"a":-1}]"#),
            mayBeNotFinite: true
        )
        event.extra = .init(bytes: texts.view(#""b":"\"NaN","c":[NaN]"#), mayBeNotFinite: true)
        event.input = .init(bytes: texts.view(#"["-Infinity"]"#), mayBeNotFinite: true)
        event.request = .init(body: .init(bytes: texts.view("NaN"), mayBeNotFinite: true))
        let data = try data(event)
        #expect(data["value"] as? NSArray == [NSNull(), "NaN", NSNull(), ["Infinity": NSNull(), "a": -1]])
        #expect(data["extra"] as? NSDictionary == ["b": "\"NaN", "c": [NSNull()]])
        #expect(data["input"] as? NSArray == ["-Infinity"])
        #expect(data["request"] is NSNull)
        #expect(data["nonFinite"] as? [String] == ["request", "value", "extra"])
    }

    @Test(
        arguments: [
            (BodyEncoding.json, "{\"x\":\n1}", #"{"x":1}"#), (.text, "{\"x\":", #""{\"x\":""#),
            (.base64, "{x", #""e3g=""#),
            (.json, "\"e3g=\"", #""e3g=""#),
        ]
    )
    func `a captured request`(encoding: BodyEncoding, body: String, json: String) throws {
        let expected = try JSONSerialization.jsonObject(with: Data(json.utf8), options: .fragmentsAllowed) as? NSObject
        var event = event
        let part = PredictionEvent.Part(bytes: texts.view(body), encoding: encoding)
        event.input = part
        event.request = .init(body: part)
        event.requestContentType = texts.view("application/json")
        event.requestContentEncoding = texts.view("gzip")
        let data = try data(event)
        #expect(data["request"] as? NSObject == expected)
        #expect(data["input"] as? NSObject == expected)
        #expect(data["requestEncoding"] as? String == "\(encoding)")
        #expect(data["inputEncoding"] as? String == "\(encoding)")
        #expect(data["requestContentType"] as? String == "application/json")
        #expect(data["requestContentEncoding"] as? String == "gzip")
        #expect(data["requestTruncated"] as? Bool == false)
        #expect(data["truncated"] == nil)
    }

    @Test func `a request that is cut says so`() throws {
        var event = event
        event.request = .init(body: .init(bytes: texts.view("{\"x"), encoding: .base64), isCut: true)
        let data = try data(event)
        #expect(data["request"] as? String == Data("{\"x".utf8).base64EncodedString())
        #expect(data["requestTruncated"] as? Bool == true)
        #expect(data["truncated"] as? [String] == ["request"])
    }

    /// What is left out of an event that is too long, and that what stays is whole.
    @Test(
        arguments: [
            ([1_000, 1_000, 1_000, 1_000], []), ([20_000, 1_000, 1_000, 1_000], ["request"]),
            ([1_000, 20_000, 1_000, 1_000], ["request", "input"]),
            ([1_000, 1_000, 20_000, 1_000], ["request", "input", "value"]),
            ([1_000, 1_000, 1_000, 20_000], ["request", "input", "value", "extra"]),
            ([6_000, 6_000, 6_000, 1_000], ["request"]), ([6_000, 9_000, 9_000, 1_000], ["request", "input"]),
            ([0, 0, 20_000, 0], ["value"]), ([0, 0, 0, 20_000], ["extra"]), ([0, 20_000, 500, 0], ["input"]),
        ] as [([Int], [String])],
        [BodyEncoding.json, .text, .base64]
    )
    func `a long event loses parts`(_ expected: ([Int], [String]), encoding: BodyEncoding) throws {
        let (sizes, leftOut) = expected
        func part(_ size: Int) -> PredictionEvent.Part {
            // Of the length that it has in the event.
            switch encoding {
            case .json: .init(bytes: texts.view("\"" + String(repeating: "x", count: size - 2) + "\""))
            case .text: .init(bytes: texts.view(String(repeating: "\"", count: size / 2 - 1)), encoding: .text)
            case .base64: .init(bytes: texts.view(String(repeating: "x", count: (size / 4 - 1) * 3)), encoding: .base64)
            }
        }
        var event = event
        event.value = .init()
        if sizes[0] > 0 { event.request = .init(body: part(sizes[0])) }
        if sizes[1] > 0 { event.input = part(sizes[1]) }
        if sizes[2] > 0 { event.value = part(sizes[2]) }
        if sizes[3] > 0 { event.extra.bytes = texts.view("\"e\":\"" + String(repeating: "x", count: sizes[3]) + "\"") }
        let batch = encode(event, maxEventBytes: 16_384)
        #expect(batch[0].line.count <= 16_384)
        let whole = try parsed(batch[0].line)
        let data = try #require(whole["data"] as? NSDictionary)
        #expect(data["truncated"] as? [String] ?? [] == leftOut)
        for (index, name) in ["request", "input", "value", "extra"].enumerated() {
            let isThere = sizes[index] > 0 && !leftOut.contains(name)
            #expect((data[name] == nil || data[name] is NSNull) == !isThere, "\(name)")
        }
        if sizes[0] > 0 { #expect(data["requestTruncated"] as? Bool == leftOut.contains("request")) }
        #expect(batch[0].id.string == whole["id"] as? String)
        #expect(batch[0].data.string.hasSuffix("\"}"))
    }

    @Test func `the parts of each record`() throws {
        let batch = EventBatch()
        let encoder = PredictionEventEncoder(source: "//host/a\"b")
        for row in 0..<3 {
            var event = event
            event.rowIndex = row
            event.requestId = texts.view("quote\"")
            encoder.encode(event, into: batch)
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
            #expect(whole["time"] as? String == frame.time.string)
            let data = try parsed(frame.data)
            #expect(whole["data"] as? NSDictionary == data)
            #expect(data["rowIndex"] as? Int == row)
            #expect(frame.requestId.string == #"quote\""#)
            #expect(data["predictionId"] as? String == frame.predictionId.string)
            #expect(frame.predictionId == frame.id)
            #expect(frame.modelName.string == #"ir\"is"#)
        }
        #expect(end == batch.bytes.count)
    }

    /// JSON of any kind, for comparing; nil: nothing.
    private func value(_ json: ByteView) throws -> NSObject? {
        if json.isEmpty { return nil }
        let value = try JSONSerialization.jsonObject(with: Data(json.array), options: .fragmentsAllowed)
        return try #require(value as? NSObject)
    }

    @Test(arguments: 0..<200) func `large members are found where the frame says`(seed: Int) throws {
        var random = SeededGenerator(seed: UInt64(seed))
        func part(_ json: String) -> PredictionEvent.Part {
            let encoding = random.pick([BodyEncoding.json, .text, .base64])
            return .init(bytes: texts.view(json), encoding: encoding, mayBeNotFinite: random.chance(30))
        }
        let length = random.pick([3, 3_000])
        let json = "[\(String(repeating: "1, ", count: length))2]"
        var event = event
        if random.chance(80) { event.value = part(json) }
        if random.chance(50) { event.extra = .init(bytes: texts.view(#""value":\#(json),"x":"}""#)) }
        if random.chance(50) { event.input = part(json) }
        if random.chance(50) { event.request = .init(body: part(#"{"a":\#(json)}"#), isCut: random.chance(50)) }
        if random.chance(20) { event.failure = .init(cause: "reset", message: texts.view(#","value":1"#)) }
        let batch = encode(event, maxEventBytes: 16_384)
        let data = try parsed(batch[0].data)
        let contents = try #require(batch[0].contents)
        #expect(try value(contents.value) == data["value"] as? NSObject)
        #expect(try value(contents.extra) == data["extra"] as? NSObject)
        #expect(try value(contents.input) == data["input"] as? NSObject)
        #expect(try value(contents.request) == data["request"] as? NSObject)
    }

    /// Events of answers with many rows are put together from parts of the first one: they must be what they would be alone.
    @Test(arguments: 0..<8 as Range<UInt64>)
    func `rows of one answer are as if alone`(seed: UInt64) throws {
        var generator = SeededGenerator(seed: seed)
        let encoder = PredictionEventEncoder(source: "//host")
        for _ in 0..<40 {
            let batch = EventBatch()
            encoder.begin()
            var event = event
            event.requestId = texts.view(awkwardBytes(using: &generator))
            event.traceparent =
                generator.chance(50) ? texts.view("00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01") : .empty
            event.rowCount = 1 + generator.below(6)
            if generator.chance(20) { event.completedAt = 0 }
            if generator.chance(20) { event.unsplit = .tooMany }
            for row in 0..<event.rowCount {
                event.rowIndex = row
                event.id = texts.view("id-\(row)")
                if generator.chance(40) { event.modelName = texts.view(generator.pick(["a", "b", "", "a\\n"])) }
                if generator.chance(40) { event.modelVersion = texts.view(generator.pick(["1", "2", ""])) }
                if generator.chance(30) { event.timeTakenInMs = texts.view(generator.pick(["4.5", "", "1e1"])) }
                event.value.bytes = texts.view("\(generator.below(1_000))")
                event.extra.bytes = generator.chance(30) ? texts.view("\"x\":1") : .empty
                event.input = generator.chance(30) ? .init(bytes: texts.view("[1]")) : nil
                if generator.chance(20) { encoder.begin() }
                encoder.encode(event, into: batch)
                let alone = EventBatch()
                PredictionEventEncoder(source: "//host").encode(event, into: alone)
                #expect(
                    batch[row].bytes == alone[0].bytes,
                    "seed \(seed): \(batch[row].line.string)\(alone[0].line.string)"
                )
            }
        }
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
            event.request = .init(body: .init(bytes: texts.view(plain[3]), encoding: .text))
            event.input = .init(bytes: texts.view(plain[3]), encoding: .base64)
            event.requestContentType = texts.view(plain[4])
            event.value.encoding = .text
            let batch = encode(event)
            #expect(batch[0].line.array.filter { $0 == 0x0a }.count == 1)
            let data = try parsed(batch[0].data)
            #expect(data["requestId"] as? String == String(decoding: plain[0], as: UTF8.self))
            #expect(data["traceparent"] as? String ?? "" == String(decoding: plain[1], as: UTF8.self))
            #expect(data["contentType"] as? String ?? "" == String(decoding: plain[2], as: UTF8.self))
            #expect(data["request"] as? String == String(decoding: plain[3], as: UTF8.self))
            #expect(data["input"] as? String == Data(plain[3]).base64EncodedString())
            #expect(data["requestContentType"] as? String ?? "" == String(decoding: plain[4], as: UTF8.self))
        }
    }
}
