/// The cases of web-platform-tests/wpt: fetch/h1-parsing (lone-cr, status-code, incomplete-response) and
/// fetch/content-length/resources/content-lengths.json.
let webPlatformCases: [PublicCase] = loneCarriageReturns + statusCodes + incomplete + contentLengths

private let fact = "Fact: this is really forty-two bytes long."
private let line = "Fact: this is really forty-two"

private let loneCarriageReturns: [PublicCase] = [
    .same("lone-cr in the version", "HTTP/1.1\r200 OK\n\nBODY", .refuses),
    .same("lone-cr after the status", "HTTP/1.1 200\rOK\n\nBODY", .refuses),
    .same("lone-cr before a name", "HTTP/1.1 200 OK\n\rHeader: Value\n\nBODY", .refuses),
    .same("lone-cr after a name", "HTTP/1.1 200 OK\nHeader\r: Value\n\nBODY", .refuses),
    .same("lone-cr before a value", "HTTP/1.1 200 OK\nHeader:\r Value\n\nBODY", .refuses),
    .same("lone-cr after a value", "HTTP/1.1 200 OK\nHeader: Value\r\r\nBODY", .refuses),
    .same("lone-cr between fields", "HTTP/1.1 200 OK\nHeader: Value\rHeader2: Value2\n\nBODY", .refuses),
]

private let statusCodes: [PublicCase] = [
    status("", .refuses),
    status("BLAH", .refuses),
    status("0 OK", .reads(0, ""), ours: .refuses, "a status has three digits"),
    status("1 OK", .reads(1, ""), ours: .refuses, "a status has three digits"),
    status("99 NOT OK", .reads(99, ""), ours: .refuses, "a status has three digits"),
    status("099 HELLO", .reads(99, ""), ours: .refuses, "a status is at least 100 (RFC 9110, section 15)"),
    status("999 DOES IT MATTER", .reads(999, "")),
    status("1000 BOO", .refuses),
    status("65736 NOT 200 OR SOME SUCH", .refuses),
    status("131072 HI", .refuses),
]

private let incomplete: [PublicCase] = [
    .same("incomplete-response (tab)", "HTTP/1.1 200 OKAYISH\nheader: value\t", .cutOff),
    .same("incomplete-response (space)", "HTTP/1.1 200 OKAYISH\nheader: value ", .cutOff),
    .same("incomplete-response (form feed)", "HTTP/1.1 200 OKAYISH\nheader: value\u{c}", .cutOff),
    .same("incomplete-response (carriage return)", "HTTP/1.1 200 OKAYISH\nheader: value\r", .cutOff),
]

private let list = "section 6.3 allows to refuse a list"
private let ignored = "section 6.3 asks to refuse it"

private let contentLengths: [PublicCase] = [
    length(["42"], .reads(200, fact)),
    length(["42,42"], .reads(200, fact), ours: .refuses, list),
    length(["42", "42"], .reads(200, fact)),
    length(["42", "42,42"], .reads(200, fact), ours: .refuses, list),
    length(["30"], .reads(200, line)),
    length(["30,30"], .reads(200, line), ours: .refuses, list),
    length(["30", "30"], .reads(200, line)),
    length(["30", "30,30"], .reads(200, line), ours: .refuses, list),
    length(["42,30"], .refuses),
    length(["30,42"], .refuses),
    length(["42", "30"], .refuses),
    length(["30", "42"], .refuses),
    length(["30,"], .refuses),
    length([",30"], .refuses),
    length(["30", "\t"], .refuses),
    length(["", "30"], .refuses),
    length(["aaaah", "nah"], .refuses),
    length(["aaaah, nah"], .refuses),
    length(["aaaah", "aaaah"], .reads(200, fact), ours: .refuses, ignored),
    length(["aaaah, aaaah"], .reads(200, fact), ours: .refuses, ignored),
    length(["aaaah"], .reads(200, fact), ours: .refuses, ignored),
    length(["42s"], .reads(200, fact), ours: .refuses, ignored),
    length(["30s"], .reads(200, fact), ours: .refuses, ignored),
    length(["-1"], .reads(200, fact), ours: .refuses, ignored),
    length(["0x20"], .reads(200, fact), ours: .refuses, ignored),
    length(["030"], .reads(200, line)),
    length(["030", "30"], .refuses, ours: .reads(200, line), "the same number: it can be read in one way only"),
    length(["030, 30"], .refuses),
]

private func status(
    _ text: String,
    _ theirs: PublicCase.Outcome,
    ours: PublicCase.Outcome? = nil,
    _ why: String = ""
) -> PublicCase {
    let response = "HTTP/1.1 \(text)\r\nheader-parsing: is sad\r\n\r\n"
    return .differs("status-code \"\(text)\"", response, theirs, ours: ours ?? theirs, why)
}

private func length(
    _ values: [String],
    _ theirs: PublicCase.Outcome,
    ours: PublicCase.Outcome? = nil,
    _ why: String = ""
) -> PublicCase {
    let lines = values.map { "Content-Length: \($0)\r\n" }.joined()
    let response = "HTTP/1.1 200 OK\r\nContent-Type: text/plain;charset=UTF-8\r\n\(lines)\r\n\(fact)"
    let names = values.map { $0 == "\t" ? "a tab" : "\"\($0)\"" }.joined(separator: " and ")
    return .differs("content-lengths \(names)", response, theirs, ours: ours ?? theirs, why)
}
