import TestSupport

/// Changes to bytes: some are other bytes, missing, doubled, or of another input, and words of their language come in.
///
/// A fuzzer that knows bytes alone hardly ever puts two words together that only both at once make a difference.
struct ByteMutation {
    let words: [[UInt8]]

    init(words: [String]) { self.words = words.map { Array($0.utf8) } }

    /// - Parameter other: an input that parts may be taken from.
    func mutate(_ bytes: inout [UInt8], _ random: inout SeededGenerator, other: [UInt8]) {
        let start = random.below(bytes.count + 1)
        let end = min(bytes.count, start + random.below(random.pick([2, 10, 100])))
        switch random.below(7) {
        case 0 where start < bytes.count: bytes[start] ^= 1 << UInt8(random.below(8))
        case 1 where start < bytes.count: bytes[start] = UInt8(random.below(256))
        case 2: bytes.removeSubrange(start..<end)
        case 3: bytes.insert(contentsOf: bytes[start..<end], at: start)
        case 4: bytes.replaceSubrange(start..., with: other[random.below(other.count + 1)...])
        case 5:
            bytes.replaceSubrange(start..<end, with: other[random.below(other.count + 1)...].prefix(random.below(80)))
        default: bytes.replaceSubrange(start..<(random.chance(60) ? start : end), with: random.pick(words))
        }
    }
}

/// The same for what consists of lines, which come, go and are doubled, too.
struct LineMutation {
    private let lines: [[UInt8]]
    private let bytes: ByteMutation

    init(lines: [String], words: [String]) {
        self.lines = lines.map { Array($0.utf8) }
        bytes = ByteMutation(words: words)
    }

    func mutate(_ text: inout [UInt8], _ random: inout SeededGenerator, other: [UInt8]) {
        let place = lineStart(in: text, from: random.below(text.count + 1))
        switch random.below(9) {
        case 0: text.removeSubrange(place..<lineStart(in: text, from: place))
        case 1: text.insert(contentsOf: random.pick(lines), at: random.chance(20) ? 0 : place)
        // One behind the other.
        case 2: text += other
        default: bytes.mutate(&text, &random, other: other)
        }
    }

    private func lineStart(in bytes: [UInt8], from start: Int) -> Int {
        (bytes[start...].firstIndex(of: UInt8(ascii: "\n")) ?? bytes.count - 1) + 1
    }
}
