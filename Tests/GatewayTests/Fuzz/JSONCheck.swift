import Foundation

@testable import Gateway

/// What must hold of the JSON outline, and of the extractor on it, for any bytes whatever. The tests and the fuzzer ask the same.
enum JSONCheck {
    /// As deep as any protocol's rules look.
    private static let maxDepth = 4
    /// How much the outline reads in one step.
    private static let window = 128 << 10

    /// What is wrong, nil where nothing is.
    ///
    /// - Parameter bytes: the first says which protocol's answer the rest is, and how much of it is JSON.
    static func violation(_ bytes: [UInt8]) -> String? {
        guard let first = bytes.first else { return nil }
        let document = Array(bytes.dropFirst())
        let strict = ReferenceJSON.read(document)
        let withNotFinite = ReferenceJSON.read(document, takesNotFinite: true)
        return outlineViolation(document, strict, JSONOutline.Options(depth: maxDepth))
            ?? outlineViolation(document, strict, JSONOutline.Options(depth: Int(first) % maxDepth))
            ?? outlineViolation(
                document,
                withNotFinite,
                JSONOutline.Options(depth: Int(first) % maxDepth + 1, takesNotFinite: true, skipsScalars: true)
            )
            ?? windowViolation(document, strict, before: Int(first)) ?? foundationViolation(document, strict)
            ?? extractorViolation(first, document, strict)
    }

    // MARK: The outline

    private static func outlineViolation(
        _ document: [UInt8],
        _ reference: ReferenceJSON?,
        _ options: JSONOutline.Options
    ) -> String? {
        let outline = JSONOutline()
        return document.withByteView { view in
            let isRead = (try? outline.read(view, options)) != nil
            guard isRead == (reference != nil) else { return "\(options): \(isRead), but JSON: \(reference != nil)" }
            if let reference {
                var node = 0
                if let violation = nodeViolation(outline, &node, reference, options.depth, options.skipsScalars) {
                    return "\(options): \(violation)"
                }
                guard node == outline.count else { return "\(options): \(outline.count) nodes, not \(node)" }
                guard outline.hasNotFinite == reference.hasNotFinite else { return "\(options): not finite" }
                guard outline.hasDuplicates == reference.hasDuplicates(in: document) else {
                    return "\(options): duplicates: \(outline.hasDuplicates)"
                }
            }
            // The same reader, after whatever it has met.
            return (try? outline.read(ByteView("[1]"), depth: 1)) == nil ? "reads nothing after that" : nil
        }
    }

    /// The same where a step of the outline ends within the document.
    private static func windowViolation(_ document: [UInt8], _ reference: ReferenceJSON?, before: Int) -> String? {
        let space = [UInt8](repeating: 0x20, count: window - before)
        let outline = JSONOutline()
        return (space + document).withByteView { view in
            let isRead = (try? outline.read(view, depth: maxDepth)) != nil
            guard isRead == (reference != nil) else { return "in windows: \(isRead), but JSON: \(reference != nil)" }
            guard let reference else { return nil }
            var node = 0
            if let violation = nodeViolation(outline, &node, reference, maxDepth, false) {
                return "in windows: \(violation)"
            }
            return outline.hasDuplicates == reference.hasDuplicates(in: document) ? nil : "in windows: duplicates"
        }
    }

    /// Compares the value at a node with what should stand there, and moves past it.
    private static func nodeViolation(
        _ outline: JSONOutline,
        _ node: inout Int,
        _ wanted: ReferenceJSON,
        _ depth: Int,
        _ skipsScalars: Bool
    ) -> String? {
        let own = node
        let kind: JSONOutline.Kind =
            switch wanted.kind {
            case .object: .object
            case .array: .array
            case .string: .string
            case .number: .number
            case .literal: .literal
            case .notFinite: .notFinite
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
                // Left to `ElementCursor`.
                let isSkipped =
                    skipsScalars && depth == 1 && kind == .array && child.kind != .object && child.kind != .array
                if isSkipped { continue }
                if let violation = nodeViolation(outline, &node, child, depth - 1, skipsScalars) { return violation }
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
