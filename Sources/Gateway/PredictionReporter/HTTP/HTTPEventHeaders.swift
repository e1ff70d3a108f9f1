/// Writes the header lines of a request with events (CloudEvents HTTP protocol binding).
final class HTTPEventHeaders {
    private let own: [(name: [UInt8], value: [UInt8])]
    private let value = ByteBuffer(capacity: 128)

    /// - Parameter own: the lines that the configuration adds to every request.
    init(own: [String: String]) {
        self.own = own.sorted { $0.key < $1.key }.map { (Array($0.key.utf8), Array($0.value.utf8)) }
    }

    func write(for delivery: HTTPDelivery, to list: CurlHeaderList) {
        list.removeAll()
        // What libcurl would do by itself with large bodies: ask for leave and wait.
        list.suppress("Expect")
        list.append("content-type", delivery.contentType)
        if let record = delivery.record {
            list.append("ce-specversion", ByteView(EventEnvelope.specversion))
            list.append("ce-type", record.type)
            append("ce-source", record.source, to: list)
            append("ce-id", record.id, to: list)
            if !record.time.isEmpty { append("ce-time", record.time, to: list) }
        }
        for (name, value) in own {
            name.withByteView { name in value.withByteView { list.append(name, $0) } }
        }
    }

    private func append(_ name: StaticString, _ text: ByteView, to list: CurlHeaderList) {
        value.removeAll()
        Self.appendEncoded(text, to: value)
        list.append(name, value.view)
    }

    /// Appends text as the binding wants it in a header: what is not printable ASCII, and space, `"` and `%`, as `%20` and
    /// the like (section 3.1.3.2).
    static func appendEncoded(_ text: ByteView, to out: ByteBuffer) {
        let digits = ByteView("0123456789ABCDEF")
        for index in 0..<text.count {
            let byte = text[index]
            if byte > 0x20 && byte < 0x7f && byte != UInt8(ascii: "\"") && byte != UInt8(ascii: "%") {
                out.append(byte)
            } else {
                out.append(UInt8(ascii: "%"))
                out.append(digits[Int(byte >> 4)])
                out.append(digits[Int(byte & 15)])
            }
        }
    }
}

@available(*, unavailable)
extension HTTPEventHeaders: Sendable {}
