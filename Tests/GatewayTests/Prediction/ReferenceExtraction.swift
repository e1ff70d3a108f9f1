import Foundation

@testable import Gateway

/// The rules of the protocols written down a second time, over trees of values that Foundation has read: a second opinion.
enum ReferenceExtraction {
    /// The value of each Prediction; nil: the answer is one, as a whole.
    static func values(_ modelProtocol: ModelProtocol, _ body: String) -> [NSObject]? {
        guard let answer = parsed(body) as? [String: Any] else { return nil }
        switch modelProtocol {
        case .native: return native(answer)
        case .v1:
            guard let predictions = answer["predictions"] else { return nil }
            return (predictions as? [Any] ?? [predictions]).map(object)
        case .v2: return v2(answer)
        case .raw: return [object(answer)]
        }
    }

    private static func object(_ value: Any) -> NSObject { value as? NSObject ?? NSNull() }

    private static func native(_ answer: [String: Any]) -> [NSObject]? {
        guard let predictions = answer["predictions"] as? [Any] else { return answer["value"].map { [object($0)] } }
        let values = predictions.map { ($0 as? [String: Any])?["value"].map(object) }
        return values.contains(nil) ? nil : values.compactMap { $0 }
    }

    private struct Tensor {
        var name: String
        var shape: [Int]
        var data: Any
        /// The rows, where it has any.
        var rows: [NSObject]?
    }

    private static func v2(_ answer: [String: Any]) -> [NSObject]? {
        guard let outputs = answer["outputs"] as? [Any] else { return nil }
        let tensors = outputs.map { ($0 as? [String: Any]).flatMap(tensor) }
        guard !tensors.contains(where: { $0 == nil }) else { return nil }
        let all = tensors.compactMap { $0 }
        guard Set(all.map(\.name)).count == all.count else { return nil }
        guard let first = all.first else { return [] }
        let count = first.rows?.count
        func joined(_ value: (Tensor) -> NSObject) -> NSObject {
            all.count == 1
                ? value(first) : Dictionary(uniqueKeysWithValues: all.map { ($0.name, value($0)) }) as NSDictionary
        }
        guard let count, all.allSatisfy({ $0.rows?.count == count }) else { return [joined { object($0.data) }] }
        return (0..<count).map { row in joined { $0.rows?[row] ?? NSNull() } }
    }

    private static func tensor(_ output: [String: Any]) -> Tensor? {
        guard let shape = output["shape"] as? [Int], shape.allSatisfy({ $0 >= 0 }), let data = output["data"] else {
            return nil
        }
        var tensor = Tensor(name: output["name"] as? String ?? "", shape: shape, data: data)
        guard let count = shape.first else { return tensor }
        guard let list = data as? [Any] else { return nil }
        let width = shape.dropFirst().reduce(1, *)
        if shape.count == 1 {
            guard list.count == count else { return nil }
            tensor.rows = list.map(object)
        } else if list.contains(where: { $0 is [Any] || $0 is [String: Any] }) {
            let fit = list.allSatisfy { [shape[1], width].contains(($0 as? [Any])?.count ?? -1) }
            guard list.count == count, fit else { return nil }
            tensor.rows = list.map(object)
        } else {
            guard list.count == count * width else { return nil }
            tensor.rows = (0..<count).map { Array(list[$0 * width..<($0 + 1) * width]) as NSArray }
        }
        return tensor
    }
}
