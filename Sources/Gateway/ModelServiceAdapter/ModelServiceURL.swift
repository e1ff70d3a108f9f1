/// The addresses of one Model Service, derived from the URL that predictions are posted to.
struct ModelServiceURL {
    /// Where predictions go.
    let predict: String
    /// Of a Unix socket; nil: TCP.
    let unixSocketPath: String?
    private let modelProtocol: ModelProtocol
    /// `http://host:port`.
    private let origin: String
    /// What the protocol's other resources of the model hang from: `.../v2/models/iris`; nil where the URL does not tell.
    private let stem: String?

    init(_ url: String, model: String, version: String?, modelProtocol: ModelProtocol) {
        self.modelProtocol = modelProtocol
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
        let name = Self.percentEncoded(model)
        switch modelProtocol {
        case .v2 where isBare:
            let versioned = version.map { "/versions/" + Self.percentEncoded($0) } ?? ""
            let stem = origin + "/v2/models/" + name + versioned
            self.stem = stem
            predict = stem + "/infer"
        case .v2 where path.hasSuffix("/infer"):
            stem = String(text.dropLast("/infer".count))
            predict = String(text)
        case .v1 where isBare:
            let stem = origin + "/v1/models/" + name
            self.stem = stem
            predict = stem + ":predict"
        case .v1 where path.hasSuffix(":predict"):
            stem = String(text.dropLast(":predict".count))
            predict = String(text)
        default:
            stem = nil
            predict = String(text)
        }
    }

    /// Where this operation's request goes; nil: the Model Service has no such resource that we know of.
    func url(for operation: Request.Operation, version: String?) -> String? {
        switch operation {
        case .predict:
            guard let version, let stem, modelProtocol == .v2 else { return predict }
            return versioned(stem, version) + "/infer"
        case .modelMetadata:
            guard let stem else { return nil }
            guard let version, modelProtocol == .v2 else { return stem }
            return versioned(stem, version)
        case .modelReady:
            guard let stem, modelProtocol == .v2 else { return nil }
            guard let version else { return stem + "/ready" }
            return versioned(stem, version) + "/ready"
        case .serverMetadata: return serverMetadata
        case .local: return nil
        }
    }

    /// The stem for another version: one that the URL itself names makes way.
    private func versioned(_ stem: String, _ version: String) -> String {
        let parts = stem.split(separator: "/", omittingEmptySubsequences: false)
        let plain = parts.count > 2 && parts[parts.count - 2] == "versions" ? parts.dropLast(2) : parts[...]
        return plain.joined(separator: "/") + "/versions/" + Self.percentEncoded(version)
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

    /// The V2 server metadata of the Model Service; nil where it speaks something else.
    var serverMetadata: String? { modelProtocol == .v2 ? origin + "/v2" : nil }

    /// Tells whether two models stand behind the same server.
    var server: String { origin + (unixSocketPath ?? "") }

    /// Asked to learn whether the Model Service is ready, and whether any answer but a server error will do: a service that
    /// tells nothing about its readiness is ready when it answers at all.
    var health: (url: String, anyAnswer: Bool) {
        switch modelProtocol {
        case .v2: stem.map { ($0 + "/ready", false) } ?? (predict, true)
        case .v1: stem.map { ($0, false) } ?? (predict, true)
        case .native, .raw: (predict, true)
        }
    }

    /// Decodes `%2F` and the like; what is no escape stays as it is.
    static func percentDecoded(_ text: Substring) -> String {
        var bytes: [UInt8] = []
        var rest = Array(text.utf8)[...]
        while let byte = rest.popFirst() {
            // The standard library would take a sign for a part of the number.
            if byte == UInt8(ascii: "%"), rest.count >= 2, rest.first != UInt8(ascii: "+"),
                let value = UInt8(String(decoding: rest.prefix(2), as: UTF8.self), radix: 16)
            {
                bytes.append(value)
                rest = rest.dropFirst(2)
            } else {
                bytes.append(byte)
            }
        }
        return String(decoding: bytes, as: UTF8.self)
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
