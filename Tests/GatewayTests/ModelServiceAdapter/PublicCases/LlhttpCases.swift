private let ok = "HTTP/1.1 200 OK\r\n"
private let chunked = ok + "Transfer-Encoding: chunked\r\n\r\n"
private let sample = ok + "Content-Length: 3\r\n\r\nabc"
private let chunkedSample = chunked + "a\r\n0123456789\r\n0\r\n\r\n"
private let extendedSample = chunked + "a;foo=bar\r\n0123456789\r\n0\r\n\r\n"

private let upgrade = "the Sidecar asks for no upgrade"
private let follows = "what follows is left, and the connection closed"
private let lineFeed = "section 2.2 allows it in the header"
private let lenient = "lenient there; ours has no such mode"
private let paused = "ours in pieces of one byte"
private let coding = "section 6.3 reads on to the close, but nobody would undo the coding"
private let extensions = "extensions are ignored, and end with the line in any case"

/// The cases of nodejs/llhttp, test/response/*.md, under their headings; fields that make no difference are left out.
let llhttpCases: [PublicCase] = connection + lengths + invalid + pausing + samples + codings

private let connection: [PublicCase] = [
    .same(
        "Proxy-Connection",
        ok + "Content-Length: 11\r\nProxy-Connection: close\r\n\r\nhello world",
        .reads(200, "hello world")
    ),
    .same(
        "HTTP/1.0 with keep-alive and EOF-terminated 200 status",
        "HTTP/1.0 200 OK\r\nConnection: keep-alive\r\n\r\nHTTP/1.0 200 OK",
        .reads(200, "HTTP/1.0 200 OK")
    ),
    .same(
        "HTTP/1.0 with keep-alive and 204 status",
        "HTTP/1.0 204 No content\r\nConnection: keep-alive\r\n\r\nHTTP/1.0 200 OK",
        .reads(204, ""),
        follows
    ),
    .same("HTTP/1.1 with EOF-terminated 200 status", ok + "\r\nHTTP/1.1 200 OK", .reads(200, "HTTP/1.1 200 OK")),
    .same("HTTP/1.1 with 204 status", "HTTP/1.1 204 No content\r\n\r\nHTTP/1.1 200 OK", .reads(204, ""), follows),
    .same(
        "HTTP/1.1 with keep-alive disabled and 204 status",
        "HTTP/1.1 204 No content\r\nConnection: close\r\n\r\nHTTP/1.1 200 OK",
        .reads(204, ""),
        "an error there for what follows; " + follows
    ),
    .same(
        "HTTP/1.1 with keep-alive disabled, content-length (lenient)",
        ok + "Content-Length: 5\r\nConnection: close\r\n\r\n2ad731e3-4dcd",
        .reads(200, "2ad73")
    ),
    .same(
        "HTTP/1.1 with keep-alive disabled, content-length",
        ok + "Content-Length: 5\r\nConnection: close\r\n\r\n2ad731e3-4dcd",
        .reads(200, "2ad73"),
        "an error there for what follows; " + follows
    ),
    .same(
        "HTTP/1.1 with keep-alive disabled and 204 status (lenient)",
        "HTTP/1.1 204 No content\r\nConnection: close\r\n\r\nHTTP/1.1 200 OK",
        .reads(204, ""),
        follows
    ),
    .differs(
        "HTTP 101 response with Upgrade and Content-Length header",
        "HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: h2c\r\nContent-Length: 4\r\n\r\nbodyproto",
        .reads(101, ""),
        ours: .refuses,
        upgrade
    ),
    .differs(
        "HTTP 101 response with Upgrade and Transfer-Encoding header",
        "HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: h2c\r\nTransfer-Encoding: chunked\r\n\r\n"
            + "2\r\nbo\r\n2\r\ndy\r\n0\r\n\r\nproto",
        .reads(101, ""),
        ours: .refuses,
        upgrade
    ),
    .same(
        "HTTP 200 response with Upgrade header",
        ok + "Connection: upgrade\r\nUpgrade: h2c\r\n\r\nbody",
        .reads(200, "body")
    ),
    .same(
        "HTTP 200 response with Upgrade header and Content-Length",
        ok + "Connection: upgrade\r\nUpgrade: h2c\r\nContent-Length: 4\r\n\r\nbody",
        .reads(200, "body")
    ),
    .same(
        "HTTP 200 response with Upgrade header and Transfer-Encoding",
        ok + "Connection: upgrade\r\nUpgrade: h2c\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nbo\r\n2\r\ndy\r\n0\r\n\r\n",
        .reads(200, "body")
    ),
    .same(
        "HTTP 304 with Content-Length",
        "HTTP/1.1 304 Not Modified\r\nContent-Length: 10\r\n\r\n\r\n" + ok + "Content-Length: 5\r\n\r\nhello",
        .reads(304, ""),
        follows
    ),
    .same(
        "HTTP 304 with Transfer-Encoding",
        "HTTP/1.1 304 Not Modified\r\nTransfer-Encoding: chunked\r\n\r\n" + chunked + "5\r\nhello\r\n0\r\n",
        .reads(304, ""),
        follows
    ),
    .differs(
        "HTTP 100 first, then 400",
        "HTTP/1.1 100 Continue\r\n\r\n\r\nHTTP/1.1 404 Not Found\r\nContent-Length: 14\r\n\r\n404: Not Found",
        .reads(404, "404: Not Found"),
        ours: .refuses,
        "an empty line before a status line; section 2.2 lets only servers skip it"
    ),
    .same(
        "HTTP 103 first, then 200",
        "HTTP/1.1 103 Early Hints\r\nLink: </styles.css>; rel=preload; as=style\r\n\r\n" + ok
            + "Connection: keep-alive\r\nKeep-Alive: timeout=5\r\nContent-Length: 17\r\n\r\nresponse content",
        .cutOff
    ),
]

