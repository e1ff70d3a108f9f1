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
            (0, .refused), (301, .refused), (304, .refused), (401, .refused), (404, .refused), (409, .refused),
            (499, .refused),
        ] as [(Int, HTTPVerdict)]
    )
    func `a status decides`(status: Int, verdict: HTTPVerdict) { #expect(HTTPVerdict(status: status) == verdict) }

    @Test(
        arguments: [
            ("HTTP/1.1 503 x\r\nRetry-After: 7\r\n\r\n", 7), ("HTTP/1.1 503 x\r\nretry-after:120\r\nA: b\r\n\r\n", 120),
            ("HTTP/1.1 503 x\r\nX-Retry-After: 7\r\n\r\n", nil), ("HTTP/1.1 503 x\r\n\r\n", nil),
            ("HTTP/1.1 503 x\r\nRetry-After: Wed, 21 Oct 2026 07:28:00 GMT\r\n\r\n", nil),
            ("HTTP/1.1 503 x\r\nRetry-After: -1\r\n\r\n", nil), ("HTTP/1.1 503 x\r\nRetry-After:\r\n\r\n", nil),
        ] as [(String, Int?)]
    )
    func `the wish for a pause is read in seconds`(headers: String, seconds: Int?) {
        Array(headers.utf8).withByteView { #expect(HTTPVerdict.retryAfter(in: $0) == seconds) }
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
