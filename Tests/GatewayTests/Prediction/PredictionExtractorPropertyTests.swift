import Foundation
import TestSupport
import Testing

@testable import Gateway

/// Random answers against oracles that know what they put in, and damaged ones that must do no harm.
@Suite struct PredictionExtractorPropertyTests {
    private static let seeds = (0..<8).map { _ in UInt64.random(in: 0...UInt64.max) }
    private static let rounds = 150

    /// A native answer and what is to be read from it.
    private static func nativeAnswer(_ random: inout RandomJSON) -> (String, [SeenPrediction]) {
        var expected: [SeenPrediction] = []
        let elements = (0..<random.generator.below(5)).map { _ in
            var seen = SeenPrediction(value: random.value())
            var members = [("value", seen.value)]
            func inside(_ string: String) -> String { String(string.dropFirst().dropLast()) }
            if random.generator.chance(50) {
                let name = random.string()
                if name.utf8.count <= Prediction.maxNameBytes {
                    members.append(("modelName", name))
                    seen.modelName = inside(name)
                }
            }
            if random.generator.chance(50) {
                let version = random.generator.chance(50) ? random.string() : random.number()
                if version.utf8.count <= Prediction.maxNameBytes {
                    members.append(("modelVersion", version))
                    seen.modelVersion = version.hasPrefix("\"") ? inside(version) : version
                }
            }
            if random.generator.chance(50) {
                seen.timeTakenInMs = random.number()
                members.append(("timeTakenInMs", seen.timeTakenInMs))
            }
            if random.generator.chance(30) {
                let note = random.value()
                members.append(("note", note))
                seen.extra = "\"note\":\(note)"
            }
            expected.append(seen)
            return random.object(members)
        }
        return (random.object([("predictions", random.array(elements)), ("id", random.value())]), expected)
    }

    @Test(arguments: seeds) func readsNativeAnswers(seed: UInt64) {
        var random = RandomJSON(seed: seed)
        let extractor = PredictionExtractor()
        for _ in 0..<Self.rounds {
            let (body, expected) = Self.nativeAnswer(&random)
            #expect(extractor.see(.native, body) == SeenAnswer(predictions: expected), "seed \(seed): \(body)")
        }
    }

    @Test(arguments: seeds) func readsV1AndRawAnswers(seed: UInt64) {
        var random = RandomJSON(seed: seed)
        let extractor = PredictionExtractor()
        for _ in 0..<Self.rounds {
            let values = (0..<random.generator.below(6)).map { _ in random.value() }
            let body = random.object([("predictions", random.array(values)), ("more", random.value())])
            #expect(extractor.see(.v1, body).predictions.map(\.value) == values, "seed \(seed): \(body)")
            let raw = extractor.see(.raw, "\n" + body + " ", contentType: "application/json")
            #expect(raw.predictions == [SeenPrediction(value: body)], "seed \(seed): \(body)")
            #expect(parsed(body) != nil, "the oracle itself, seed \(seed): \(body)")
        }
    }

