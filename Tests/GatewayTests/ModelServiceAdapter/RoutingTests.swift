import Testing

@testable import Gateway

private final class NoAdapter: ModelServiceAdapter {
    func canAnswer(_ operation: Request.Operation) -> Bool { false }
    func submit(_ attempt: Attempt) {}
    func cancel(_ attempt: Attempt) {}
    func resume(_ attempt: Attempt) {}
    func release(_ attempt: Attempt) {}
}

@Suite struct RouterTests {
    private static let models: [(name: String, version: String?, modelProtocol: ModelProtocol)] = [
        ("iris", "2", .native), ("digits", nil, .v2), ("iris", "1", .v2), ("iris", nil, .v1), ("a", "1", .v2),
        ("a", nil, .v2), ("é", nil, .raw),
    ]

    private let router = Router(
        routes: models.enumerated().map { index, model in
            ModelRoute(
                index: index,
                name: model.name,
                version: model.version,
                modelProtocol: model.modelProtocol,
                adapter: NoAdapter()
            )
        }
    )

    private func find(_ name: String, _ version: String) -> String {
        Array(name.utf8).withByteView { name in
            Array(version.utf8).withByteView { version in
                switch router.find(name: name, version: version) {
                case .found(let route): "\(route.index)"
                case .unknownModel: "no model"
                case .unknownVersion: "no version"
                }
            }
        }
    }

    @Test(arguments: [
        ("iris", "", "0"), ("iris", "2", "0"), ("iris", "1", "2"), ("iris", "3", "no version"), ("digits", "", "1"),
        ("digits", "9", "1"), ("a", "1", "4"), ("a", "2", "5"), ("a", "", "4"), ("é", "", "6"),
        ("é", "1", "no version"), ("", "", "no model"), ("iri", "", "no model"), ("irises", "", "no model"),
        ("Iris", "", "no model"), ("z", "1", "no model"), ("\u{ff}", "", "no model"), ("0", "", "no model"),
    ])
    func finds(_ name: String, _ version: String, _ expected: String) { #expect(find(name, version) == expected) }

    @Test func startsWithTheFirstOfTheConfiguration() { #expect(router.first.index == 0) }
}

@Suite struct RESTRoutesTests {
    private func text(_ view: ByteView) -> String { view.isEmpty ? "-" : view.string }

    private func match(_ method: String, _ path: String) -> String {
        Array(method.utf8).withByteView { method in
            Array(path.utf8).withByteView { path in
                switch RESTRoutes.match(method: method, path: path, face: Face.of(path: path)) {
                case .unknownPath: "none"
                case .wrongMethod(let allow): "allow \(allow)"
                case .endpoint(let endpoint): describe(endpoint, Face.of(path: path))
                }
            }
        }
    }

    private func describe(_ endpoint: RESTEndpoint, _ face: Face) -> String {
        switch endpoint {
        case .face(let target): "\(face) \(target.question) \(text(target.model)) \(text(target.version))"
        case .live: "live"
        case .ready: "ready"
        case .readyInBrief: "readyInBrief"
        case .metrics: "metrics"
        case .openAPI: "openAPI"
        case .page: "page"
        case .pagePredictions: "pagePredictions"
        }
    }

    @Test(arguments: [
        ("/predictions", "native predict - -"), ("/predictions/a", "native predict a -"),
        ("/predictions/a/1", "native predict a 1"), ("/predictions/a%2Fb/1%20", "native predict a%2Fb 1%20"),
        ("/v1/models/a:predict", "v1 predict a -"), ("/v1/models/a:predict:predict", "v1 predict a:predict -"),
        ("/v2/models/a/infer", "v2 predict a -"), ("/v2/models/a/versions/1/infer", "v2 predict a 1"),
        ("/v2/models/versions/versions/infer/infer", "v2 predict versions infer"),
    ])
    func findsPredictions(_ path: String, _ expected: String) {
        #expect(match("POST", path) == expected)
        for method in ["GET", "HEAD", "PUT", "post", ""] { #expect(match(method, path) == "allow POST") }
    }

    @Test(arguments: [
        ("/v1/models", "v1 modelList - -"), ("/v1/models/a", "v1 modelMetadata a -"),
        ("/v1/models/a:classify", "v1 modelMetadata a:classify -"),
        ("/v2", "v2 serverMetadata - -"), ("/v2/health/live", "v2 serverLive - -"),
        ("/v2/health/ready", "v2 serverReady - -"),
        ("/v2/models/a", "v2 modelMetadata a -"), ("/v2/models/a/versions/1", "v2 modelMetadata a 1"),
        ("/v2/models/a/ready", "v2 modelReady a -"), ("/v2/models/a/versions/1/ready", "v2 modelReady a 1"),
        ("/livez", "live"), ("/readyz", "ready"), ("/metrics", "metrics"), ("/openapi.json", "openAPI"),
        ("/ui", "page"), ("/ui/predictions", "pagePredictions"),
    ])
    func findsResources(_ path: String, _ expected: String) {
        for method in ["GET", "HEAD"] { #expect(match(method, path) == expected) }
        for method in ["POST", "DELETE", "get"] { #expect(match(method, path) == "allow GET, HEAD") }
    }

    @Test(arguments: [
        "", "/", "//", "predictions", "/Predictions", "/predictions/", "/predictions//", "/predictions/a/",
        "/predictions/a/1/", "/predictions/a/1/2", "//predictions", "/v1", "/v1/", "/v1/models/", "/v1/models/:predict",
        "/v1/models/a/b", "/v1/models/a:predict/", "/v1/model", "/v2/", "/v2/models", "/v2/models/",
        "/v2/models//infer",
        "/v2/models/a/", "/v2/models/a/infer/", "/v2/models/a/versions", "/v2/models/a/versions/",
        "/v2/models/a/versions//infer", "/v2/models/a/versions/1/", "/v2/models/a/versions/1/2", "/v2/models/a/infers",
        "/v2/health", "/v2/health/", "/v2/health/dead", "/v2/health/live/", "/livez/", "/metrics/x", "/favicon.ico",
        "/v3/models/a", "/predictionz/a",
    ])
    func findsNothingElse(_ path: String) {
        for method in ["GET", "POST"] { #expect(match(method, path) == "none") }
    }

    @Test(arguments: [
        ("/v1/x", "v1"), ("/v2", "v2"), ("/v2/", "v2"), ("/v1", "native"), ("/v2x", "native"), ("/", "native"),
        ("", "native"), ("/predictions/v1/", "native"),
    ])
    func knowsTheFace(_ path: String, _ face: String) {
        #expect(Array(path.utf8).withByteView { "\(Face.of(path: $0))" } == face)
    }
}
