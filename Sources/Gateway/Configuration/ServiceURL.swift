/// The address of a Model Service, taken apart: `http://`, `https://` or `http+unix://%2Fpath%2Fof%2Fsocket/target`.
struct ServiceURL: Equatable, Sendable {
    enum Scheme: String, Sendable, CaseIterable {
        case http, https
        case unix = "http+unix"

        var way: Way {
            switch self {
            case .http, .https, .unix: .http
            }
        }

        /// Whether the bytes go through TLS.
        var isSecure: Bool { self == .https }
    }

    /// How Model Services are called: each way has its ModelServices, which `ShardBlueprint` makes.
    enum Way: Int, Sendable, CaseIterable {
        case http
    }

    /// What a URL may be, for people.
    static let rule = "http://host[:port]/path, https://host[:port]/path or http+unix://%2Fsocket%2Fpath/path"

    let scheme: Scheme
    /// Without the brackets of an IPv6 address; "localhost" for a socket in the file system.
    let host: String
    /// nil: the scheme's own.
    let port: Int?
    /// Of `http+unix`, decoded.
    let socketPath: String?
    /// The path and the query; starts with `/`.
    let target: String

    /// What sun_path of sockaddr_un holds, less its NUL (unix(7)).
    static let maxSocketPathBytes = 107

    static func parse(_ text: String) throws(InvalidValue) -> ServiceURL {
        try checkCharacters(text)
        guard let separator = text.firstRange(ofText: "://") else { throw withoutScheme(text) }
        guard let scheme = Scheme(rawValue: text[..<separator.lowerBound].lowercased()) else {
            throw InvalidValue(otherScheme(text[..<separator.lowerBound].lowercased()))
        }

        let rest = text[separator.upperBound...]
        let authority = rest.prefix { $0 != "/" && $0 != "?" }
        if authority.contains("@") { throw InvalidValue("holds a user name or password, which does not belong there") }
        var target = String(rest.dropFirst(authority.count))
        if !target.hasPrefix("/") { target = "/" + target }

        if scheme == .unix {
            let path = try socketPath(authority)
            return ServiceURL(scheme: scheme, host: "localhost", port: nil, socketPath: path, target: target)
        }
        let (host, port) = try hostAndPort(authority)
        return ServiceURL(scheme: scheme, host: host, port: port, socketPath: nil, target: target)
    }

    /// How the Model Service at a URL is called, whatever else the URL is.
    static func way(of text: String) -> Way {
        let scheme = text.firstRange(ofText: "://").flatMap { Scheme(rawValue: text[..<$0.lowerBound].lowercased()) }
        return scheme?.way ?? .http
    }

    private static func withoutScheme(_ text: String) -> InvalidValue {
        InvalidValue("does not start with http://, https:// or http+unix://", suggestion: withHTTP(text))
    }

    /// The URL that was probably meant by an address without a scheme; nil: it is none.
    static func withHTTP(_ text: String) -> String? {
        let authority = text.prefix { $0 != "/" && $0 != "?" }
        let isAddress = (try? hostAndPort(authority)) != nil && (authority.contains(":") || authority.contains("."))
        return isAddress ? "http://\(text)" : nil
    }

    private static func otherScheme(_ scheme: String) -> String {
        switch scheme {
        case "grpc", "grpcs", "ws", "wss":
            "starts with \(scheme)://, which is not there yet; name the model's HTTP port: http://host:port/path"
        case "unix", "file": "starts with \(scheme)://; write a Unix socket as http+unix://%2Frun%2Fmodel.sock/path"
        case "tcp": "starts with tcp://; write http:// in its place"
        default: "does not start with http://, https:// or http+unix://"
        }
    }

    /// Refuses what no URL holds (RFC 3986, appendix A), and the fragment, which is never sent.
    private static func checkCharacters(_ text: String) throws(InvalidValue) {
        let bytes = Array(text.utf8)
        for (index, byte) in bytes.enumerated() {
            switch byte {
            case UInt8(ascii: "#"): throw InvalidValue("holds a fragment ('#'), which is never sent")
            case UInt8(ascii: "%"):
                let digits = bytes.dropFirst(index + 1).prefix(2)
                guard digits.count == 2, digits.allSatisfy({ hexDigit($0) != nil }) else {
                    throw InvalidValue("has a '%' without two hexadecimal digits after it")
                }
            case 0x21...0x7e where !#""<>\^`{|}"#.utf8.contains(byte): break
            default: throw InvalidValue("holds a character that must be percent-encoded in a URL")
            }
        }
    }

