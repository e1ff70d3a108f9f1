import TestSupport
import Testing

@testable import Gateway

/// Which model an exchange goes to, and what the model is called then.
@Suite struct RouteAssignmentTests {
    private let lane = FakeLane()
    private let provider: FakeProvider
    private let adapter = FakeAdapter()

    init() { provider = FakeProvider(lane: lane) }

    private func makeRouter(_ models: [(String, String?, ModelProtocol)]) -> Router {
        Router(
            routes: models.enumerated().map { index, model in
                ModelRoute(index: index, name: model.0, version: model.1, modelProtocol: model.2, adapter: adapter)
            }
        )
    }

    private func assign(_ router: Router, _ name: String, _ version: String) -> (Exchange, ExchangeFailure?) {
        let exchange = Exchange(index: 0, provider: provider)
        exchange.begin(for: provider)
        let (name, version) = (Array(name.utf8), Array(version.utf8))
        let failure = name.withByteView { name in
            version.withByteView { router.assignRoute(to: exchange, name: name, version: $0) }
        }
        return (exchange, failure)
    }

    /// What an event calls the model: name and version.
    private static func called(_ exchange: Exchange) -> String {
        let names = RoutedNames()
        names.read(exchange)
        return withExtendedLifetime((exchange, names)) { names.modelName.string + "/" + names.modelVersion.string }
    }

    private static let models: [(String, String?, ModelProtocol)] = [
        ("iris", "1", .v1), ("digits", nil, .v2), ("iris", "2", .v1), ("q\"uote", nil, .v2),
    ]

    @Test(arguments: [
        // Name and version; the route, the version that is passed on, and what an event calls the model.
        ("", "", 0, "", "iris/1"), ("", "9", 0, "", "iris/1"), ("iris", "", 0, "", "iris/1"),
        ("iris", "2", 2, "", "iris/2"), ("digits", "", 1, "", "digits/"), ("digits", "7", 1, "7", "digits/7"),
        ("digits", "a\"b", 1, "a\"b", "digits/a\\\"b"), ("q\"uote", "", 3, "", "q\\\"uote/"),
    ])
    func `a name leads to a model`(
        _ name: String,
        _ version: String,
        _ index: Int,
        _ wanted: String,
        _ called: String
    ) {
        let (exchange, failure) = assign(makeRouter(Self.models), name, version)
        #expect(failure == nil)
        #expect(exchange.route?.index == index)
        #expect(withExtendedLifetime(exchange) { exchange.request.wantedVersion.view.string } == wanted)
        #expect(Self.called(exchange) == called)
    }

    @Test(arguments: [
        ("irsi", "", ExchangeFailure.Cause.unknownModel, "did you mean 'iris'?"),
        ("digit", "1", .unknownModel, "did you mean 'digits'?"), ("weather", "", .unknownModel, ""),
        ("\u{0}", "", .unknownModel, ""), ("iris", "3", .unknownVersion, ""), ("iris", "01", .unknownVersion, ""),
    ])
    func `a name that leads nowhere is told of`(
        _ name: String,
        _ version: String,
        _ cause: ExchangeFailure.Cause,
        _ detail: String
    ) {
        let router = makeRouter(Self.models)
        let (exchange, failure) = assign(router, name, version)
        #expect(failure?.cause == cause)
        // A view of the router's.
        #expect(withExtendedLifetime(router) { failure?.detail.string } == detail)
        #expect(exchange.route == nil && exchange.request.wantedVersion.isEmpty)
    }

    /// Looking for a name like the one asked for takes long where there are many.
    @Test(arguments: [(100, true), (101, false)]) func `of many models none is suggested`(count: Int, suggests: Bool) {
        // Two versions of a model are one name.
        let models = (0..<count).flatMap { number in
            ["1", "2"].map { version -> (String, String?, ModelProtocol) in ("model-\(number)", version, .v1) }
        }
        let (_, failure) = assign(makeRouter(models), "modle-7", "")
        #expect(failure?.cause == .unknownModel)
        #expect(failure?.detail.isEmpty == !suggests)
    }

    /// Against a search from the front: what is looked through by halves is the same table.
    @Test(arguments: 0..<20) func `each of many is found`(seed: Int) {
        var random = SeededGenerator(seed: UInt64(seed))
        let letters = ["a", "b", "ab", "\u{7f}", "é"]
        let texts = ["", "1", "2"]
        let models = (0..<1 + random.below(40)).map { _ -> (String, String?, ModelProtocol) in
            let name = (0..<1 + random.below(3)).map { _ in random.pick(letters) }.joined()
            return (name, random.chance(50) ? random.pick(["1", "2"]) : nil, random.pick([.v1, .v2]))
        }
        let router = makeRouter(models)
        #expect(router.first.index == 0)
        for _ in 0..<200 {
            let name = random.chance(70) ? random.pick(models).0 : random.pick(letters) + random.pick(letters)
            let version = random.pick(texts)
            let named = models.indices.filter { models[$0].0 == name }
            let fitting = named.first { index in
                version.isEmpty || models[index].1 == version || (models[index].1 == nil && models[index].2 == .v2)
            }
            let (exchange, failure) = assign(router, name, version)
            #expect(exchange.route?.index == fitting, "seed \(seed): '\(name)' '\(version)'")
            #expect(failure?.cause == (fitting != nil ? nil : named.isEmpty ? .unknownModel : .unknownVersion))
        }
    }

    @Test func `without a route there are no names, whatever came before`() {
        let names = RoutedNames()
        let (known, _) = assign(makeRouter(Self.models), "digits", "7")
        names.read(known)
        #expect(withExtendedLifetime(known) { names.routedModel.string } == "digits")
        let (unknown, _) = assign(makeRouter(Self.models), "no", "")
        names.read(unknown)
        #expect(names.routedModel.isEmpty && names.routedVersion.isEmpty)
        #expect(names.modelName.isEmpty && names.modelVersion.isEmpty)
    }

    /// It would go into each event of the answer.
    @Test(arguments: [(256, true), (257, false)]) func `a version that is too long is not told`(
        count: Int,
        isTold: Bool
    ) {
        let version = String(repeating: "v", count: count)
        let (exchange, failure) = assign(makeRouter(Self.models), "digits", version)
        #expect(failure == nil && exchange.request.wantedVersion.count == count)
        #expect(Self.called(exchange) == "digits/" + (isTold ? version : ""))
    }

    @Test func `what the model says of itself comes first`() {
        let (exchange, _) = assign(makeRouter(Self.models), "iris", "2")
        let names = RoutedNames()
        names.read(exchange)
        withExtendedLifetime(exchange) {
            var prediction = Prediction()
            #expect(names.modelName(prediction) == "iris" && names.modelVersion(prediction) == "2")
            prediction.modelName = ByteView("other")
            #expect(names.modelName(prediction) == "other" && names.modelVersion(prediction) == "2")
            prediction.modelVersion = ByteView("3")
            #expect(names.modelName(prediction) == "other" && names.modelVersion(prediction) == "3")
        }
    }
}