private let lengths: [PublicCase] = [
    .same(
        "Response without Content-Length, but with body",
        ok + "Content-Type: text/xml; charset=utf-8\r\nConnection: close\r\n\r\n<?xml version=\"1.0\"?>\n<a/>",
        .reads(200, "<?xml version=\"1.0\"?>\n<a/>")
    ),
    .same(
        "Content-Length-X",
        ok + "Content-Length-X: 0\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nOK\r\n0\r\n\r\n",
        .reads(200, "OK")
    ),
    .differs(
        "Content-Length reset when no body is received",
        ok + "Content-Length: 123\r\n\r\n" + ok + "Content-Length: 456\r\n\r\n",
        .reads(200, ""),
        ours: .cutOff,
        "an answer to HEAD there, which the Sidecar does not send"
    ),
    .same("Tabs in Content-Length (surrounding)", ok + "Content-Length:\t42\t\r\n\r\n", .cutOff),
    .same("It should be safe to finish with cb after empty response", ok + "\r\n", .reads(200, "")),
]

private let invalid: [PublicCase] = [
    .same("Incomplete HTTP protocol", "HTP/1.1 200 OK\r\n\r\n", .refuses),
    .same("Extra digit in HTTP major version", "HTTP/01.1 200 OK\r\n\r\n", .refuses),
    .same("Extra digit in HTTP major version #2", "HTTP/11.1 200 OK\r\n\r\n", .refuses),
    .same("Extra digit in HTTP minor version", "HTTP/1.01 200 OK\r\n\r\n", .refuses),
    .same("Tab after HTTP version", "HTTP/1.1\t200 OK\r\n\r\n", .refuses),
    .same("CR before response and tab after HTTP version", "\rHTTP/1.1\t200 OK\r\n\r\n", .refuses),
    .same("Headers separated by CR", ok + "Foo: 1\rBar: 2\r\n\r\n", .refuses),
    .same(
        "Bare CR after response line",
        "HTTP/1.1 200 OK\rContent-Length: 0\r\n\r\n",
        .refuses,
        "mended with this list"
    ),
    .differs(
        "Bare CR after response line (lenient)",
        "HTTP/1.1 200 OK\rContent-Length: 0\r\n\r\n",
        .reads(200, ""),
        ours: .refuses,
        lenient
    ),
    .same(
        "Bare CR followed by CR after response line",
        "HTTP/1.1 200 OK\r\rContent-Length: 4\r\n\r\nEvil",
        .refuses,
        "mended with this list"
    ),
    .same("Invalid HTTP version", "HTTP/5.6 200 OK\r\n\r\n", .refuses),
    .differs(
        "Invalid space after start line",
        ok + " Host: foo",
        .refuses,
        ours: .cutOff,
        "a line is judged when its end is there; without it the answer fails as cut off"
    ),
    .same("Extra space between HTTP version and status code", "HTTP/1.1  200 OK\r\n\r\n", .refuses),
    .same("Extra space between status code and reason", "HTTP/1.1 200  OK\r\n\r\n", .reads(200, "")),
    .same("One-digit status code", "HTTP/1.1 2 OK\r\n\r\n", .refuses),
    .differs(
        "Only LFs present and no body",
        "HTTP/1.1 200 OK\nContent-Length: 0\n\n",
        .refuses,
        ours: .reads(200, ""),
        lineFeed
    ),
    .same("Only LFs present and no body (lenient)", "HTTP/1.1 200 OK\nContent-Length: 0\n\n", .reads(200, "")),
    .differs(
        "Only LFs present",
        "HTTP/1.1 200 OK\nFoo: abc\nBar: def\n\nBODY\n\\",
        .refuses,
        ours: .reads(200, "BODY\n\\"),
        lineFeed
    ),
    .same(
        "Only LFs present (lenient)",
        "HTTP/1.1 200 OK\nFoo: abc\nBar: def\n\nBODY\n\\",
        .reads(200, "BODY\n\\")
    ),
    .differs("Invalid HTTP version (lenient)", "HTTP/5.6 200 OK\r\n\r\n", .reads(200, ""), ours: .refuses, lenient),
]

