import Testing

@testable import Gateway

@Suite struct ModelServiceURLTests {
    @Test(arguments: [
        ("http://a/b/c", "a", "/b/c"), ("http://a:80", "a:80", "/"), ("http://a/", "a", "/"),
        ("http://a?x=1", "a", "/?x=1"), ("http://a/b?c=/d&e", "a", "/b?c=/d&e"), ("http://[::1]:8/x", "[::1]:8", "/x"),
        ("https://a.b/c%20d", "a.b", "/c%20d"), ("a/b", "a", "/b"),
    ])
    func splits(_ url: String, _ authority: String, _ path: String) {
        let parts = ModelServiceURL.split(url)
        #expect(parts.authority == authority)
        #expect(parts.path == path)
    }

    private struct Case: CustomTestStringConvertible {
        var url: String
        var modelProtocol: ModelProtocol
        var version: String?
        /// Predict, predict of version 7, metadata, metadata of version 7, ready.
        var expected: [String?]
        var testDescription: String { "\(modelProtocol) \(url) \(version ?? "")" }
    }

    private static let cases = [
        Case(
            url: "http://h:1",
            modelProtocol: .v2,
            expected: [
                "http://h:1/v2/models/a%20b/infer", "http://h:1/v2/models/a%20b/versions/7/infer",
                "http://h:1/v2/models/a%20b", "http://h:1/v2/models/a%20b/versions/7",
                "http://h:1/v2/models/a%20b/ready",
            ]
        ),
        Case(
            url: "http://h/",
            modelProtocol: .v2,
            version: "1/2",
            expected: [
                "http://h/v2/models/a%20b/versions/1%2F2/infer", nil, "http://h/v2/models/a%20b/versions/1%2F2", nil,
                "http://h/v2/models/a%20b/versions/1%2F2/ready",
            ]
        ),
        Case(
            url: "http://h/x/infer",
            modelProtocol: .v2,
            expected: [
                "http://h/x/infer", "http://h/x/versions/7/infer", "http://h/x", "http://h/x/versions/7",
                "http://h/x/ready",
            ]
        ),
        Case(
            url: "http://h/v2/models/m/versions/1/infer",
            modelProtocol: .v2,
            expected: [
                "http://h/v2/models/m/versions/1/infer", "http://h/v2/models/m/versions/7/infer",
                "http://h/v2/models/m/versions/1", "http://h/v2/models/m/versions/7",
                "http://h/v2/models/m/versions/1/ready",
            ]
        ),
        Case(
            url: "http://h/x",
            modelProtocol: .v2,
            expected: ["http://h/x", "http://h/x", nil, nil, nil]
        ),
        Case(
            url: "http://h",
            modelProtocol: .v1,
            expected: [
                "http://h/v1/models/a%20b:predict", "http://h/v1/models/a%20b:predict", "http://h/v1/models/a%20b",
                "http://h/v1/models/a%20b", nil,
            ]
        ),
        Case(
            url: "http://h/m:predict",
            modelProtocol: .v1,
            expected: ["http://h/m:predict", "http://h/m:predict", "http://h/m", "http://h/m", nil]
        ),
        Case(
            url: "http://h/p?k=1",
            modelProtocol: .native,
            expected: ["http://h/p?k=1", "http://h/p?k=1", nil, nil, nil]
        ),
        Case(url: "https://h", modelProtocol: .raw, expected: ["https://h", "https://h", nil, nil, nil]),
        Case(
            url: "http+unix://%2Frun%2Fm.sock/p",
            modelProtocol: .native,
            expected: ["http://localhost/p", "http://localhost/p", nil, nil, nil]
        ),
        Case(
            url: "http+unix://%2Frun%2Fm.sock",
            modelProtocol: .v1,
            expected: [
                "http://localhost/v1/models/a%20b:predict", "http://localhost/v1/models/a%20b:predict",
                "http://localhost/v1/models/a%20b", "http://localhost/v1/models/a%20b", nil,
            ]
        ),
    ]

