import Testing

@testable import Gateway

@Suite struct HeaderRulesTests {
    @Test(arguments: [
        "Connection", "Keep-Alive", "TE", "Trailer", "Upgrade", "Proxy-Connection", "Transfer-Encoding",
        "Proxy-Authenticate", "Proxy-Authorization",
    ])
    func keepsWhatBelongsToOneConnection(_ name: String) {
        for name in [name, name.lowercased(), name.uppercased(), name.replacing("-", with: "_")] {
            Array(name.utf8).withByteView { view in
                #expect(HeaderRules.isHopByHop(view))
                #expect(!HeaderRules.forwardsToModel(view))
                #expect(!HeaderRules.forwardsToClient(view))
            }
        }
    }

    @Test(arguments: [
        ("Host", false, true), ("Expect", false, true), ("X-Request-Id", false, false),
        ("Content-Length", false, false),
        ("Accept-Encoding", false, true), ("Date", true, false), ("Content-Type", true, true), ("Cookie", true, true),
        ("Set-Cookie", true, true), ("traceparent", true, true), ("Hose", true, true), ("X-Request-Ix", true, true),
        ("", true, true),
        ("Content_Length", false, false), ("X_Request-ID", false, false), ("Accept_Encoding", false, true),
        ("X_User", true, true), ("Content-Lengti", true, true), ("Authorization", true, true), ("Ce-Id", true, true),
        ("Trailor", true, true),
    ])
    func forwards(_ name: String, _ toModel: Bool, _ toClient: Bool) {
        Array(name.utf8).withByteView { view in
            #expect(!HeaderRules.isHopByHop(view))
            #expect(HeaderRules.forwardsToModel(view) == toModel)
            #expect(HeaderRules.forwardsToClient(view) == toClient)
        }
    }

    private func copied(_ block: String) -> [String] {
        let table = HeaderTable()
        Array(block.utf8).withByteView { HeaderRules.copyAnswerHeaders($0, to: table) }
        return (0..<table.count).map { "\(table[$0].name.string)=\(table[$0].value.string)" }
    }

    @Test(arguments: [
        ("HTTP/1.1 200 OK: fine\r\nA: 1\r\nb:\t 2 \r\nA: 3\r\n", ["A=1", "b=2", "A=3"]),
        ("HTTP/1.1 200 OK\nA: b: c\nEmpty:\n", ["A=b: c", "Empty="]),
        ("HTTP/1.1 200 OK\r\nX: 1\r\nY: 2\r\nConnection: close, x ,,keep-alive\r\nx: 3\r\n", ["Y=2"]),
        ("HTTP/1.1 200 OK\r\nX: 1\r\nconnection: Y\r\nY: 2\r\nConnection: X\r\nZ: 3\r\n", ["Z=3"]),
        ("HTTP/1.1 200 OK\r\nDate: now\r\nContent-Length: 2\r\nX-Request-Id: a\r\nKeep-Alive: x\r\n", []),
        (
            "HTTP/1.1 200 OK\r\nA: 1\r\nConnection: a, b, c ,keep-alive,D,e,f\r\nB: 2\r\nE: 3\r\nX: 4\r\nb: 5\r\nConnection: G\r\nG: 6\r\n",
            ["X=4"]
        ),
        ("HTTP/1.1 200 OK\r\n", []), ("", []), ("HTTP/1.1 200 OK\r\nA: 1", []),
    ])
    func copiesAnswerHeaders(_ block: String, _ expected: [String]) { #expect(copied(block) == expected) }

    /// Each name against each line would take minutes.
    @Test(.timeLimit(.minutes(20))) func takesManyNamesAndLines() {
        let count = 60_000
        var block = "HTTP/1.1 200 OK\r\n"
        for line in 0..<count { block += "x\(line): 1\r\n" }
        // In one line, and in a line each.
        block += "Connection: " + (0..<count).map { "X\($0 * 2)" }.joined(separator: ",") + "\r\n"
        for line in 0..<count { block += "Connection: n\(line)\r\n" }
        #expect(copied(block) == (0..<count / 2).map { "x\($0 * 2 + 1)=1" })
    }

    /// As above, of one name.
    @Test(.timeLimit(.minutes(20))) func takesManyOfOneName() {
        let many = String(repeating: "a,", count: 100_000)
        #expect(copied("Connection: \(many)b\r\n" + String(repeating: "A: 1\r\nc: 2\r\n", count: 1)) == ["c=2"])
        #expect(copied("Connection: \(many)\r\n" + String(repeating: "A: 1\r\n", count: 100_000)).isEmpty)
    }
}
