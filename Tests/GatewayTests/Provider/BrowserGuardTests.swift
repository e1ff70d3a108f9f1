import Testing

@testable import Gateway

@Suite struct BrowserGuardTests {
    private static func browserGuard(_ allowed: String = "") -> BrowserGuard {
        BrowserGuard(own: ["0.0.0.0", "node-1.example.org"], allowed: allowed)
    }

    private static func isOurs(_ host: String, _ allowed: String = "") -> Bool {
        Array(host.utf8).withByteView { browserGuard(allowed).isOurs($0) }
    }

    @Test(arguments: [
        "", "127.0.0.1", "127.0.0.1:8080", "10.1.2.3:80", "[::1]", "[::1]:8080", "[fe80::1%25eth0]:1", "localhost",
        "LOCALHOST:8080", "localhost.", "app.localhost", "sidecar", "sidecar:8080", "printer.local", "a.b.internal:1",
        "sidecar.models.svc", "sidecar.models.svc.cluster.local:8080", "router.home.arpa", "client.test",
        "node-1.example.org", "NODE-1.example.ORG:8080", "node-1.example.org.",
    ])
    func `is asked by names that no other site can have`(_ host: String) { #expect(Self.isOurs(host)) }

    @Test(arguments: [
        "evil.com", "evil.com:8080", "127.0.0.1.evil.com", "localhost.evil.com", "evillocal.com", "a.xlocal",
        "node-1.example.org.evil.com", "node-2.example.org", "sidecar.monitoring", "a..", "..", ".com", "svc.evil",
        "127.0.0.1.nip.io", "a.svcx", "home.arpa.com",
    ])
    func `is not asked by any other`(_ host: String) { #expect(!Self.isOurs(host)) }

    @Test(arguments: [
        ("iris.example.com", "iris.example.com", true), ("iris.example.com", "IRIS.example.com.:443", true),
        ("iris.example.com", "x.iris.example.com", false), ("*.example.com", "a.b.example.com", true),
        ("*.example.com", "example.com", true), ("*.example.com", "badexample.com", false), ("*", "evil.com", true),
        ("a.org, iris.example.com", "iris.example.com", true), ("a.org,*.b.org", "x.b.org", true),
    ])
    func `takes the names that were given to it`(_ allowed: String, _ host: String, _ isOurs: Bool) {
        #expect(Self.isOurs(host, allowed) == isOurs)
    }

    struct Case: Sendable {
        var host = "127.0.0.1:8080"
        var origin = ""
        var site = ""
        var type = "application/json"
        var allowed = ""
        var isRefused: Bool
    }

    @Test(arguments: [
        // Programs.
        Case(isRefused: false), Case(host: "iris.example.com", isRefused: false),
        Case(type: "text/plain", isRefused: false), Case(type: "", isRefused: false),
        // The page at /ui, an address typed in, a page of ours elsewhere.
        Case(origin: "http://127.0.0.1:8080", site: "same-origin", isRefused: false),
        Case(site: "none", isRefused: false),
        Case(host: "api.example.com", origin: "https://app.example.com", site: "same-site", isRefused: false),
        Case(host: "app.example.com", origin: "https://app.example.com", isRefused: false),
        // Pages of other sites: forms, fetch without CORS; with JSON where the browser must ask first, and gets no leave.
        Case(origin: "https://evil.com", site: "cross-site", type: "text/plain", isRefused: true),
        Case(origin: "https://evil.com", site: "cross-site", isRefused: true),
        Case(origin: "null", site: "cross-site", type: "text/plain", isRefused: true),
        Case(site: "cross-site", isRefused: true),
        Case(origin: "https://evil.com", type: "text/plain;charset=UTF-8", isRefused: true),
        Case(origin: "https://evil.com", type: "Application/X-WWW-Form-Urlencoded", isRefused: true),
        Case(origin: "https://evil.com", type: "multipart/form-data; boundary=x", isRefused: true),
        Case(origin: "https://evil.com", type: "", isRefused: true),
        Case(origin: "null", type: "text/plain", isRefused: true),
        Case(origin: "http://127.0.0.1:9999", type: "text/plain", isRefused: true),
        Case(origin: "https://evil.com", isRefused: false),
        // A name of theirs that leads to us.
        Case(host: "evil.com:8080", origin: "http://evil.com:8080", isRefused: true),
        Case(host: "evil.com:8080", origin: "http://EVIL.com:8080", type: "text/plain", isRefused: true),
        // Named.
        Case(origin: "https://app.org", site: "cross-site", type: "text/plain", allowed: "app.org", isRefused: false),
        Case(origin: "https://app.org:8443", type: "text/plain", allowed: "*.app.org", isRefused: false),
        Case(host: "app.org", origin: "http://app.org", allowed: "app.org", isRefused: false),
        Case(origin: "null", site: "cross-site", allowed: "app.org", isRefused: true),
    ])
    func `lets predictions be asked for`(_ given: Case) {
        let texts = [given.host, given.origin, given.site, given.type].map { ByteBuffer(text: $0) }
        withExtendedLifetime(texts) {
            let sender = BrowserGuard.Sender(host: texts[0].view, origin: texts[1].view, site: texts[2].view)
            let refusal = Self.browserGuard(given.allowed).refusal(ofPrediction: sender, contentType: texts[3].view)
            #expect((refusal != nil) == given.isRefused)
            if let refusal { #expect(refusal.status == 403) }
        }
    }
}

@Suite struct AnswerProtectionTests {
    @Test(arguments: [
        ("application/json", []), ("Application/JSON; charset=utf-8", []),
        ("text/plain", ["X-Content-Type-Options: nosniff"]),
        ("application/octet-stream", ["X-Content-Type-Options: nosniff"]),
        ("", ["X-Content-Type-Options: nosniff", "Content-Security-Policy: sandbox"]),
        ("text/html", ["X-Content-Type-Options: nosniff", "Content-Security-Policy: sandbox"]),
        ("image/svg+xml", ["X-Content-Type-Options: nosniff", "Content-Security-Policy: sandbox"]),
        ("application/jsonx", ["X-Content-Type-Options: nosniff", "Content-Security-Policy: sandbox"]),
    ])
    func `adds lines where a browser could act on the answer`(_ type: String, _ lines: [String]) {
        let table = HeaderTable()
        Array(type.utf8).withByteView { AnswerProtection.add(to: table, contentType: $0) }
        #expect((0..<table.count).map { "\(table[$0].name.string): \(table[$0].value.string)" } == lines)
    }
}
