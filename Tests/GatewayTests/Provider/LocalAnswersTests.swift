import TestSupport
import Testing

@testable import Gateway

/// What the Sidecar answers by itself.
@Suite struct LocalAnswersTests {
    private let lane = FakeLane()
    private let provider: FakeProvider
    private let readiness = Readiness(modelCount: 4)
    private let routes: [ModelRoute]

    init() {
        provider = FakeProvider(lane: lane)
        let adapter = FakeAdapter()
        let models: [(String, String?)] = [("iris", "2"), ("di\"gits", nil), ("iris", "1"), ("iris", nil)]
        routes = models.enumerated().map { index, model in
            ModelRoute(index: index, name: model.0, version: model.1, modelProtocol: .v2, adapter: adapter)
        }
    }

    private final class Stream: HTTPBodySource {
        func next(into buffer: ByteBuffer) -> Bool { false }
    }

    private func makeAnswers(page: LocalAnswers.Page? = nil) -> LocalAnswers {
        LocalAnswers(
            catalog: ModelCatalog(routes, readiness),
            serverMetadataRoute: nil,
            startMetrics: { Stream() },
            openAPI: #"{"openapi":"3.1.0"}"#,
            page: page
        )
    }

    /// A reply, copied.
    private struct Written {
        var status: Int
        var body: [UInt8]
        var headers: [String: String]
        var stream: (any HTTPBodySource)?

        func json() throws -> JSON { try JSON(parsing: body) }
    }

    private func write(_ face: Face, _ question: FaceTarget.Question, _ route: ModelRoute? = nil) -> Written {
        write(.face(FaceTarget(question: question)), route, face: face)
    }

    private func write(
        _ endpoint: RESTEndpoint,
        _ route: ModelRoute? = nil,
        face: Face = .native,
        page: LocalAnswers.Page? = nil
    ) -> Written {
        let exchange = Exchange(index: 0, provider: provider)
        exchange.begin(for: provider)
        exchange.request.face = face
        exchange.route = route
        makeAnswers(page: page).write(endpoint, to: exchange)
        return withExtendedLifetime(exchange) {
            let lines = (0..<exchange.reply.headers.count).map { exchange.reply.headers[$0] }
            return Written(
                status: exchange.reply.status,
                body: exchange.replyBody.array,
                headers: Dictionary(uniqueKeysWithValues: lines.map { ($0.name.string, $0.value.string) }),
                stream: exchange.reply.stream
            )
        }
    }

    private static let plain = ["Content-Type": "application/json", "X-Content-Type-Options": "nosniff"]

    @Test(arguments: 0..<2) func `it lives, whatever its models do`(_ which: Int) throws {
        readiness.startDraining()
        let reply = which == 0 ? write(.live) : write(.v2, .serverLive)
        #expect(reply.status == 200)
        #expect(try reply.json() == ["live": true])
        #expect(reply.headers == Self.plain)
    }

    @Test func `it is ready when all models are, and it does not drain`() throws {
        for ready in [false, true, false] {
            for model in 0..<4 { readiness.set(model: model, ready: ready || model < 3, reason: "down") }
            for reply in [write(.ready), write(.readyInBrief), write(.v2, .serverReady)] {
                #expect(reply.status == (ready ? 200 : 503))
                #expect(try reply.json()["ready"]?.bool == ready)
                #expect(reply.headers["Retry-After"] == (ready ? nil : "1"))
            }
        }
        for model in 0..<4 { readiness.set(model: model, ready: true) }
        readiness.startDraining()
        for reply in [write(.ready), write(.readyInBrief), write(.v2, .serverReady)] { #expect(reply.status == 503) }
        #expect(try write(.ready).json()["draining"] == true)
    }

    @Test func `it tells how each model stands`() throws {
        readiness.set(model: 0, ready: true)
        readiness.set(model: 1, ready: false, reason: "say \"no\"\n")
        let answer = try write(.ready).json()
        #expect(answer.names == ["ready", "draining", "models"])
        #expect(answer["draining"] == false)
        let models = try #require(answer["models"]?.elements)
        #expect(models.map { $0["name"]?.string } == ["iris", "di\"gits", "iris", "iris"])
        #expect(models.map { $0["version"]?.string } == ["2", nil, "1", nil])
        #expect(models.map { $0["ready"]?.bool } == [true, false, false, false])
        #expect(
            models.map { $0["reason"]?.string } == [
                nil, "say \"no\"\n", "it was not asked yet", "it was not asked yet",
            ]
        )
        for (model, route) in zip(models, routes) {
            let since = ByteBuffer()
            TimestampWriter().append(readiness.standing(model: route.index).since, to: since)
            #expect(model["since"]?.string == since.view.string)
        }
    }

