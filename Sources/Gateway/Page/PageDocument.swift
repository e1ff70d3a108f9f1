/// The page at `/ui`: the file beside this one, and the headers that keep it to itself. One per shard.
final class PageDocument {
    /// Stands in the file wherever the answer's nonce goes.
    private static let placeholder: StaticString = "{nonce}"

    private let file: ByteBuffer
    private let random = RandomPool()
    private let nonce = ByteBuffer(capacity: 32)

    init() {
        file = ByteBuffer(capacity: PackageResources.page_html.count)
        file.append(contentsOf: PackageResources.page_html)
    }

    /// Only the page's own script and style, known by a number that is new in each answer, may run; and they may talk to
    /// nobody but the Sidecar that sent them.
    func write(to exchange: Exchange) {
        nonce.removeAll()
        for _ in 0..<2 {
            var bits = random.next()
            for _ in 0..<8 {
                nonce.appendHexadecimal(UInt8(truncatingIfNeeded: bits))
                bits >>= 8
            }
        }
        writeBody(to: exchange.reply.ownBody)
        let headers = exchange.reply.headers
        headers.append("Content-Type", ByteView("text/html; charset=utf-8"))
        headers.append("Content-Security-Policy") {
            $0.append("default-src 'none'; connect-src 'self'; img-src data:; script-src 'nonce-")
            $0.append(nonce.view)
            $0.append("'; style-src 'nonce-")
            $0.append(nonce.view)
            $0.append("'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'")
        }
        headers.append("X-Content-Type-Options", ByteView("nosniff"))
        headers.append("Referrer-Policy", ByteView("no-referrer"))
        headers.append("Cache-Control", ByteView("no-store"))
    }

    private func writeBody(to body: ByteBuffer) {
        let placeholder = ByteView(Self.placeholder)
        var rest = file.view
        while let brace = rest.firstIndex(of: UInt8(ascii: "{")) {
            let isPlace = rest.dropFirst(brace).hasPrefix(placeholder)
            body.append(rest.prefix(isPlace ? brace : brace + 1))
            if isPlace { body.append(nonce.view) }
            rest = rest.dropFirst(isPlace ? brace + placeholder.count : brace + 1)
        }
        body.append(rest)
    }
}

@available(*, unavailable)
extension PageDocument: Sendable {}
