private let ok = "HTTP/1.1 200 OK\r\n"
private let head = "an answer to HEAD, which the Sidecar does not send"
private let coding = "section 6.1: faulty framing"
private let whole = "a line is judged when its end is there; without it the answer fails as cut off"

/// The cases of golang/go, src/net/http/response_test.go: of respTests under their comments, of TestReadResponseErrors
/// under their names.
let goCases: [PublicCase] = [
    .same(
        "Unchunked response without Content-Length",
        "HTTP/1.0 200 OK\r\nConnection: close\r\n\r\nBody here\n",
        .reads(200, "Body here\n")
    ),
    .same(
        "Unchunked HTTP/1.1 response without Content-Length or Connection headers",
        ok + "\r\nBody here\n",
        .reads(200, "Body here\n")
    ),
    .same(
        "Unchunked HTTP/1.1 204 response without Content-Length",
        "HTTP/1.1 204 No Content\r\n\r\nBody should not be read!\n",
        .reads(204, "")
    ),
    .same(
        "Unchunked response with Content-Length",
        "HTTP/1.0 200 OK\r\nContent-Length: 10\r\nConnection: close\r\n\r\nBody here\n",
        .reads(200, "Body here\n")
    ),
    .same(
        "Chunked response without Content-Length",
        ok + "Transfer-Encoding: chunked\r\n\r\n0a\r\nBody here\n\r\n09\r\ncontinued\r\n0\r\n\r\n",
        .reads(200, "Body here\ncontinued")
    ),
    .same(
        "Chunked response with Content-Length",
        ok + "Transfer-Encoding: chunked\r\nContent-Length: 10\r\n\r\n0a\r\nBody here\n\r\n0\r\n\r\n",
        .reads(200, "Body here\n"),
        "and the connection is not used again"
    ),
    .differs(
        "Chunked response in response to a HEAD request",
        ok + "Transfer-Encoding: chunked\r\n\r\n",
        .reads(200, ""),
        ours: .cutOff,
        head
    ),
    .differs(
        "Content-Length in response to a HEAD request",
        "HTTP/1.0 200 OK\r\nContent-Length: 256\r\n\r\n",
        .reads(200, ""),
        ours: .cutOff,
        head
    ),
    .differs(
        "Content-Length in response to a HEAD request with HTTP/1.1",
        ok + "Content-Length: 256\r\n\r\n",
        .reads(200, ""),
        ours: .cutOff,
        head
    ),
    .same(
        "No Content-Length or Chunked in response to a HEAD request",
        "HTTP/1.0 200 OK\r\n\r\n",
        .reads(200, "")
    ),
    .same("explicit Content-Length of 0", ok + "Content-Length: 0\r\n\r\n", .reads(200, "")),
    .same("Status line without a Reason-Phrase, but trailing space", "HTTP/1.0 303 \r\n\r\n", .reads(303, "")),
    .same("Status line without a Reason-Phrase, and no trailing space", "HTTP/1.0 303\r\n\r\n", .reads(303, "")),
    .same(
        "issue 4767: don't special-case multipart/byteranges responses",
        "HTTP/1.1 206 Partial Content\nConnection: close\nContent-Type: multipart/byteranges; boundary=1\n\nsome body",
        .reads(206, "some body")
    ),
    .same(
        "Unchunked response without Content-Length, Request is nil",
        "HTTP/1.0 200 OK\r\nConnection: close\r\n\r\nBody here\n",
        .reads(200, "Body here\n")
    ),
    .same(
        "206 Partial Content (issue 8923)",
        "HTTP/1.1 206 Partial Content\r\nContent-Range: bytes 0-5/1862\r\nContent-Length: 6\r\n\r\nfoobar",
        .reads(206, "foobar")
    ),
    .differs(
        "Both keep-alive and close, on the same Connection line (issue 8840)",
        ok + "Content-Length: 256\r\nConnection: keep-alive, close\r\n\r\n",
        .reads(200, ""),
        ours: .cutOff,
        head
    ),
    .differs(
        "Both keep-alive and close, on different Connection lines (issue 8840)",
        ok + "Content-Length: 256\r\nConnection: keep-alive\r\nConnection: close\r\n\r\n",
        .reads(200, ""),
        ours: .cutOff,
        head
    ),
    .differs(
        "Issue 12785: bogus Transfer-Encoding, without a Content-Length",
        "HTTP/1.0 200 OK\r\nTransfer-Encoding: bogus\r\n\r\nBody here\n",
        .reads(200, "Body here\n"),
        ours: .refuses,
        coding
    ),
    .differs(
        "Issue 12785: bogus Transfer-Encoding, with a Content-Length",
        "HTTP/1.0 200 OK\r\nTransfer-Encoding: bogus\r\nContent-Length: 10\r\n\r\nBody here\n",
        .reads(200, "Body here\n"),
        ours: .refuses,
        coding
    ),
    .same(
        "TestResponseContentLengthShortBody",
        ok + "Content-Length: 123\r\n\r\nShort body, not 123 bytes.",
        .cutOff
    ),
    .same("0. input \"\"", "", .cutOff),
    .same("1. input of a header without end", "HTTP/1.1 301 Moved Permanently\r\nFoo: bar", .cutOff),
    .differs("2. input \"HTTP/1.1\"", "HTTP/1.1", .refuses, ours: .cutOff, whole),
    .differs("3. input \"HTTP/2.0\"", "HTTP/2.0", .refuses, ours: .cutOff, whole),
    status("20X Unknown", .refuses),
    status("abcd Unknown", .refuses),
    status("\u{4e8c}\u{767e}/\u{4e24}\u{767e} OK", .refuses),
    status(" Unknown", .refuses),
    status("c8 OK", .refuses),
    status("0x12d Moved Permanently", .refuses),
    status("200 OK", .reads(200, "")),
    status("000 OK", .reads(0, ""), ours: .refuses, "a status is at least 100 (RFC 9110, section 15)"),
    status("001 OK", .reads(1, ""), ours: .refuses, "a status is at least 100 (RFC 9110, section 15)"),
    status("404 NOTFOUND", .reads(404, "")),
    status("20 OK", .refuses),
    status("00 OK", .refuses),
    status("-10 OK", .refuses),
    status("1000 OK", .refuses),
    status("999 Done", .reads(999, "")),
    status("-1 OK", .refuses),
    status("-200 OK", .refuses),
    version("HTTP/1.2", .reads(200, ""), ours: .refuses, "there is no such version"),
    version("HTTP/2.0", .reads(200, ""), ours: .refuses, "not in this form"),
    version("HTTP/1.100000000002", .refuses),
    version("HTTP/1.-1", .refuses),
    version("HTTP/A.B", .refuses),
    version("HTTP/1", .refuses),
    version("http/1.1", .refuses),
]

private func status(
    _ text: String,
    _ theirs: PublicCase.Outcome,
    ours: PublicCase.Outcome? = nil,
    _ why: String = ""
) -> PublicCase {
    .differs("status \"\(text)\"", "HTTP/1.1 \(text)\r\nFoo: bar\r\n\r\n", theirs, ours: ours ?? theirs, why)
}

private func version(
    _ text: String,
    _ theirs: PublicCase.Outcome,
    ours: PublicCase.Outcome? = nil,
    _ why: String = ""
) -> PublicCase {
    .differs("version \"\(text)\"", "\(text) 200 OK\r\n\r\n", theirs, ours: ours ?? theirs, why)
}