    @Test func `each name is listed once, in the order of the configuration`() throws {
        let reply = write(.v1, .modelList)
        #expect(try reply.json() == ["models": ["iris", "di\"gits"]])
        #expect(reply.status == 200 && reply.headers == Self.plain)
    }

    @Test(arguments: [0, 1], [false, true]) func `a model says whether it is ready`(
        _ model: Int,
        _ isReady: Bool
    ) throws {
        readiness.set(model: model, ready: isReady, reason: "down")
        // Not the others' readiness.
        readiness.set(model: 1 - model, ready: !isReady, reason: "down")
        let route = routes[model]
        for reply in [write(.v1, .modelMetadata, route), write(.v2, .modelReady, route)] {
            #expect(reply.status == (isReady ? 200 : 503))
            let answer = try reply.json()
            #expect(answer["name"]?.string == route.name.view.string)
            #expect(answer["ready"]?.bool == isReady)
            #expect(reply.headers["Retry-After"] == (isReady ? nil : "1"))
        }
    }

    @Test(arguments: [(0, ["2", "1"]), (1, []), (2, ["2", "1"]), (3, ["2", "1"])])
    func `a model's versions are those of its name`(_ model: Int, _ versions: [String]) throws {
        let reply = write(.v2, .modelMetadata, routes[model])
        let answer = try reply.json()
        #expect(answer.names == ["name", "versions", "platform", "inputs", "outputs"])
        #expect(answer["name"]?.string == routes[model].name.view.string)
        #expect(answer["versions"]?.elements?.map(\.string) == versions)
        #expect(answer["inputs"] == [] && answer["outputs"] == [])
        #expect(reply.status == 200)
    }

    @Test func `the server tells its name and version`() throws {
        let answer = try write(.v2, .serverMetadata).json()
        #expect(answer == ["name": "ameron-sidecar", "version": .string(Version.current), "extensions": []])
    }

    @Test func `metrics are made as they are sent`() {
        let reply = write(.metrics)
        #expect(reply.stream is Stream)
        #expect(reply.status == 200 && reply.body.isEmpty)
        #expect(reply.headers["Content-Type"] == "text/plain; version=0.0.4; charset=utf-8")
    }

    @Test func `the description of the API goes out as it is`() {
        let reply = write(.openAPI)
        #expect(reply.body == Array(#"{"openapi":"3.1.0"}"#.utf8))
        #expect(reply.headers == Self.plain)
    }

    @Test func `the page brings its own lines`() {
        #expect(!makeAnswers().hasPage)
        let page = LocalAnswers.Page(
            write: {
                $0.reply.ownBody.append("page")
                $0.reply.headers.append("Content-Type", ByteView("text/html"))
            },
            writePredictions: { after, body in body.append(decimal: after) }
        )
        #expect(makeAnswers(page: page).hasPage)
        let reply = write(.page, page: page)
        #expect(reply.body == Array("page".utf8) && reply.status == 200)
        #expect(reply.headers == ["Content-Type": "text/html"])
        let predictions = write(.pagePredictions(after: 17), page: page)
        #expect(predictions.body == Array("17".utf8))
        // It is another one at each question.
        #expect(predictions.headers == Self.plain.merging(["Cache-Control": "no-store"]) { $1 })
    }
}
