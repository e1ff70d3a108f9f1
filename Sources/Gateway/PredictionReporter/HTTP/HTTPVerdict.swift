/// What follows for the events of a request from the status of the answer.
enum HTTPVerdict: Equatable {
    case delivered
    /// The receiver may take them later.
    case retriable
    /// Some event may be at fault: of several, each half is tried by itself.
    case questionable
    /// The receiver will never take them.
    case refused

    init(status: Int) {
        self =
            switch status {
            case 200...299: .delivered
            // Request Timeout, Too Early, Too Many Requests, and the receiver's own troubles.
            case 408, 425, 429, 500...599: .retriable
            // Bad Request, Content Too Large, Unprocessable Content.
            case 400, 413, 422: .questionable
            default: .refused
            }
    }

    /// How long the receiver wants to be left alone, in seconds; nil where it does not say so, or says a date.
    ///
    /// - Parameter headers: lines, each ending in CR LF.
    static func retryAfter(in headers: ByteView) -> Int? {
        let name = ByteView("retry-after:")
        var start = 0
        while let end = headers.firstIndex(of: UInt8(ascii: "\n"), from: start) {
            var line = headers[start..<end]
            start = end + 1
            guard line.prefix(name.count).equalsIgnoringCase(name) else { continue }
            if line.hasSuffix(ByteView("\r")) { line = line.prefix(line.count - 1) }
            return line.dropFirst(name.count).trimmed.decimal
        }
        return nil
    }
}
