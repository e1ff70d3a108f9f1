private let ok = "HTTP/1.1 200 OK\r\n"
private let chunked = ok + "Transfer-Encoding: chunked\r\n\r\n"
private let sixteen = "5\r\n01234\r\n10\r\n0123456789abcdef\r\n0\r\n"
private let xs = String(repeating: "x", count: 0xaa)

/// The cases of python-hyper/h11, h11/tests/test_io.py, that read responses or bodies; each under its test.
let h11Cases: [PublicCase] = [
    .same("test_readers_simple, close", ok + "Connection: close\r\n\r\n", .reads(200, "")),
    .same("test_readers_simple, no fields", ok + "\r\n", .reads(200, "")),
    .differs(
        "test_readers_simple, 101 with Upgrade",
        "HTTP/1.1 101 Upgrade\r\nUpgrade: websocket\r\n\r\n",
        .reads(101, ""),
        ours: .refuses,
        "the Sidecar asks for no upgrade"
    ),
    .differs(
        "test_readers_simple, 101",
        "HTTP/1.1 101 Upgrade\r\n\r\n",
        .reads(101, ""),
        ours: .refuses,
        "the Sidecar asks for no upgrade"
    ),
    .same("test_readers_unusual, HTTP/1.0", "HTTP/1.0 200 OK\r\nSome: header\r\n\r\n", .reads(200, "")),
    .same("test_readers_unusual, single characters", "HTTP/1.0 200 OK\r\nFoo: a a a a a \r\n\r\n", .reads(200, "")),
    .same("test_readers_unusual, empty value", "HTTP/1.0 200 OK\r\nFoo:\r\n\r\n", .reads(200, "")),
    .same("test_readers_unusual, blank value", "HTTP/1.0 200 OK\r\nFoo: \t \t \r\n\r\n", .reads(200, "")),
    .same("test_readers_unusual, no reason", "HTTP/1.0 200\r\nFoo: bar\r\n\r\n", .reads(200, "")),
    .same("test_readers_unusual, LF before CRLF", ok + "SomeHeader: val\n\r\n", .reads(200, "")),
    .same("test_readers_unusual, LF", "HTTP/1.1 200 OK\nSomeHeader1: val1\nSomeHeader2: val2\n\n", .reads(200, "")),
    .same(
        "test_readers_unusual, LF and CRLF",
        ok + "SomeHeader1: val1\nSomeHeader2: val2\n\r\n",
        .reads(200, "")
    ),
    .same("test_ContentLengthReader, 0", ok + "Content-Length: 0\r\n\r\n", .reads(200, "")),
    .same(
        "test_ContentLengthReader, 10",
        ok + "Content-Length: 10\r\n\r\n0123456789",
        .reads(200, "0123456789")
    ),
    .same("test_Http10Reader, empty", "HTTP/1.0 200 OK\r\n\r\n", .reads(200, "")),
    .same("test_Http10Reader, asdf", "HTTP/1.0 200 OK\r\n\r\nasdf", .reads(200, "asdf")),
    .same("test_ChunkedReader, empty", chunked + "0\r\n\r\n", .reads(200, "")),
    .same("test_ChunkedReader, trailer", chunked + "0\r\nSome: header\r\n\r\n", .reads(200, "")),
    .same(
        "test_ChunkedReader, chunks and trailer",
        chunked + sixteen + "Some: header\r\n\r\n",
        .reads(200, "012340123456789abcdef")
    ),
    .same("test_ChunkedReader, chunks", chunked + sixteen + "\r\n", .reads(200, "012340123456789abcdef")),
    .same("test_ChunkedReader, hex in both cases", chunked + "aA\r\n\(xs)\r\n0\r\n\r\n", .reads(200, xs)),
    .same(
        "test_ChunkedReader, 100 digits",
        chunked + String(repeating: "9", count: 100) + "\r\nxxx",
        .refuses
    ),
    .same("test_ChunkedReader, NUL in the size", chunked + "10\u{0}\r\nxxx", .refuses),
    .same(
        "test_ChunkedReader, extensions",
        chunked + "5; hello=there\r\nxxxxx\r\n0; random=\"junk\"; some=more; canbe=lonnnnngg\r\n\r\n",
        .reads(200, "xxxxx")
    ),
    .same("test_ChunkedReader, white space", chunked + "5   \t \r\n01234\r\n0\r\n\r\n", .reads(200, "01234")),
    .same("test_ChunkedReader, no line end", chunked + "3\r\nxxx__1a\r\n", .refuses),
    .same("test_ChunkedReader, no LF", chunked + "3\r\nxxx\r_1a\r\n", .refuses),
    .same("test_ChunkedReader, no CR", chunked + "3\r\nxxx_\n1a\r\n", .refuses),
    .same(
        "test_reject_garbage_after_request_line",
        "HTTP/1.0 200 OK\u{0}xxxx\r\n\r\n",
        .refuses,
        "mended with this list"
    ),
]