    @Test(arguments: cases.indices) func findsResources(_ index: Int) {
        let one = Self.cases[index]
        let url = ModelServiceURL(one.url, model: "a b", version: one.version, modelProtocol: one.modelProtocol)
        let seen = [
            url.url(for: .predict, version: nil), url.url(for: .predict, version: "7"),
            url.url(for: .modelMetadata, version: nil), url.url(for: .modelMetadata, version: "7"),
            url.url(for: .modelReady, version: nil),
        ]
        for (seen, expected) in zip(seen, one.expected) where one.version == nil || expected != nil {
            #expect(seen == expected, "\(one.testDescription)")
        }
        #expect(url.isSecure == one.url.hasPrefix("https:"))
        #expect(url.unixSocketPath == (one.url.hasPrefix("http+unix:") ? "/run/m.sock" : nil))
        #expect(url.url(for: .local, version: nil) == nil)
    }

    @Test(arguments: [
        (ModelProtocol.v2, "http://h", "http://h/v2/models/m/ready", false), (.v2, "http://h/x", "http://h/x", true),
        (.v1, "http://h", "http://h/v1/models/m", false), (.native, "http://h/p", "http://h/p", true),
        (.raw, "http://h/p", "http://h/p", true),
    ])
    func findsHealth(_ modelProtocol: ModelProtocol, _ text: String, _ health: String, _ anyAnswer: Bool) {
        let url = ModelServiceURL(text, model: "m", version: nil, modelProtocol: modelProtocol)
        #expect(url.health.url == health)
        #expect(url.health.anyAnswer == anyAnswer)
        #expect(url.serverMetadata == (modelProtocol == .v2 ? "http://h/v2" : nil))
    }

    @Test func tellsServersApart() {
        func server(_ url: String) -> String {
            ModelServiceURL(url, model: "m", version: nil, modelProtocol: .native).server
        }
        #expect(server("http://h/a") == server("http://h/b"))
        #expect(server("http://h:1/a") != server("http://h:2/a"))
        #expect(server("http+unix://%2Fa/x") != server("http+unix://%2Fb/x"))
    }

    @Test(arguments: [
        ("a%2Fb", "a/b"), ("%", "%"), ("%2", "%2"), ("%zz", "%zz"), ("%41%42", "AB"), ("%c3%a9", "é"), ("%25", "%"),
        ("", ""),
        ("%2541", "%41"), ("%+1", "%+1"),
    ])
    func decodesPercent(_ text: String, _ decoded: String) {
        #expect(ModelServiceURL.percentDecoded(text[...]) == decoded)
    }

    @Test(arguments: [("a-b.c_d~9Z", "a-b.c_d~9Z"), ("a/b c", "a%2Fb%20c"), ("é", "%C3%A9"), ("%?#:", "%25%3F%23%3A")])
    func encodesPercent(_ text: String, _ encoded: String) {
        #expect(ModelServiceURL.percentEncoded(text) == encoded)
        #expect(ModelServiceURL.percentDecoded(encoded[...]) == text)
    }

    @Test func schemesAreReadInAnyCase() {
        let secure = ModelServiceURL("HTTPS://h/x", model: "m", version: nil, modelProtocol: .native)
        #expect(secure.isSecure)
        #expect(secure.predict == "https://h/x")
        let plain = ModelServiceURL("Http://h/X", model: "m", version: nil, modelProtocol: .native)
        #expect(!plain.isSecure)
        #expect(plain.predict == "http://h/X")
        let socket = ModelServiceURL("HTTP+Unix://%2Frun%2FM.sock/x", model: "m", version: nil, modelProtocol: .native)
        #expect(socket.unixSocketPath == "/run/M.sock")
    }

    @Test func aQueryIsNoPartOfTheHost() {
        let url = ModelServiceURL("http://h:1?a=b", model: "m", version: nil, modelProtocol: .native)
        #expect(url.predict == "http://h:1?a=b")
        #expect(url.server == "http://h:1")
    }
}
