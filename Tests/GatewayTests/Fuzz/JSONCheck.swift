import Foundation

@testable import Gateway

/// What must hold of the JSON outline, and of the extractor on it, for any bytes whatever. The tests and the fuzzer ask the same.
enum JSONCheck {
    /// As deep as any protocol's rules look.
    private static let maxDepth = 4

    /// What is wrong, nil where nothing is.
    ///
    /// - Parameter bytes: the first says which protocol's answer the rest is, and how much of it is JSON.
    static func violation(_ bytes: [UInt8]) -> String? {
        guard let first = bytes.first else { return nil }
        let document = Array(bytes.dropFirst())
        let reference = ReferenceJSON.read(document)
        return outlineViolation(document, reference) ?? foundationViolation(document, reference)
            ?? extractorViolation(first, document, reference)
    }

    // MARK: The outline

    private static func outlineViolation(_ document: [UInt8], _ reference: ReferenceJSON?) -> String? {
        let outline = JSONOutline()
        return document.withByteView { view in
            for depth in [0, 1, maxDepth] {
                let isRead = (try? outline.read(view, depth: depth)) != nil
                guard isRead == (reference != nil) else { return "read: \(isRead), but JSON: \(reference != nil)" }
                guard let reference else { continue }
                var node = 0
                if let violation = nodeViolation(outline, &node, reference, depth: depth) {
                    return "depth \(depth): \(violation)"
                }
                guard node == outline.count else { return "depth \(depth): \(outline.count) nodes, not \(node)" }
            }
            // The same reader, after whatever it has met.
            return (try? outline.read(ByteView("[1]"), depth: 1)) == nil ? "reads nothing after that" : nil
        }
    }

    /// Compares the value at a node with what should stand there, and moves past it.
    private static func nodeViolation(
        _ outline: JSONOutline,
        _ node: inout Int,
        _ wanted: ReferenceJSON,
        depth: Int
    ) -> String? {
        let own = node
        let kind: JSONOutline.Kind =
            switch wanted.kind {
            case .object: .object
            case .array: .array
            case .string: .string
            case .number: .number
            case .literal: .literal
            }
        guard own < outline.count, outline.kind(own) == kind else { return "node \(own) is no \(kind)" }
        guard outline.bytes(own).count == wanted.range.count else {
            return "node \(own) is \(outline.bytes(own).count) long, not \(wanted.range.count)"
        }
        if kind == .string, outline.hasEscapes(own) != wanted.hasEscapes { return "node \(own) has escapes, or not" }
        if kind == .string, outline.inside(own).count != wanted.range.count - 2 { return "node \(own) has no quotes" }
        if kind == .array, outline.children(own) != wanted.children.count { return "node \(own) has other elements" }
        if kind == .object, outline.children(own) * 2 != wanted.children.count {
            return "node \(own) has other members"
        }
        node += 1
        if depth > 0 {
            for child in wanted.children {
                if let violation = nodeViolation(outline, &node, child, depth: depth - 1) { return violation }
            }
        }
        return outline.after(own) == node ? nil : "after node \(own) comes \(outline.after(own)), not \(node)"
    }

    // MARK: A second opinion

    /// What Foundation takes or leaves on its own is not asked for: UTF-16 and byte order marks, a comma too many, numbers out
    /// of range, and more than 512 containers.
    private static func foundationViolation(_ document: [UInt8], _ reference: ReferenceJSON?) -> String? {
        guard !document.contains(0), document.first.map({ $0 < 0x80 }) == true, document.count < 500 else { return nil }
        let text = String(decoding: document, as: UTF8.self)
        guard text.firstMatch(of: /[eE][-+]?[0-9]{3}|[0-9]{30}|,\s*[\]}]/) == nil else { return nil }
        let theirs = try? JSONSerialization.jsonObject(with: Data(document), options: .fragmentsAllowed)
        return (theirs != nil) == (reference != nil)
            ? nil : "Foundation: \(theirs != nil), but JSON: \(reference != nil)"
    }

    // MARK: The extractor

    private static func extractorViolation(
        _ choice: UInt8,
        _ body: [UInt8],
        _ reference: ReferenceJSON?
    ) -> String? {
        let modelProtocol = ModelProtocol.allCases[Int(choice) % ModelProtocol.allCases.count]
        let jsonLength = choice >= 0x80 ? body.count * Int(choice & 0x7f) / 0x60 : nil
        let extractor = PredictionExtractor()
        _ = try? extractor.id(in: body)
        let contentType = choice & 0x40 != 0 ? "application/json" : ""
        guard let seen = try? extractor.see(modelProtocol, body, jsonLength: jsonLength, contentType: contentType)
        else {
            return nil
        }
        for prediction in seen.predictions {
            for text in carried(prediction) where ReferenceJSON.read(Array(text.utf8)) == nil {
                return "\(modelProtocol): no JSON in an event: \(text)"
            }
        }
        if ReferenceJSON.read(Array("{\(seen.extra)}".utf8)) == nil { return "\(modelProtocol): \(seen.extra)" }
        if modelProtocol == .v1, jsonLength == nil, let reference {
            let wanted = v1Values(reference, body)
            guard seen.predictions.map(\.value) == wanted else { return "v1: \(seen.predictions), not \(wanted)" }
        }
        return nil
    }

    /// All that goes into an event as JSON, made complete.
    private static func carried(_ prediction: SeenPrediction) -> [String] {
        var texts = [prediction.value, "{\(prediction.extra)}"]
        texts += [prediction.modelName, prediction.modelVersion, prediction.id].map { "\"\($0)\"" }
        if !prediction.timeTakenInMs.isEmpty { texts.append(prediction.timeTakenInMs) }
        return texts
    }

    /// The elements of `predictions`, or its value; the first of several members of that name counts.
    private static func v1Values(_ answer: ReferenceJSON, _ body: [UInt8]) -> [String] {
        func text(_ value: ReferenceJSON) -> String { String(decoding: body[value.range], as: UTF8.self) }
        let names = stride(from: 0, to: answer.children.count, by: 2)
        guard let name = names.first(where: { text(answer.children[$0]) == "\"predictions\"" }) else { return [] }
        let value = answer.children[name + 1]
        return value.kind == .array ? value.children.map(text) : [text(value)]
    }
}
