/// What follows for the events of a request from the status of the answer.
enum HTTPVerdict: Equatable {
    case delivered
    /// The receiver may take them later.
    case retriable
    /// Some event may be at fault: of several, each half is tried by itself.
    case questionable
    /// The receiver takes nothing as it stands, whatever the events are: a wrong token, path or address. They wait until
    /// that is mended.
    case blocked

    init(status: Int) {
        self =
            switch status {
            case 200...299: .delivered
            // Request Timeout, Too Early, Too Many Requests, and the receiver's own troubles.
            case 408, 425, 429, 500...599: .retriable
            // Bad Request, Content Too Large, Unprocessable Content.
            case 400, 413, 422: .questionable
            default: .blocked
            }
    }

    /// For how many seconds the receiver wants to be left alone; nil where it does not say so.
    ///
    /// - Parameter headers: lines, each ending in CR LF.
    static func retryAfter(in headers: ByteView) -> Int? {
        guard let value = value(of: "retry-after:", in: headers), !value.isEmpty else { return nil }
        if let seconds = value.decimal { return seconds }
        guard let date = HTTPDate.seconds(of: value) else { return nil }
        // By the receiver's own clock where it tells it: ours may go differently.
        let now = Self.value(of: "date:", in: headers).flatMap { HTTPDate.seconds(of: $0) }
        return max(0, date - (now ?? Int(Clock.wall() / 1_000_000_000)))
    }

    private static func value(of name: StaticString, in headers: ByteView) -> ByteView? {
        let name = ByteView(name)
        var start = 0
        while let end = headers.firstIndex(of: UInt8(ascii: "\n"), from: start) {
            var line = headers[start..<end]
            start = end + 1
            guard line.prefix(name.count).equalsIgnoringCase(name) else { continue }
            if line.hasSuffix(ByteView("\r")) { line = line.prefix(line.count - 1) }
            return line.dropFirst(name.count).trimmed
        }
        return nil
    }
}