    /// Takes `host[:port]` apart, an IPv6 address being in brackets.
    static func hostAndPort(_ authority: Substring) throws(InvalidValue) -> (host: String, port: Int?) {
        var host = authority
        var portText: Substring?
        if authority.hasPrefix("[") {
            guard let end = authority.firstIndex(of: "]") else { throw InvalidValue("has a '[' without its ']'") }
            host = authority[..<end].dropFirst()
            let after = authority[authority.index(after: end)...]
            if after.hasPrefix(":") { portText = after.dropFirst() } else if !after.isEmpty { throw badHost }
            guard host.utf8.allSatisfy({ hexDigit($0) != nil || $0 == UInt8(ascii: ":") || $0 == UInt8(ascii: ".") }),
                host.utf8.count(where: { $0 == UInt8(ascii: ":") }) >= 2
            else { throw badHost }
        } else {
            if let colon = authority.firstIndex(of: ":") {
                host = authority[..<colon]
                portText = authority[authority.index(after: colon)...]
            }
            if host.isEmpty { throw InvalidValue("has no host") }
            guard host.utf8.allSatisfy(isHostByte) else { throw badHost }
        }
        guard let portText else { return (String(host), nil) }
        guard portText.utf8.allSatisfy(isDigit), let port = Int(portText), (1...65_535).contains(port) else {
            throw InvalidValue("has a bad port; allowed: 1 to 65535")
        }
        return (String(host), port)
    }

    private static func socketPath(_ authority: Substring) throws(InvalidValue) -> String {
        var bytes: [UInt8] = []
        var encoded = Array(authority.utf8)[...]
        while let byte = encoded.popFirst() {
            if byte == UInt8(ascii: "%"), let high = encoded.popFirst(), let low = encoded.popFirst() {
                // checkCharacters has seen both digits.
                bytes.append((hexDigit(high) ?? 0) << 4 | (hexDigit(low) ?? 0))
            } else {
                bytes.append(byte)
            }
        }
        guard let path = String(validating: bytes, as: UTF8.self), !bytes.contains(0) else {
            throw InvalidValue("has a socket path that is not text")
        }
        guard bytes.first == UInt8(ascii: "/"), bytes.count > 1 else {
            throw InvalidValue(
                "has no absolute socket path; write its '/' as %2F: http+unix://%2Frun%2Fmodel.sock/predict"
            )
        }
        guard bytes.count <= maxSocketPathBytes else {
            throw InvalidValue("has a socket path of \(bytes.count) bytes; allowed: up to \(maxSocketPathBytes)")
        }
        return path
    }

    private static func isHostByte(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"): true
        case UInt8(ascii: "-"), UInt8(ascii: "."), UInt8(ascii: "_"): true
        default: isDigit(byte)
        }
    }

    private static func hexDigit(_ byte: UInt8) -> UInt8? {
        switch byte {
        case UInt8(ascii: "0")...UInt8(ascii: "9"): byte - UInt8(ascii: "0")
        case UInt8(ascii: "a")...UInt8(ascii: "f"): byte - UInt8(ascii: "a") + 10
        case UInt8(ascii: "A")...UInt8(ascii: "F"): byte - UInt8(ascii: "A") + 10
        default: nil
        }
    }

    private static var badHost: InvalidValue { InvalidValue("has a host that is neither a name nor an IP address") }
}

extension StringProtocol {
    /// Where `text` occurs first.
    ///
    /// The standard library's own search needs the whole regular expression engine.
    func firstRange(ofText text: String) -> Range<Index>? {
        var start = startIndex
        while start < endIndex {
            if self[start...].hasPrefix(text) { return start..<index(start, offsetBy: text.count) }
            start = index(after: start)
        }
        return nil
    }
}
