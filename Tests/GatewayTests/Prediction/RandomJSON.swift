import Foundation
import TestSupport

/// Random JSON text, spelled in all the ways that the grammar has.
struct RandomJSON {
    var generator: SeededGenerator

    init(seed: UInt64) { generator = SeededGenerator(seed: seed) }

    mutating func space() -> String {
        guard generator.chance(15) else { return "" }
        return generator.pick([" ", "  ", "\n", "\t", "\r\n", "    \n  "])
    }

    mutating func number() -> String {
        generator.pick(["", "-"]) + generator.pick(["0", "7", "42", "1000", "98765432109876"])
            + generator.pick(["", "", ".5", ".000", ".123456789"]) + generator.pick(["", "", "", "e2", "E-3", "e+10"])
    }

    /// A string with its quotes.
    mutating func string() -> String {
        let parts = [
            "a", "Z", " ", "é", "漢", "😀", "{", "}", "[", "]", ",", ":", "\u{7f}", "value", "data",
            #"\""#, #"\\"#, #"\/"#, #"\n"#, #"\u00e9"#, #"\ud83d\ude00"#,
            "a longer piece of text that fills a vector register or two, and then some",
        ]
        let length = generator.pick([0, 1, 2, 3, 8, 20])
        return "\"" + (0..<length).map { _ in generator.pick(parts) }.joined() + "\""
    }

    mutating func value(depth: Int = 3) -> String {
        switch generator.below(depth > 0 ? 8 : 5) {
        case 0, 1: return number()
        case 2, 3: return string()
        case 4: return generator.pick(["true", "false", "null"])
        case 5, 6: return array((0..<generator.below(5)).map { _ in value(depth: depth - 1) })
        default:
            return object((0..<generator.below(5)).map { ("k\($0)", value(depth: depth - 1)) })
        }
    }

    mutating func array(_ elements: [String]) -> String {
        "[" + space() + elements.map { $0 + space() }.joined(separator: "," + space()) + "]"
    }

    /// An object of these members, in an order of its own.
    mutating func object(_ members: [(name: String, value: String)]) -> String {
        let shuffled = members.shuffled(using: &generator)
        let texts = shuffled.map { space() + "\"\($0.name)\"" + space() + ":" + space() + $0.value + space() }
        return "{" + texts.joined(separator: ",") + "}"
    }

    /// The same bytes with a few of them changed, lost or doubled.
    mutating func mutate(_ bytes: [UInt8]) -> [UInt8] {
        var bytes = bytes
        for _ in 0...generator.below(3) where !bytes.isEmpty {
            let index = generator.below(bytes.count)
            switch generator.below(6) {
            case 0: bytes[index] ^= 1 << UInt8(generator.below(8))
            case 1: bytes[index] = UInt8(generator.below(256))
            case 2: bytes[index] = generator.pick(Array("{}[],:\"\\-0e.tn ".utf8))
            case 3: bytes.remove(at: index)
            case 4: bytes.insert(generator.pick(Array("{}[],:\"\\19 ".utf8)), at: index)
            default: bytes.removeSubrange(index...)
            }
        }
        return bytes
    }
}

/// A JSON value as Foundation reads it, for comparison; nil where it is not JSON.
func parsed(_ bytes: [UInt8]) -> NSObject? {
    (try? JSONSerialization.jsonObject(with: Data(bytes), options: .fragmentsAllowed)) as? NSObject
}

func parsed(_ text: String) -> NSObject? { parsed(Array(text.utf8)) }
