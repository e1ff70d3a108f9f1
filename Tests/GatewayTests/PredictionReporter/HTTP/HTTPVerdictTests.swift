import Foundation
import TestSupport
import Testing

@testable import Gateway

@Suite struct HTTPVerdictTests {
    @Test(
        arguments: [
            (200, .delivered), (202, .delivered), (204, .delivered), (299, .delivered),
            (408, .retriable), (425, .retriable), (429, .retriable), (500, .retriable), (503, .retriable),
            (599, .retriable),
            (400, .questionable), (413, .questionable), (422, .questionable),
            (0, .blocked), (301, .blocked), (304, .blocked), (401, .blocked), (403, .blocked), (404, .blocked),
            (405, .blocked), (407, .blocked), (409, .blocked), (415, .blocked), (499, .blocked), (600, .blocked),
        ] as [(Int, HTTPVerdict)]
    )
    func `a status decides`(status: Int, verdict: HTTPVerdict) { #expect(HTTPVerdict(status: status) == verdict) }

    @Test(
        arguments: [
            ("HTTP/1.1 503 x\r\nRetry-After: 7\r\n\r\n", 7), ("HTTP/1.1 503 x\r\nretry-after:120\r\nA: b\r\n\r\n", 120),
            ("HTTP/1.1 503 x\r\nX-Retry-After: 7\r\n\r\n", nil), ("HTTP/1.1 503 x\r\n\r\n", nil),
            ("HTTP/1.1 503 x\r\nRetry-After: -1\r\n\r\n", nil), ("HTTP/1.1 503 x\r\nRetry-After:\r\n\r\n", nil),
            ("HTTP/1.1 503 x\r\nRetry-After: 1.5\r\n\r\n", nil), ("HTTP/1.1 503 x\r\nRetry-After: soon\r\n\r\n", nil),
            ("HTTP/1.1 503 x\r\nRetry-After: \(String(repeating: "9", count: 30))\r\n\r\n", nil),
        ] as [(String, Int?)]
    )
    func `the wish for a pause is read in seconds`(headers: String, seconds: Int?) {
        Array(headers.utf8).withByteView { #expect(HTTPVerdict.retryAfter(in: $0) == seconds) }
    }

    /// All three forms of RFC 9110, section 5.6.7, by the receiver's own clock.
    @Test(
        arguments: [
            ("Sun, 06 Nov 1994 08:51:37 GMT", 120), ("Sunday, 06-Nov-94 08:51:37 GMT", 120),
            ("Sun Nov  6 08:51:37 1994", 120), ("Sun, 06 Nov 1994 08:49:37 GMT", 0),
            ("Sun, 06 Nov 1994 08:00:00 GMT", 0), ("Sun, 06 Nov 1994 25:61:00 GMT", nil),
            ("Tomorrow, in the early afternoon", nil),
        ] as [(String, Int?)]
    )
    func `the wish for a pause is read as a date`(date: String, seconds: Int?) {
        let headers = "HTTP/1.1 503 x\r\nDate: Sun, 06 Nov 1994 08:49:37 GMT\r\nRetry-After: \(date)\r\n\r\n"
        Array(headers.utf8).withByteView { #expect(HTTPVerdict.retryAfter(in: $0) == seconds) }
    }

    @Test func `without a clock of the receiver's a date goes by ours`() {
        let formatter = DateFormatter()
        formatter.locale = Locale(identifier: "en_US_POSIX")
        formatter.timeZone = TimeZone(identifier: "GMT")
        formatter.dateFormat = "EEE, dd MMM yyyy HH:mm:ss 'GMT'"
        let headers =
            "HTTP/1.1 503 x\r\nRetry-After: \(formatter.string(from: Date(timeIntervalSinceNow: 5_000)))\r\n\r\n"
        Array(headers.utf8).withByteView { view in
            let seconds = HTTPVerdict.retryAfter(in: view) ?? 0
            #expect((4_000...5_000).contains(seconds))
        }
    }

    /// The example of the binding, section 3.1.3.2.
    @Test(
        arguments: [
            ("Euro \u{20AC} \u{1F600}", "Euro%20%E2%82%AC%20%F0%9F%98%80"), ("plain/text?a=b&c", "plain/text?a=b&c"),
            (#"50% "off""#, "50%25%20%22off%22"), ("\u{7f}\n", "%7F%0A"), ("", ""),
        ]
    )
    func `header values are percent-encoded`(text: String, encoded: String) {
        let out = ByteBuffer()
        Array(text.utf8).withByteView { HTTPEventHeaders.appendEncoded($0, to: out) }
        #expect(withExtendedLifetime(out) { out.view.string } == encoded)
    }
}
