import Testing

@testable import Gateway

@Suite struct ServiceURLTests {
    @Test(arguments: [
        (
            "http://model/predict",
            ServiceURL(scheme: .http, host: "model", port: nil, socketPath: nil, target: "/predict")
        ),
        ("HTTP://model", ServiceURL(scheme: .http, host: "model", port: nil, socketPath: nil, target: "/")),
        ("http://a.b:1?x=1", ServiceURL(scheme: .http, host: "a.b", port: 1, socketPath: nil, target: "/?x=1")),
        (
            "https://[::1]:8443/p%20q",
            ServiceURL(scheme: .https, host: "::1", port: 8443, socketPath: nil, target: "/p%20q")
        ),
        ("http://h/a@b:c", ServiceURL(scheme: .http, host: "h", port: nil, socketPath: nil, target: "/a@b:c")),
        (
            "http+unix://%2Frun%2Fmodel.sock/predict",
            ServiceURL(scheme: .unix, host: "localhost", port: nil, socketPath: "/run/model.sock", target: "/predict")
        ),
        (
            "http+unix://%2ftmp%2f%C3%A9",
            ServiceURL(scheme: .unix, host: "localhost", port: nil, socketPath: "/tmp/é", target: "/")
        ),
    ]) func parses(_ text: String, _ url: ServiceURL) throws {
        #expect(try ServiceURL.parse(text) == url)
    }

    /// Of the scheme alone: whoever makes the adapter asks of URLs that have been looked at.
    @Test(arguments: ["http://a/", "HTTPS://a/", "http+unix://%2Fa", "a:1", ""])
    func `is called over HTTP`(_ text: String) { #expect(ServiceURL.way(of: text) == .http) }

    @Test(arguments: ServiceURL.Scheme.allCases)
    func `no scheme is unknown to its own reader`(scheme: ServiceURL.Scheme) {
        #expect(ServiceURL.way(of: "\(scheme.rawValue)://%2Fa/b") == scheme.way)
        #expect(ServiceURL.rule.contains("\(scheme.rawValue)://"))
    }

    @Test(arguments: [
        ("", "does not start with http://, https:// or http+unix://"),
        ("model:9090/predict", "does not start with http://, https:// or http+unix://"),
        ("ftp://model/", "does not start with http://, https:// or http+unix://"),
        ("http:/model/", "does not start with http://, https:// or http+unix://"),
        ("http:///predict", "has no host"),
        ("http://:80/predict", "has no host"),
        ("http://user:secret@model/", "holds a user name or password, which does not belong there"),
        ("http://model/#top", "holds a fragment ('#'), which is never sent"),
        ("http://model/a b", "holds a character that must be percent-encoded in a URL"),
        ("http://modèle/", "holds a character that must be percent-encoded in a URL"),
        ("http://model/\r\nX: y", "holds a character that must be percent-encoded in a URL"),
        ("http://model/%2", "has a '%' without two hexadecimal digits after it"),
        ("http://model/%zz", "has a '%' without two hexadecimal digits after it"),
        ("http://mo%64el/", "has a host that is neither a name nor an IP address"),
        ("http://[::1/", "has a '[' without its ']'"),
        ("http://[1]/", "has a host that is neither a name nor an IP address"),
        ("http://[::1]x/", "has a host that is neither a name nor an IP address"),
        ("http://model:/", "has a bad port; allowed: 1 to 65535"),
        ("http://model:0/", "has a bad port; allowed: 1 to 65535"),
        ("http://model:65536/", "has a bad port; allowed: 1 to 65535"),
        ("http://model:8a/", "has a bad port; allowed: 1 to 65535"),
        ("http://model:+8/", "has a bad port; allowed: 1 to 65535"),
        ("http://::1/", "has no host"),
        (
            "http+unix://run/model.sock",
            "has no absolute socket path; write its '/' as %2F: http+unix://%2Frun%2Fmodel.sock/predict"
        ),
        (
            "http+unix:///run/model.sock",
            "has no absolute socket path; write its '/' as %2F: http+unix://%2Frun%2Fmodel.sock/predict"
        ),
        ("http+unix://%2Frun%00/", "has a socket path that is not text"),
        ("http+unix://%2F%FF/", "has a socket path that is not text"),
    ]) func refuses(_ text: String, _ reason: String) {
        // (What it suggests is another test's matter.)
        #expect { try ServiceURL.parse(text) } throws: { ($0 as? InvalidValue)?.reason == reason }
    }

    @Test func boundsTheSocketPath() throws {
        let longest = String(repeating: "s", count: 106)
        #expect(try ServiceURL.parse("http+unix://%2F\(longest)/p").socketPath == "/" + longest)
        #expect(throws: InvalidValue("has a socket path of 108 bytes; allowed: up to 107")) {
            try ServiceURL.parse("http+unix://%2F\(longest)s/p")
        }
    }
}
