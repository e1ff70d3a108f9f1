/// Keeps pages of other sites, which a browser runs beside the Sidecar, from what only its user may ask for.
///
/// A page may send requests anywhere; what it may not do is read the answers of another host, and send JSON there unasked
/// (https://fetch.spec.whatwg.org, section 3.2). It gets around both by giving its own name our address (DNS rebinding): then
/// Host tells. Programs send neither Origin nor Sec-Fetch-Site, and this costs them nothing. One per shard.
struct BrowserGuard {
    /// What a request says about who sent it. Views of its header.
    struct Sender {
        var host = ByteView.empty
        var origin = ByteView.empty
        /// Sec-Fetch-Site: only to https and to this machine.
        var site = ByteView.empty
    }

    /// Domains that nobody can register: RFC 6761, 6762, 8375, and `internal`, which ICANN has reserved; Kubernetes' `svc`.
    private static let privateDomains: [StaticString] = [
        "localhost", "local", "internal", "svc", "home.arpa", "test",
    ]

    private let own: [ByteBuffer]
    /// Those that were named: whole names, `*.` and what comes below, or `*`.
    private let allowed: [ByteBuffer]

    /// - Parameters:
    ///   - own: the names of this machine.
    ///   - allowed: server.allowedHosts.
    init(own: [String], allowed: String) {
        self.own = own.filter { !$0.isEmpty }.map { ByteBuffer(text: $0) }
        self.allowed = allowed.isEmpty ? [] : KafkaText.list(allowed).map { ByteBuffer(text: String($0)) }
    }

    /// Why what the Sidecar tells of itself is not for this sender; nil: it is.
    func refusal(ofOperations sender: Sender) -> ExchangeFailure? {
        isOurs(sender.host) ? nil : unknownHost(sender)
    }

    /// Why predictions are not for this sender; nil: they are.
    func refusal(ofPrediction sender: Sender, contentType: ByteView) -> ExchangeFailure? {
        if sender.origin.isEmpty && sender.site.isEmpty { return nil }
        let origin = Self.host(ofOrigin: sender.origin)
        if isAllowed(origin) { return nil }
        if sender.site == "cross-site" { return Self.otherSite(origin) }
        guard !sender.origin.isEmpty else { return nil }
        let authority = Self.authority(ofOrigin: sender.origin)
        let isSame = !authority.isEmpty && authority.equalsIgnoringCase(sender.host)
        // Of a page in the clear whose name leads to us by its own doing. Behind a proxy with TLS, the origin is https.
        if isSame { return sender.origin.hasPrefix(ByteView("http://")) ? refusal(ofOperations: sender) : nil }
        return sender.site.isEmpty && Self.isSentByForms(contentType) ? Self.otherSite(origin) : nil
    }

    // MARK: Hosts

    /// Whether a page of another site cannot have this name: an address, a name without a domain, or one of ours.
    func isOurs(_ authority: ByteView) -> Bool {
        let host = Self.host(of: authority)
        guard !host.isEmpty, host[0] != UInt8(ascii: "[") else { return true }
        guard let dot = host.lastIndex(of: UInt8(ascii: ".")) else { return true }
        // Browsers read a host whose last part is a number as an address, and send it as one.
        let last = host.dropFirst(dot + 1)
        if !last.isEmpty, last[0] >= UInt8(ascii: "0"), last[0] <= UInt8(ascii: "9") { return true }
        return Self.privateDomains.contains { host.isBelow(ByteView($0)) }
            || own.contains { $0.view.equalsIgnoringCase(host) } || isAllowed(host)
    }

    private func isAllowed(_ host: ByteView) -> Bool {
        !host.isEmpty
            && allowed.contains {
                if $0.view == "*" { return true }
                return $0.view.hasPrefix(ByteView("*."))
                    ? host.isBelow($0.view.dropFirst(2)) : host.equalsIgnoringCase($0.view)
            }
    }

    /// Without the port, and without the dot that may end a name.
    private static func host(of authority: ByteView) -> ByteView {
        guard !authority.isEmpty, authority[0] != UInt8(ascii: "[") else { return authority }
        let name = authority.prefix(authority.firstIndex(of: UInt8(ascii: ":")) ?? authority.count)
        return name.hasSuffix(ByteView(".")) ? name.prefix(name.count - 1) : name
    }

    /// Empty for `null`, which stands for an origin that is not told.
    private static func authority(ofOrigin origin: ByteView) -> ByteView {
        guard let colon = origin.firstIndex(of: UInt8(ascii: ":")) else { return .empty }
        let rest = origin.dropFirst(colon + 1)
        return rest.hasPrefix(ByteView("//")) ? rest.dropFirst(2) : .empty
    }

    private static func host(ofOrigin origin: ByteView) -> ByteView { host(of: authority(ofOrigin: origin)) }

    // MARK: Refusals

    /// The types that a form sends, and what comes without any (https://fetch.spec.whatwg.org, CORS-safelisted headers).
    private static func isSentByForms(_ contentType: ByteView) -> Bool {
        let type = contentType.prefix(contentType.firstIndex(of: UInt8(ascii: ";")) ?? contentType.count).trimmed
        return type.isEmpty || type.equalsIgnoringCase(ByteView("text/plain"))
            || type.equalsIgnoringCase(ByteView("application/x-www-form-urlencoded"))
            || type.equalsIgnoringCase(ByteView("multipart/form-data"))
    }

    private func unknownHost(_ sender: Sender) -> ExchangeFailure {
        ExchangeFailure(
            cause: .forbidden,
            message: "the Sidecar is not known by this name; server.allowedHosts can name it",
            detail: sender.host
        )
    }

    private static func otherSite(_ origin: ByteView) -> ExchangeFailure {
        ExchangeFailure(
            cause: .forbidden,
            message: "a page of another site may not ask for predictions; server.allowedHosts can name its host",
            detail: origin
        )
    }
}

extension ByteView {
    /// Whether a host is this domain or one below it.
    fileprivate func isBelow(_ domain: ByteView) -> Bool {
        guard count > domain.count else { return equalsIgnoringCase(domain) }
        let start = count - domain.count
        return self[start - 1] == UInt8(ascii: ".") && dropFirst(start).equalsIgnoringCase(domain)
    }

    fileprivate func lastIndex(of byte: UInt8) -> Int? {
        var index = count
        while index > 0 {
            index -= 1
            if self[index] == byte { return index }
        }
        return nil
    }
}

@available(*, unavailable)
extension BrowserGuard: Sendable {}
