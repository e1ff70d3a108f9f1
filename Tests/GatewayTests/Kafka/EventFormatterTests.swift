import TestSupport
import Testing

@testable import Gateway

/// How `ameron-sidecar events` writes what it reads.
@Suite struct EventFormatterTests {
    private static let data = #"""
        {"requestId":"0193a4b2-1111-7000-8000-000000000001","modelName":"iris","modelVersion":"2","timeTakenInMs":1.234,
        "status":200,"value":{"label":"setosa"}}
        """#

    private static let attributes = [
        ("ce_specversion", "1.0"), ("ce_id", "7"), ("ce_time", "2026-11-24T15:14:31.123456Z"),
        ("content-type", "application/json"), ("traceparent", "00-1"),
    ]

    /// The line without its line feed; nil where there is none.
    private func line(
        _ formatter: EventFormatter,
        _ value: String?,
        headers: [(String, String)] = attributes,
        timestamp: Int64 = -1
    ) -> String? {
        let list = KafkaHeaderList()
        for (name, value) in headers {
            Array(name.utf8).withByteView { name in
                Array(value.utf8).withByteView { list.append(name: name, value: $0) }
            }
        }
        let out = ByteBuffer()
        let isWritten = Array((value ?? "").utf8).withByteView {
            formatter.append(headers: list, value: value == nil ? nil : $0, timestamp: timestamp, to: out)
        }
        let text = withExtendedLifetime(out) { out.view.string }
        if !isWritten {
            #expect(text.isEmpty)
            return nil
        }
        #expect(text.hasSuffix("\n"))
        #expect(text.dropLast().contains("\n") == false)
        return String(text.dropLast())
    }

    @Test func alignsItsColumns() {
        let formatter = EventFormatter(asJSON: false)
        #expect(
            line(formatter, Self.data)
                == "2026-11-24 15:14:31.123  iris/2            0193a4b2-1111-7000-8000-000000000001"
                + "     1.234 ms  200  {\"label\":\"setosa\"}"
        )
        // Without the attribute the time is Kafka's.
        let failed = #"""
            {"requestId":"r","modelName":"mnist","modelVersion":"","timeTakenInMs":1000.5,"status":504,"value":null,
            "error":{"cause":"timeout","message":"too \u001b slow"}}
            """#
        #expect(
            line(formatter, failed, headers: [], timestamp: 1_000)
                == "1970-01-01 00:00:01.000  mnist             r                                   "
                + "    1000.5 ms  504  timeout: too \\u001b slow"
        )
    }

    @Test(arguments: [
        (#"{"value":null,"truncated":["input","value"]}"#, "(left out: too long)"),
        (#"{"value":null,"truncated":["request"]}"#, "null"), (#"{"value":null,"truncated":"value"}"#, "null"),
        (#"{"value":"a\u001b[0m","valueEncoding":"text"}"#, #""a\u001b[0m""#),
        (#"{"value":[null],"nonFinite":["value"]}"#, "[null]"),
        (
            #"{"value":null,"error":{"cause":"modelError","message":"m","detail":"out of \"memory\""}}"#,
            #"modelError: m: out of \"memory\""#
        ),
    ])
    func saysWhatWasLeftOutAndWhatTheModelSaid(data: String, shown: String) {
        #expect(line(EventFormatter(asJSON: false), data)?.hasSuffix("  " + shown) == true)
    }

    @Test func shortensValuesBetweenCharacters() throws {
        let value = #"""# + String(repeating: "ä", count: 80) + #"""#
        let shown = try #require(line(EventFormatter(asJSON: false), #"{"value":\#(value)}"#))
        #expect(shown.hasSuffix("  \"" + String(repeating: "ä", count: 59) + "…"))
    }

    @Test func coloursFailuresOnTerminalsOnly() {
        let failed = #"{"status":502}"#
        #expect(
            line(EventFormatter(asJSON: false, hasColours: true), failed)?.contains("\u{1B}[31m502\u{1B}[0m")
                == true
        )
        #expect(line(EventFormatter(asJSON: false), failed)?.contains("\u{1B}") == false)
        let good = line(EventFormatter(asJSON: false, hasColours: true), #"{"status":200}"#)
        #expect(good?.contains("\u{1B}") == false)
    }

    @Test func neverPassesControlsOnToTheTerminal() {
        let line = line(
            EventFormatter(asJSON: false),
            Self.data,
            headers: [("ce_time", "\u{1B}[31m hello hello hello hello")],
            timestamp: 0
        )
        #expect(line?.contains("\u{1B}") == false)
        #expect(line?.hasPrefix("1970-01-01 00:00:00.000") == true)
    }

    @Test func putsTheEventTogetherAsJSON() throws {
        let text = try #require(line(EventFormatter(asJSON: true), Self.data))
        let event = try JSON(parsing: text)
        #expect(event.names == ["specversion", "id", "time", "datacontenttype", "data"])
        #expect(event["time"] == "2026-11-24T15:14:31.123456Z")
        #expect(event["data"] == (try JSON(parsing: Self.data)))
    }

    @Test func takesStructuredEventsAsTheyAre() {
        let headers = [("content-type", "application/cloudevents+json; charset=utf-8")]
        let event = #"{"specversion":"1.0","data":{}}"#
        #expect(line(EventFormatter(asJSON: true), event, headers: headers) == event)
    }

    @Test(arguments: [("no json", #""data_base64":"bm8ganNvbg==""#), ("[1]", #""data":[1]"#)])
    func carriesAnyData(_ value: String, _ member: String) {
        #expect(line(EventFormatter(asJSON: true), value, headers: [("ce_id", "\"")]) == #"{"id":"\"","# + member + "}")
        let text = line(EventFormatter(asJSON: false), value)
        #expect(text?.contains("\(value.utf8.count) bytes that are no JSON object") == true)
    }

    @Test func knowsTombstones() {
        #expect(line(EventFormatter(asJSON: true), nil, headers: [("ce_id", "1")]) == #"{"id":"1"}"#)
        #expect(line(EventFormatter(asJSON: false), nil)?.hasSuffix("(no value)") == true)
    }

    @Test func keepsToTheModelAskedFor() {
        let formatter = EventFormatter(asJSON: true, model: "iris")
        #expect(line(formatter, Self.data) != nil)
        #expect(line(formatter, #"{"modelName":"\u0069ris"}"#) != nil)
        #expect(line(formatter, #"{"modelName":"iris2"}"#) == nil)
        #expect(line(formatter, "no json") == nil)
    }
}
