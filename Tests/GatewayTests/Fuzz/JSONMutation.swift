import TestSupport

/// Changes to answers of models that mostly leave them JSON.
enum JSONMutation {
    private static let words = [
        "{", "}", "[", "]", ",", ":", "\"", "\\", "\\u00e9", "\\ud83d", "\\ude00", "0", "-1", "1e5", "1.5", "true",
        "null",
        " ", "\n", "\u{e9}", "\u{1f600}", "[]", "{}", "[[1,2],[3,4]]", "\"a\":", "\"predictions\":", "\"value\":",
        "\"outputs\":[", "\"name\":\"a\",", "\"shape\":[2],", "\"shape\":[2,2],", "\"datatype\":\"FP32\",",
        "\"data\":[1,2]", "\"parameters\":{\"binary_data_size\":8}", "\"model_name\":\"m\",", "\"id\":\"i\",",
        "\"modelName\":", "\"modelVersion\":", "\"timeTakenInMs\":", "NaN", "-Infinity", "99999999999",
        "{\"outputs\":[{\"name\":\"a\",\"shape\":[1],\"datatype\":\"FP32\",\"data\":[1]}]}",
    ]
    .map { Array($0.utf8) }

    /// - Parameter other: an answer that parts may be taken from.
    static func mutate(_ bytes: inout [UInt8], _ random: inout SeededGenerator, other: [UInt8]) {
        let start = random.below(bytes.count + 1)
        let end = min(bytes.count, start + random.below(random.pick([2, 10, 100])))
        switch random.below(7) {
        case 0 where start < bytes.count: bytes[start] ^= 1 << UInt8(random.below(8))
        case 1 where start < bytes.count: bytes[start] = UInt8(random.below(256))
        case 2: bytes.removeSubrange(start..<end)
        case 3: bytes.insert(contentsOf: bytes[start..<end], at: start)
        case 4:
            bytes.replaceSubrange(start..<end, with: other[random.below(other.count + 1)...].prefix(random.below(80)))
        default: bytes.replaceSubrange(start..<(random.chance(70) ? start : end), with: random.pick(words))
        }
    }
}
