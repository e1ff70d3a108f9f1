/// Which header lines go on, and which end here (RFC 9110, section 7.6.1).
enum HeaderRules {
    /// Whether a request's line is forwarded to the Model Service.
    ///
    /// Besides the hop-by-hop fields: Host and Content-Length belong to each connection's own message; Expect is answered
    /// here; Accept-Encoding would have the answer compressed, which must be read; X-Request-Id is set anew.
    static func forwardsToModel(_ name: ByteView) -> Bool {
        if isHopByHop(name) { return false }
        switch name.count {
        case 4: return !name.equalsIgnoringCase(ByteView("Host"))
        case 6: return !name.equalsIgnoringCase(ByteView("Expect"))
        case 12: return !name.equalsIgnoringCase(ByteView("X-Request-Id"))
        case 14: return !name.equalsIgnoringCase(ByteView("Content-Length"))
        case 15: return !name.equalsIgnoringCase(ByteView("Accept-Encoding"))
        default: return true
        }
    }

    /// Whether an answer's line is passed on to the client. Date is the server's own; the rest as above.
    static func forwardsToClient(_ name: ByteView) -> Bool {
        if isHopByHop(name) { return false }
        switch name.count {
        case 4: return !name.equalsIgnoringCase(ByteView("Date"))
        case 12: return !name.equalsIgnoringCase(ByteView("X-Request-Id"))
        case 14: return !name.equalsIgnoringCase(ByteView("Content-Length"))
        default: return true
        }
    }

    /// Fields that belong to one connection only.
    static func isHopByHop(_ name: ByteView) -> Bool {
        switch name.count {
        case 2: name.equalsIgnoringCase(ByteView("TE"))
        case 7: name.equalsIgnoringCase(ByteView("Trailer")) || name.equalsIgnoringCase(ByteView("Upgrade"))
        case 10: name.equalsIgnoringCase(ByteView("Connection")) || name.equalsIgnoringCase(ByteView("Keep-Alive"))
        case 16: name.equalsIgnoringCase(ByteView("Proxy-Connection"))
        case 17: name.equalsIgnoringCase(ByteView("Transfer-Encoding"))
        case 18: name.equalsIgnoringCase(ByteView("Proxy-Authenticate"))
        case 19: name.equalsIgnoringCase(ByteView("Proxy-Authorization"))
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

    /// The end-to-end lines of an answer, but for those that its own Connection line names.
    static func copyAnswerHeaders(_ block: ByteView, to table: HeaderTable) {
        var namesOthers = false
        forEachLine(in: block) { name, value in
            if name.equalsIgnoringCase(ByteView("Connection")) { namesOthers = true }
            if forwardsToClient(name) { table.append(name, value) }
        }
        guard namesOthers else { return }
        forEachLine(in: block) { name, value in
            if name.equalsIgnoringCase(ByteView("Connection")) { removeNamed(in: value, from: table) }
        }
    }

    /// Removes the lines that a Connection line declares to be hop-by-hop.
    static func removeNamed(in connection: ByteView, from table: HeaderTable) {
        var rest = connection
        while !rest.isEmpty {
            let comma = rest.firstIndex(of: UInt8(ascii: ",")) ?? rest.count
            let name = rest.prefix(comma).trimmed
            rest = rest.dropFirst(comma + 1)
            let isPlain =
                name.equalsIgnoringCase(ByteView("keep-alive")) || name.equalsIgnoringCase(ByteView("close"))
            if !name.isEmpty, !isPlain { table.remove(name) }
        }
    }
}
