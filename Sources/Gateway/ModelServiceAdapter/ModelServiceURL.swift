/// The addresses of one Model Service, derived from the URL that predictions are posted to.
struct ModelServiceURL {
    /// Where predictions go.
    let predict: String
    /// Of a Unix socket; nil: TCP.
    let unixSocketPath: String?
    private let paths: ModelPaths?
    /// `http://host:port`.
    private let origin: String
    /// What the protocol's other resources of the model hang from: `.../v2/models/iris`; nil where the URL does not tell.
    private let stem: String?

    init(_ url: String, model: String, version: String?, modelProtocol: ModelProtocol) {
        paths = modelProtocol.codec.paths
        // Schemes are read in any case (RFC 3986, section 3.1); from here on they are in lower case.
        let schemeEnd = url[...].range(ofASCII: "://")?.lowerBound ?? url.startIndex
        var text = Substring(url[..<schemeEnd].lowercased() + url[schemeEnd...])
        var socket: String?
        if text.hasPrefix("http+unix://") {
            let rest = text.dropFirst("http+unix://".count)
            let end = rest.firstIndex(of: "/") ?? rest.endIndex
            socket = Self.percentDecoded(rest[..<end])
            text = Substring("http://localhost" + rest[end...])
        }
        unixSocketPath = socket
        let authorityStart = text.range(ofASCII: "://").map { $0.upperBound } ?? text.startIndex
        let pathStart = text[authorityStart...].firstIndex { $0 == "/" || $0 == "?" } ?? text.endIndex
        origin = String(text[..<pathStart])
        let path = text[pathStart...]
        let isBare = path.isEmpty || path == "/"
        if let paths, isBare {
            var stem = origin + "\(paths.models)" + Self.percentEncoded(model)
            if let versions = paths.versions, let version { stem += "\(versions)" + Self.percentEncoded(version) }
            self.stem = stem
            predict = stem + "\(paths.predict)"
        } else {
            let verb = paths.map { "\($0.predict)" } ?? ""
            stem = !verb.isEmpty && path.hasSuffix(verb) ? String(text.dropLast(verb.count)) : nil
            predict = String(text)
        }
    }

    /// Where this operation's request goes; nil: the Model Service has no such resource that we know of.
    func url(for operation: Request.Operation, version: String?) -> String? {
        switch operation {
        case .predict:
            guard let version, let stem, let paths, paths.versions != nil else { return predict }
            return versioned(stem, version) + "\(paths.predict)"
        case .modelMetadata:
            guard let stem else { return nil }
            return version.map { versioned(stem, $0) } ?? stem
        case .modelReady:
            guard let stem, let ready = paths?.ready else { return nil }
            return (version.map { versioned(stem, $0) } ?? stem) + "\(ready)"
        case .serverMetadata: return serverMetadata
        case .local: return nil
        }
    }

    /// The stem for another version: one that the URL itself names makes way. The stem itself where paths name none.
    private func versioned(_ stem: String, _ version: String) -> String {
        guard let versions = paths?.versions.map({ "\($0)" }) else { return stem }
        let parent = stem.lastIndex(of: "/").map { stem[...$0] } ?? ""
        let plain = parent.hasSuffix(versions) ? parent.dropLast(versions.count) : stem[...]
        return plain + versions + Self.percentEncoded(version)
    }

    /// Where this request goes.
    func url(for request: Request) -> String? {
        url(
            for: request.operation,
            version: request.wantedVersion.isEmpty ? nil : request.wantedVersion.view.string
        )
    }

    /// A URL for people: without its query, which may hold a key, and with the socket that it leads over.
    static func shown(_ url: String, _ unixSocketPath: String?) -> String {
        let plain = url.prefix { $0 != "?" }
        return unixSocketPath.map { "\(plain) over \(printable($0, maxScalars: 200))" } ?? String(plain)
    }

    /// Whether the bytes go through TLS.
    var isSecure: Bool { predict.hasPrefix("https:") }

    /// The authority, for the Host line, and the path with its query.
    static func split(_ url: String) -> (authority: String, path: String) {
        let start = url[...].range(ofASCII: "://").map { $0.upperBound } ?? url.startIndex
        let end = url[start...].firstIndex { $0 == "/" || $0 == "?" } ?? url.endIndex
        let path = url[end...]
        return (String(url[start..<end]), path.hasPrefix("/") ? String(path) : "/" + path)
    }

    /// The server metadata of the Model Service; nil where its protocol has none.
    var serverMetadata: String? { paths?.server.map { origin + "\($0)" } }

    /// Tells whether two models stand behind the same server.
    var server: String { origin + (unixSocketPath ?? "") }

    /// Asked to learn whether the Model Service is ready, and whether any answer but a server error will do: a service that
    /// tells nothing about its readiness is ready when it answers at all.
    var health: (url: String, anyAnswer: Bool) {
        stem.map { ($0 + (paths?.ready.map { "\($0)" } ?? ""), false) } ?? (predict, true)
    }

    /// Decodes `%2F` and the like; what is no escape stays as it is. Not for the request path.
    static func percentDecoded(_ text: Substring) -> String {
        let encoded = ByteBuffer(text: String(text))
        let decoded = ByteBuffer(capacity: max(encoded.count, 1))
        return withExtendedLifetime(encoded) {
            decoded.append(percentDecoding: encoded.view)
            return decoded.view.string
        }
    }

    /// Encodes what may not stand in a path segment as it is (RFC 3986, section 3.3).
    static func percentEncoded(_ text: String) -> String {
        let hex = Array("0123456789ABCDEF".utf8)
        var bytes: [UInt8] = []
        for byte in text.utf8 {
            switch byte {
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "."), UInt8(ascii: "_"),
                UInt8(ascii: "~"):
                bytes.append(byte)
            default:
                bytes += [UInt8(ascii: "%"), hex[Int(byte >> 4)], hex[Int(byte & 15)]]
            }
        }
        return String(decoding: bytes, as: UTF8.self)
    }
}

extension Substring {
    /// Where the first such ASCII text stands.
    fileprivate func range(ofASCII text: String) -> Range<Index>? {
        var start = startIndex
        while start < endIndex {
            if self[start...].hasPrefix(text) { return start..<index(start, offsetBy: text.count) }
            formIndex(after: &start)
        }
        return nil
    }
}
