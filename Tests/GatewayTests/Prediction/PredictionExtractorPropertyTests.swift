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
                members.append(("modelName", name))
                seen.modelName = inside(name)
            }
            if random.generator.chance(50) {
                let version = random.generator.chance(50) ? random.string() : random.number()
                members.append(("modelVersion", version))
                seen.modelVersion = version.hasPrefix("\"") ? inside(version) : version
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

    @Test(arguments: seeds) func readsNativeAnswers(seed: UInt64) throws {
        var random = RandomJSON(seed: seed)
        let extractor = PredictionExtractor()
        for _ in 0..<Self.rounds {
            let (body, expected) = Self.nativeAnswer(&random)
            #expect(try extractor.see(.native, body) == SeenAnswer(predictions: expected), "seed \(seed): \(body)")
        }
    }

    @Test(arguments: seeds) func readsV1AndRawAnswers(seed: UInt64) throws {
        var random = RandomJSON(seed: seed)
        let extractor = PredictionExtractor()
        for _ in 0..<Self.rounds {
            let values = (0..<random.generator.below(6)).map { _ in random.value() }
            let body = random.object([("predictions", random.array(values)), ("more", random.value())])
            #expect(try extractor.see(.v1, body).predictions.map(\.value) == values, "seed \(seed): \(body)")
            let raw = try extractor.see(.raw, "\n" + body + " ", contentType: "application/json")
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

    @Test(arguments: seeds) func readsV2Answers(seed: UInt64) throws {
        var random = RandomJSON(seed: seed)
        let extractor = PredictionExtractor()
        for _ in 0..<Self.rounds {
            let (body, values) = Self.v2Answer(&random, rows: random.generator.below(6))
            let seen = try extractor.see(.v2, body)
            #expect(seen.predictions.map(\.value) == values, "seed \(seed): \(body)")
            #expect(seen.predictions.allSatisfy { $0.modelName == "m" }, "seed \(seed): \(body)")
        }
    }

    @Test(arguments: seeds) func findsRequestIds(seed: UInt64) throws {
        var random = RandomJSON(seed: seed)
        let extractor = PredictionExtractor()
        for _ in 0..<Self.rounds {
            let id = random.value(depth: 1)
            let body = random.object([("id", id), ("inputs", random.value())])
            let expected = parsed(id) as? String
            #expect(try extractor.id(in: Array(body.utf8)) == expected, "seed \(seed): \(body)")
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
                guard
                    let seen = try? extractor.see(
                        modelProtocol,
                        bytes,
                        jsonLength: random.generator.chance(20) ? bytes.count / 2 : nil,
                        contentType: "application/json"
                    ),
                    !hasNumberOutOfRange(bytes)
                else { continue }
                for text in seen.predictions.flatMap(carried) + ["{\(seen.extra)}"] {
                    #expect(parsed(text) != nil, "seed \(seed): \(text) of \(String(decoding: bytes, as: UTF8.self))")
                }
            }
        }
    }

    /// All that goes into an event as JSON, made complete.
    private func carried(_ prediction: SeenPrediction) -> [String] {
        var texts = [prediction.value, "{\(prediction.extra)}"]
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
