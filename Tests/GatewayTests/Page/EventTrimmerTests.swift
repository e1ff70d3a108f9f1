import TestSupport
import Testing

@testable import Gateway

/// What is left of an event on its way to the page.
@Suite struct EventTrimmerTests {
    private static let members =
        #""requestId":"r","input":[1],"inputEncoding":"json","request":{},"requestEncoding":"x""#

    /// An event with this text as its data.
    private func trim(_ data: String, hidesRequests: Bool) throws -> JSON? {
        let batch = EventBatch()
        batch.append { bytes in
            bytes.append(string: "id time " + data + "\n")
            var parts = EventFrame.Parts()
            (parts.id, parts.time) = (0..<2, 3..<7)
            parts.data = 8..<8 + data.utf8.count
            return parts
        }
        let bytes = EventTrimmer(hidesRequests: hidesRequests).trim(batch[0])
        return try bytes.map { try JSON(parsing: $0) }
    }

    @Test func `a short event is shown as it is`() throws {
        let event = try #require(try trim("{\(Self.members)}", hidesRequests: false))
        #expect(event.names == ["id", "time", "data"])
        #expect(event["id"] == "id" && event["time"] == "time")
        #expect(event["data"]?.names == ["requestId", "input", "inputEncoding", "request", "requestEncoding"])
    }

    @Test func `what a client sent is left out where it must not be shown`() throws {
        let more = #""value":1,"requestTruncated":true,"requestContentType":"a/b","inputs":2"#
        let event = try #require(try trim("{\(Self.members),\(more)}", hidesRequests: true))
        #expect(event["data"] == ["requestId": "r", "value": 1, "omitted": []])
    }

    @Test(arguments: [(4_094, false), (4_095, true), (20_000, true)])
    func `long members of a long event are named in their place`(_ length: Int, _ isOmitted: Bool) throws {
        // With its quotes the member has two bytes more.
        let long = String(repeating: "x", count: length)
        let fill = (0..<5).map { #""m\#($0)":"\#(String(repeating: "y", count: 4_000))""# }.joined(separator: ",")
        let event = try trim(#"{"value":"\#(long)","extra":[],\#(fill)}"#, hidesRequests: false)
        // Many members that are just short enough make an event that is too long altogether.
        #expect(event == nil)
        let hidden = try #require(try trim(#"{"value":"\#(long)","extra":[]}"#, hidesRequests: true))
        #expect(hidden["data"]?["value"]?.isNull == isOmitted)
        #expect(hidden["data"]?["omitted"] == (isOmitted ? ["value"] : []))
        #expect(hidden["data"]?["extra"] == [])
    }

    @Test func `several members may be left out`() throws {
        let long = String(repeating: "x", count: 9_000)
        let event = try #require(try trim(#"{"a":"\#(long)","b":1,"c":"\#(long)"}"#, hidesRequests: false))
        #expect(event["data"]?["a"]?.isNull == true && event["data"]?["c"]?.isNull == true)
        #expect(event["data"]?["b"] == 1)
        #expect(event["data"]?["omitted"] == ["a", "c"])
    }

    @Test(arguments: ["[1", #"{"a":}"#, #"{"a":1"#]) func `what cannot be read is not shown where it must be`(
        _ data: String
    ) throws {
        #expect(try trim(data, hidesRequests: true) == nil)
    }
}