private let pausing: [PublicCase] = [
    .same("on_message_begin", sample, .reads(200, "abc"), paused),
    .same("on_message_complete", sample, .reads(200, "abc"), paused),
    .same("on_version_complete", sample, .reads(200, "abc"), paused),
    .same("on_status_complete", sample, .reads(200, "abc"), paused),
    .same("on_header_field_complete", sample, .reads(200, "abc"), paused),
    .same("on_header_value_complete", sample, .reads(200, "abc"), paused),
    .same("on_headers_complete", sample, .reads(200, "abc"), paused),
    .same("on_chunk_header", chunkedSample, .reads(200, "0123456789"), paused),
    .same("on_chunk_extension_name", extendedSample, .reads(200, "0123456789"), paused),
    .same("on_chunk_extension_value", extendedSample, .reads(200, "0123456789"), paused),
    .same("on_chunk_complete", chunkedSample, .reads(200, "0123456789"), paused),
]

private let samples: [PublicCase] = [
    .same(
        "Should parse multiple events",
        ok + "Content-Length: 3\r\n\r\nAAA\r\nHTTP/1.1 201 Created\r\nContent-Length: 4\r\n\r\nBBBB",
        .reads(200, "AAA"),
        follows
    ),
    .same(
        "Simple response",
        ok + "Header1: Value1\r\nHeader2:\t Value2\r\nContent-Length: 0\r\n\r\n",
        .reads(200, "")
    ),
    .differs("RTSP response", "RTSP/1.1 200 OK\r\n\r\n", .reads(200, ""), ours: .refuses, "another protocol"),
    .differs("ICE response", "ICE/1.1 200 OK\r\n\r\n", .reads(200, ""), ours: .refuses, "another protocol"),
    .same("Error on invalid response start", "HTTPER/1.1 200 OK\r\n\r\n", .refuses),
    .same("Empty body should not trigger spurious span callbacks", ok + "\r\n", .reads(200, "")),
    .same(
        "Google 301",
        "HTTP/1.1 301 Moved Permanently\r\nX-$PrototypeBI-Version: 1.6.0.3\r\nContent-Length:  219  \r\n\r\n<HTML>",
        .cutOff
    ),
    .same(
        "amazon.com",
        "HTTP/1.1 301 MovedPermanently\r\np3p: policyref=\"http://a/p3p.xml\",CP=\"CAO DSP \"\r\n"
            + "Vary: Accept-Encoding,User-Agent\r\nTransfer-Encoding: chunked\r\n\r\n1\r\n\n\r\n0\r\n\r\n",
        .reads(301, "\n")
    ),
    .same("No headers and no body", "HTTP/1.1 404 Not Found\r\n\r\n", .reads(404, "")),
    .same("No reason phrase", "HTTP/1.1 301\r\n\r\n", .reads(301, "")),
    .same("Empty reason phrase after space", "HTTP/1.1 200 \r\n\r\n", .reads(200, "")),
    .differs(
        "No carriage ret",
        "HTTP/1.1 200 OK\nContent-Type: text/html\nConnection: close\n\nthese headers",
        .refuses,
        ours: .reads(200, "these headers"),
        lineFeed
    ),
    .same(
        "No carriage ret (lenient)",
        "HTTP/1.1 200 OK\nContent-Type: text/html\nConnection: close\n\nthese headers",
        .reads(200, "these headers")
    ),
    .same(
        "Underscore in header key",
        ok + "Content-Length: 0\r\nDCLK_imp: v7;x;114750856;0-0;0;17820020;0/0;~okv=;;~cs=o\r\n\r\n",
        .reads(200, "")
    ),
    .same(
        "bonjourmadame.fr",
        "HTTP/1.0 301 Moved Permanently\r\nPragma: \r\nLocation: http://a/\r\nContent-Length: 0\r\n"
            + "Connection: keep-alive\r\n\r\n",
        .reads(301, "")
    ),
    .same(
        "Spaces in header value",
        ok + ".et-Cookie: PlaxoCS=1274804622353690521; path=/\r\n_eep-Alive: timeout=45\r\n_onnection: Keep-Alive\r\n"
            + "Transfer-Encoding: chunked\r\nConnection: close\r\n\r\n0\r\n\r\n",
        .reads(200, "")
    ),
    .same(
        "Spaces in header name",
        ok + "X-Powered-By: ASP.NET\r\nen-US Content-Type: text/xml\r\nContent-Length: 16\r\n\r\n<xml>hello</xml>",
        .refuses
    ),
    .same(
        "Non ASCII in status line",
        "HTTP/1.1 500 Ori\u{eb}ntatieprobleem\r\nContent-Length: 0\r\nConnection: close\r\n\r\n",
        .reads(500, "")
    ),
    .differs("HTTP version 0.9", "HTTP/0.9 200 OK\r\n\r\n", .reads(200, ""), ours: .refuses, "0.9 has no status line"),
    .same(
        "No Content-Length, no Transfer-Encoding",
        ok + "Content-Type: text/plain\r\n\r\nhello world",
        .reads(200, "hello world")
    ),
    .differs(
        "Response starting with CRLF",
        "\r\n" + ok + "Header1: Value1\r\nContent-Length: 0\r\n\r\n",
        .reads(200, ""),
        ours: .refuses,
        "section 2.2 lets only servers skip it"
    ),
]

