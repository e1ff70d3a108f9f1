/// Which header lines go on, and which end here (RFC 9110, section 7.6.1).
///
/// A name that is one of theirs but for an underscore ends here too: servers that hand headers on as variables (CGI, WSGI) take
/// `-` and `_` for the same, and would find a second Content-Length.
enum HeaderRules {
    /// Whether a request's line is forwarded to the Model Service.
    ///
    /// Besides the hop-by-hop fields: Host and Content-Length belong to each connection's own message; Expect is answered
    /// here; Accept-Encoding would have the answer compressed, which must be read; X-Request-Id is set anew.
    static func forwardsToModel(_ name: ByteView) -> Bool {
        if isHopByHop(name) { return false }
        switch name.count {
        case 4: return !name.isName("host")
        case 6: return !name.isName("expect")
        case 12: return !name.isName("x-request-id")
        case 14: return !name.isName("content-length")
        case 15: return !name.isName("accept-encoding")
        default: return true
        }
    }

    /// Whether an answer's line is passed on to the client. Date is the server's own; the rest as above.
    static func forwardsToClient(_ name: ByteView) -> Bool {
        if isHopByHop(name) { return false }
        switch name.count {
        case 4: return !name.isName("date")
        case 12: return !name.isName("x-request-id")
        case 14: return !name.isName("content-length")
        default: return true
        }
    }

    /// Fields that belong to one connection only.
    static func isHopByHop(_ name: ByteView) -> Bool {
        switch name.count {
        case 2: name.isName("te")
        case 7: name.isName("trailer") || name.isName("upgrade")
        case 10: name.isName("connection") || name.isName("keep-alive")
        case 16: name.isName("proxy-connection")
        case 17: name.isName("transfer-encoding")
        case 18: name.isName("proxy-authenticate")
        case 19: name.isName("proxy-authorization")
        default: false
        }
    }

    /// Shows each `name: value` line of a raw header block, the status line left out.
    static func forEachLine(in block: ByteView, _ body: (_ name: ByteView, _ value: ByteView) -> Void) {
        var start = 0
        while let end = block.firstIndex(of: UInt8(ascii: "\n"), from: start) {
            var line = block[start..<end]
            start = end + 1
            if !line.isEmpty, line[line.count - 1] == UInt8(ascii: "\r") { line = line.prefix(line.count - 1) }
            guard let colon = line.firstIndex(of: UInt8(ascii: ":")), !line.hasPrefix(ByteView("HTTP/")) else {
                continue
            }
            body(line.prefix(colon), line.dropFirst(colon + 1).trimmed)
        }
    }

    /// The end-to-end lines of an answer, but for those that its own Connection lines name.
    static func copyAnswerHeaders(_ block: ByteView, to table: HeaderTable) {
        var named = ConnectionNames()
        forEachLine(in: block) { name, value in
            if name.equalsIgnoringCase(ByteView("Connection")) { named.add(value) }
            if forwardsToClient(name) { table.append(name, value) }
        }
        named.remove(from: table)
    }
}

/// The names in the Connection lines of a message: its lines of these names belong to the connection.
struct ConnectionNames {
    private var names: [ByteView] = []

    /// Takes the names of one line. They are views into it.
    mutating func add(_ connection: ByteView) {
        var rest = connection
        while !rest.isEmpty {
            let comma = rest.firstIndex(of: UInt8(ascii: ",")) ?? rest.count
            let name = rest.prefix(comma).trimmed
            rest = rest.dropFirst(comma + 1)
            let isPlain =
                name.equalsIgnoringCase(ByteView("keep-alive")) || name.equalsIgnoringCase(ByteView("close"))
            if !name.isEmpty, !isPlain { names.append(name) }
        }
    }

    /// Removes the lines of these names, and forgets the names.
    mutating func remove(from table: HeaderTable) {
        guard !names.isEmpty else { return }
        table.remove(names)
        names.removeAll(keepingCapacity: true)
    }
}