    /// An answer of tensors of `rows` rows, and the values to be read from it.
    private static func v2Answer(_ random: inout RandomJSON, rows: Int) -> (String, [String]) {
        let names = ["a", "b", "c"].prefix(1 + random.generator.below(3))
        var columns: [[String]] = []
        let outputs = names.map { name in
            let rank = 1 + random.generator.below(3)
            let inner = (1..<rank).map { _ in random.generator.below(4) }
            let isNested = random.generator.chance(50)
            let width = inner.reduce(1, *)
            let data = (0..<rows).map { _ in
                (0..<width).map { _ in random.generator.chance(70) ? random.number() : random.string() }
            }
            let shape = random.array(([rows] + inner).map(String.init))
            let text: String
            if rank == 1 {
                text = random.array(data.map { $0[0] })
                columns.append(data.map { $0[0] })
            } else if isNested && width > 0 {
                let column = data.map { nested($0[...], inner[...]) }
                text = random.array(column)
                columns.append(column)
            } else {
                text = "[" + data.flatMap { $0 }.joined(separator: ",") + "]"
                columns.append(data.map { "[" + $0.joined(separator: ",") + "]" })
            }
            return random.object([
                ("name", "\"\(name)\""), ("shape", shape), ("datatype", #""FP64""#), ("data", text),
                ("parameters", random.value()),
            ])
        }
        let values = (0..<rows).map { row in
            guard names.count > 1 else { return columns[0][row] }
            return "{" + zip(names, columns).map { "\"\($0)\":\($1[row])" }.joined(separator: ",") + "}"
        }
        let body = random.object([("outputs", random.array(outputs)), ("model_name", #""m""#), ("id", random.value())])
        return (body, values)
    }

    private static func nested(_ scalars: ArraySlice<String>, _ shape: ArraySlice<Int>) -> String {
        guard let length = shape.first, length > 0 else { return scalars.first ?? "[]" }
        let step = scalars.count / length
        let parts = (0..<length).map { index in
            let start = scalars.startIndex + index * step
            return nested(scalars[start..<start + step], shape.dropFirst())
        }
        return "[" + parts.joined(separator: ",") + "]"
    }

    @Test(arguments: seeds) func readsV2Answers(seed: UInt64) {
        var random = RandomJSON(seed: seed)
        let extractor = PredictionExtractor()
        for _ in 0..<Self.rounds {
            let (body, values) = Self.v2Answer(&random, rows: random.generator.below(6))
            let seen = extractor.see(.v2, body)
            #expect(seen.predictions.map(\.value) == values, "seed \(seed): \(body)")
            #expect(seen.predictions.allSatisfy { $0.modelName == "m" }, "seed \(seed): \(body)")
        }
    }

    @Test(arguments: seeds) func findsRequestIds(seed: UInt64) {
        var random = RandomJSON(seed: seed)
        let reader = RequestIdReader()
        for _ in 0..<Self.rounds {
            let id = random.value(depth: 1)
            let body = random.object([("id", id), ("inputs", random.value())])
            let expected = parsed(id) as? String
            #expect(requestId(in: Array(body.utf8), reader) == expected, "seed \(seed): \(body)")
        }
    }

    /// What the reader accepts Foundation accepts, and the other way round, but for what Foundation takes or leaves on
    /// its own: a comma too many at the end, UTF-16, numbers out of range.
    @Test(arguments: seeds) func agreesOnWhatIsJSON(seed: UInt64) {
        var random = RandomJSON(seed: seed)
        let outline = JSONOutline()
        for _ in 0..<Self.rounds * 4 {
            let bytes = random.mutate(Array(random.value().utf8))
            let isRead = bytes.withByteView { view in (try? outline.read(view, depth: 3)) != nil }
            let text = String(decoding: bytes, as: UTF8.self)
            guard !hasNumberOutOfRange(bytes), !bytes.contains(0) else { continue }
            guard isRead || text.firstMatch(of: /,\s*[\]}]/) == nil else { continue }
            #expect(isRead == (parsed(bytes) != nil), "seed \(seed): \(text)")
        }
    }

    @Test(arguments: seeds) func survivesDamagedAnswers(seed: UInt64) {
        var random = RandomJSON(seed: seed)
        let extractor = PredictionExtractor()
        for _ in 0..<Self.rounds {
            let answers: [(ModelProtocol, String)] = [
                (.native, Self.nativeAnswer(&random).0),
                (.v1, random.object([("predictions", random.value()), ("more", random.value())])),
                (.v2, Self.v2Answer(&random, rows: random.generator.below(5)).0),
                (.raw, random.value()),
            ]
            for (modelProtocol, body) in answers {
                let bytes = random.mutate(Array(body.utf8))
                let seen = extractor.see(
                    modelProtocol,
                    bytes,
                    jsonLength: random.generator.chance(20) ? bytes.count / 2 : nil,
                    contentType: "application/json"
                )
                #expect(seen.unsplit == nil || seen.predictions.count == 1)
                #expect((seen.unsplit == nil) == seen.reason.isEmpty)
                guard !hasNumberOutOfRange(bytes) else { continue }
                for text in seen.predictions.flatMap(carried) + ["{\(seen.extra)}"] {
                    #expect(parsed(text) != nil, "seed \(seed): \(text) of \(String(decoding: bytes, as: UTF8.self))")
                }
            }
        }
    }

    /// Answers that are right, nearly right, and wrong in their shape, against the rules written down a second time.
    @Test(arguments: seeds) func agreesWithASecondOpinion(seed: UInt64) {
        var random = RandomJSON(seed: seed)
        let extractor = PredictionExtractor()
        var split = 0
        for round in 0..<Self.rounds * 2 {
            let modelProtocol = random.generator.pick([ModelProtocol.native, .v1, .v2, .v2])
            let body = Self.roughAnswer(modelProtocol, &random)
            guard !hasNumberOutOfRange(Array(body.utf8)) else { continue }
            let seen = extractor.see(modelProtocol, body)
            let values = seen.predictions.map { parsed($0.value) }
            if let expected = ReferenceExtraction.values(modelProtocol, body) {
                split += 1
                #expect(seen.unsplit == nil && values == expected, "seed \(seed), round \(round): \(body)")
            } else {
                #expect(seen.unsplit == .notUnderstood, "seed \(seed), round \(round): \(body)")
                #expect(values == [parsed(body)], "seed \(seed), round \(round): \(body)")
            }
        }
        #expect(split > Self.rounds / 2)
    }

    private static func roughAnswer(_ modelProtocol: ModelProtocol, _ random: inout RandomJSON) -> String {
        switch modelProtocol {
        case .native:
            let elements = (0..<random.generator.below(4)).map { _ in
                random.generator.chance(90)
                    ? random.object([
                        (random.generator.pick(["value", "value", "value", "values"]), random.value()), ("k", "1"),
                    ])
                    : random.value()
            }
            let list = random.generator.chance(80) ? random.array(elements) : random.value()
            var members = [(random.generator.pick(["predictions", "predictions", "x"]), list)]
            if random.generator.chance(30) { members.append(("value", random.value())) }
            return random.object(members)
        case .v1:
            return random.object([
                (random.generator.pick(["predictions", "x"]), random.value()), ("y", random.value()),
            ])
        case .v2:
            let rows = random.generator.below(4)
            let outputs = (0..<random.generator.below(4)).map { number in
                let isRough = random.generator.chance(10)
                let inner = (0..<random.generator.below(3)).map { _ in random.generator.below(3) }
                let shape = (random.generator.chance(95) ? [isRough ? random.generator.below(4) : rows] : []) + inner
                let width = shape.dropFirst().reduce(1, *)
                let count = shape.first ?? 1
                let scalars = (0..<count * width).map { _ in
                    random.generator.pick([random.number(), random.string(), "null"])
                }
                var data = random.array(scalars)
                if shape.count > 1, random.generator.chance(40) {
                    let parts = (0..<count).map { row in random.array(Array(scalars[row * width..<(row + 1) * width])) }
                    data = random.array(parts)
                }
                if isRough, random.generator.chance(50) { data = random.value() }
                let name = random.generator.chance(3) ? "a" : "\(number)"
                return random.object([
                    ("name", "\"\(name)\""), ("shape", random.array(shape.map(String.init))), ("data", data),
                ])
            }
            return random.object([("outputs", random.array(outputs)), ("model_name", #""m""#)])
        case .raw: return random.value()
        }
    }

    /// All that goes into an event as JSON, made complete.
    private func carried(_ prediction: SeenPrediction) -> [String] {
        var texts = ["{\(prediction.extra)}"]
        if prediction.encoding == nil { texts.append(prediction.value) }
        texts += [prediction.modelName, prediction.modelVersion, prediction.id].map { "\"\($0)\"" }
        if !prediction.timeTakenInMs.isEmpty { texts.append(prediction.timeTakenInMs) }
        return texts
    }

    /// Numbers such as 1e999 are JSON, and Foundation refuses them.
    private func hasNumberOutOfRange(_ bytes: [UInt8]) -> Bool {
        let text = String(decoding: bytes, as: UTF8.self)
        return text.firstMatch(of: /[eE][-+]?[0-9]{3}|[0-9]{30}/) != nil
    }
}