private let codings: [PublicCase] = [
    .differs(
        "Trailing space on chunked body",
        chunked
            + "25  \r\nThis is the data in the first chunk\r\n\r\n1C\r\nand this is the second one\r\n\r\n0  \r\n\r\n",
        .refuses,
        ours: .reads(200, "This is the data in the first chunk\r\nand this is the second one\r\n"),
        "section 7.1.1 has white space there before an extension, and it can be read in one way only"
    ),
    .differs(
        "chunked before other transfer-encoding",
        ok + "Transfer-Encoding: chunked, deflate\r\n\r\nWorld",
        .reads(200, "World"),
        ours: .refuses,
        coding
    ),
    .differs(
        "multiple transfer-encoding where chunked is not the last one",
        ok + "Transfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n\r\nWorld",
        .reads(200, "World"),
        ours: .refuses,
        coding
    ),
    .differs(
        "chunkedchunked transfer-encoding does not enable chunked enconding",
        ok + "Transfer-Encoding: chunkedchunked\r\n\r\n2\r\nOK\r\n0\r\n\r\n",
        .reads(200, "2\r\nOK\r\n0\r\n\r\n"),
        ours: .refuses,
        coding
    ),
    .same(
        "Chunk extensions",
        chunked + "5;ilovew3;somuchlove=aretheseparametersfor\r\nhello\r\n6;blahblah;blah\r\n world\r\n0\r\n\r\n",
        .reads(200, "hello world")
    ),
    .same("No semicolon before chunk extensions", chunked + "2 erfrferferf\r\naa\r\n0 rrrr\r\n\r\n", .refuses),
    .differs(
        "No extension after semicolon",
        chunked + "2;\r\naa\r\n0\r\n\r\n",
        .refuses,
        ours: .reads(200, "aa"),
        extensions
    ),
    .same(
        "Chunk extensions quoting",
        chunked + "5;ilovew3=\"I love; extensions\";blah;foo=bar\r\nhello\r\n6;blahblah;blah\r\n world\r\n0\r\n",
        .cutOff
    ),
    .differs(
        "Unbalanced chunk extensions quoting",
        chunked + "5;ilovew3=\"abc\";somuchlove=\"def; ghi\r\nhello\r\n6;blahblah;blah\r\n world\r\n0\r\n",
        .refuses,
        ours: .cutOff,
        extensions
    ),
    .differs(
        "Invalid OBS fold after chunked value",
        ok + "Transfer-Encoding: chunked\r\n  abc\r\n\r\n5\r\nWorld\r\n0\r\n\r\n",
        .reads(200, "5\r\nWorld\r\n0\r\n\r\n"),
        ours: .refuses,
        lenient
    ),
]
