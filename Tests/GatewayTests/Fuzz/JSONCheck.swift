import Foundation

@testable import Gateway

/// What must hold of the JSON outline, of the extractor on it, and of the events that come of it, for any bytes whatever. The
/// tests and the fuzzer ask the same.
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
            ?? extractorViolation(first, document, strict) ?? flowViolation(first, document)
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
        let seen = PredictionExtractor().see(
            modelProtocol,
            body,
            jsonLength: jsonLength,
            contentType: choice & 0x40 != 0 ? "application/json" : "",
            maxPredictions: choice & 0x20 != 0 ? 2 : 1_000
        )
        guard !seen.predictions.isEmpty || seen.unsplit == nil else { return "\(modelProtocol): nothing of it" }
        if modelProtocol == .v1, jsonLength == nil, seen.unsplit == nil, let reference {
            let wanted = v1Values(reference, body)
            guard seen.predictions.map(\.value) == wanted else { return "v1: \(seen.predictions), not \(wanted)" }
        }
        return idViolation(body, reference)
    }

    /// The first member of that name counts.
    private static func idViolation(_ body: [UInt8], _ reference: ReferenceJSON?) -> String? {
        let id = requestId(in: body)
        guard let reference, reference.kind == .object else { return nil }
        let names = stride(from: 0, to: reference.children.count, by: 2)
        let name = names.first { String(decoding: body[reference.children[$0].range], as: UTF8.self) == "\"id\"" }
        let value = name.map { reference.children[$0 + 1] }
        let wanted = value?.kind == .string ? value.map { ReferenceJSON.units(body[$0.range]) } : nil
        return id.map { Array($0.utf16) } == wanted ? nil : "id: \(id ?? "none")"
    }

    // MARK: From the answer to the events

    /// Whatever is asked and answered, events are JSON in which no name comes twice, and so are answers in the native manner.
    private static func flowViolation(_ choice: UInt8, _ body: [UInt8]) -> String? {
        let modelProtocol = ModelProtocol.allCases[Int(choice) % ModelProtocol.allCases.count]
        let modes: [EventPolicy.Capture] = [.none, .input, .body]
        let faces: [Face] = [.native, .v1, .v2]
        let rig = FlowRig(
            modelProtocol,
            policy: EventPolicy(capture: modes[Int(choice >> 2) % 3], maxCaptureBytes: 200)
        )
        let face = faces[Int(choice >> 4) % 3]
        guard let exchange = rig.ask(1, face: face, bytes: body) else { return "not taken" }
        rig.answer(
            exchange,
            bytes: body,
            status: choice & 0x20 == 0 ? 200 : 500,
            contentType: choice & 0x40 == 0 ? "application/json" : "text/plain",
            jsonLength: choice >= 0x80 ? body.count / 2 : nil
        )
        _ = rig.settle()
        guard rig.provider.delivered.count == 1 else { return "\(rig.provider.delivered.count) answers" }
        let events = rig.lane.events
        guard events.map(\.rowIndex) == Array(0..<events.count) else { return "events: \(events)" }
        // Only of a list of none there is none.
        if events.isEmpty, !ReferenceJSON.hasEmptyList(body) { return "no events" }
        for frame in rig.lane.frames {
            let line = Array(frame.dropFirst(EventFrame.headerLength))
            guard let event = ReferenceJSON.read(line) else {
                return "no JSON: \(String(decoding: line, as: UTF8.self))"
            }
            if event.hasDuplicates(in: line) { return "twice: \(String(decoding: line, as: UTF8.self))" }
        }
        let answer = rig.provider.delivered[0]
        // A model's own error is passed on as it is.
        if face == .native, answer.status == 200, ReferenceJSON.read(Array(answer.body.utf8)) == nil {
            return "no JSON is answered: \(answer)"
        }
        return nil
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

extension ReferenceJSON {
    /// Whether a member at the top, or all rows of all outputs, may be none.
    fileprivate static func hasEmptyList(_ body: [UInt8]) -> Bool {
        let text = String(decoding: body, as: UTF8.self)
        return text.contains(/\[\s*\]/) || text.contains(/\[\s*-?0/)
    }
}
