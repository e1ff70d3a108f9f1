import TestSupport

@testable import Gateway

/// Frames, spelled without the code that is checked: docs/decisions/0006-spool.md says what they consist of.
enum SpoolFrame {
    /// How a version of the frame is laid out.
    struct Layout: Equatable {
        let mark: [UInt8]
        let headerLength: Int
        /// From where on the second word counts.
        let countedFrom: Int
        let parts: Range<Int>
        /// The word behind the checksum, where it says what the frame is.
        let about: [UInt8]

        static let first = Layout(
            mark: Array("AMEV".utf8),
            headerLength: 64,
            countedFrom: 64,
            parts: 16..<64,
            about: []
        )
        static let second = Layout(
            mark: Array("AMEF".utf8),
            headerLength: 100,
            countedFrom: 16,
            parts: 20..<100,
            about: [2, 1, 100, 0]
        )
        static let all = [first, second]
    }

    /// What stands in a place.
    enum Kind: Equatable { case readable, later }

    /// What whole frame begins there, and how long it is; nil: none does.
    static func look(_ bytes: [UInt8], at start: Int) -> (kind: Kind, length: Int)? {
        guard bytes.count - start >= 20 else { return nil }
        guard let layout = Layout.all.first(where: { bytes[start..<start + 4].elementsEqual($0.mark) }) else {
            return nil
        }
        let length = layout.countedFrom + word(bytes, start + 4)
        guard length >= 20, length <= bytes.count - start else { return nil }
        guard bytes[start + 8..<start + 16].elementsEqual(checksum(Array(bytes[start + 16..<start + length]))) else {
            return nil
        }
        if layout == .second, bytes[start + 16] > 2 || bytes[start + 16] == 2 && bytes[start + 17] != 1 {
            return (.later, length)
        }
        guard bytes[(start + 16)...].starts(with: layout.about) else { return nil }
        // What it says of its parts must fit, and the line end as one.
        let line = length - layout.headerLength
        guard line > 0, bytes[start + length - 1] == 0x0a else { return nil }
        let isSound = stride(from: layout.parts.lowerBound, to: layout.parts.upperBound, by: 8).allSatisfy {
            word(bytes, start + $0) + word(bytes, start + $0 + 4) <= line
        }
        return isSound ? (.readable, length) : nil
    }

    /// A frame with this line, its line feed included, of which the parts stand there.
    static func make(_ layout: Layout = .second, line: [UInt8], parts: [Range<Int>] = []) -> [UInt8] {
        var bytes = layout.mark + [UInt8](repeating: 0, count: layout.headerLength - 4) + line
        set(&bytes, 4, bytes.count - layout.countedFrom)
        for (offset, byte) in layout.about.enumerated() { bytes[16 + offset] = byte }
        for (index, part) in parts.enumerated() {
            set(&bytes, layout.parts.lowerBound + 8 * index, part.lowerBound)
            set(&bytes, layout.parts.lowerBound + 8 * index + 4, part.count)
        }
        seal(&bytes)
        return bytes
    }

    /// A frame of so many bytes, with zeros for its line.
    static func make(_ layout: Layout = .second, length: Int) -> [UInt8] {
        make(layout, line: [UInt8](repeating: 0, count: length - layout.headerLength - 1) + [0x0a])
    }

    /// A frame as a later program may write it, whose line this one may not touch.
    static func makeLater(version: UInt8 = 3, kind: UInt8 = 1, line: [UInt8] = Array("{}\n".utf8)) -> [UInt8] {
        var bytes = make(line: line)
        bytes[16] = version
        bytes[17] = kind
        // It may have more parts.
        bytes.insert(contentsOf: [UInt8](repeating: 1, count: 60), at: 100)
        bytes[18] = 160
        set(&bytes, 4, bytes.count - 16)
        seal(&bytes)
        return bytes
    }

    /// Gives what looks like the beginning of a frame the checksum of all that follows, as far as it says that it reaches.
    static func seal(_ bytes: inout [UInt8], at start: Int = 0) {
        let layout = Layout.all.first { bytes[start...].starts(with: $0.mark) } ?? .second
        guard bytes.count - start >= layout.headerLength else { return }
        bytes.replaceSubrange(start..<start + 4, with: layout.mark)
        let most = bytes.count - start - layout.countedFrom
        if word(bytes, start + 4) > most { set(&bytes, start + 4, most) }
        let length = layout.countedFrom + word(bytes, start + 4)
        guard length >= 16 else { return }
        if length > layout.headerLength { bytes[start + length - 1] = 0x0a }
        bytes.replaceSubrange(start + 8..<start + 16, with: checksum(Array(bytes[start + 16..<start + length])))
    }

    /// What a cursor's file holds.
    static func cursor(_ position: Int64) -> [UInt8] {
        let place = (0..<8).map { UInt8(truncatingIfNeeded: position >> (8 * $0)) }
        return place + sum(place)
    }

    static func set(_ bytes: inout [UInt8], _ index: Int, _ word: Int) {
        for offset in 0..<4 { bytes[index + offset] = UInt8(truncatingIfNeeded: word >> (8 * offset)) }
    }

    private static func word(_ bytes: [UInt8], _ index: Int) -> Int {
        (0..<4).reduce(0) { $0 | Int(bytes[index + $1]) << (8 * $1) }
    }

    private static func sum(_ bytes: [UInt8]) -> [UInt8] {
        let sum = bytes.withByteView { Checksum.xxh3($0) }
        return (0..<8).map { UInt8(truncatingIfNeeded: sum >> (8 * $0)) }
    }

    private static func checksum(_ bytes: [UInt8]) -> [UInt8] {
        let sum = sum(bytes)
        // 0 would mean that there is none.
        return sum.allSatisfy { $0 == 0 } ? [1] + sum.dropFirst() : sum
    }
}

/// Changes to files of events that leave some of them events.
enum SpoolMutation {
    /// - Parameter other: content that parts may be taken from.
    static func mutate(_ bytes: inout [UInt8], _ random: inout SeededGenerator, other: [UInt8]) {
        let start = random.below(bytes.count + 1)
        let end = min(bytes.count, start + random.below(random.pick([2, 10, 100])))
        switch random.below(7) {
        case 0 where start < bytes.count: bytes[start] = UInt8(random.below(256))
        case 1: bytes.removeSubrange(start..<end)
        case 2: bytes.insert(contentsOf: bytes[start..<end], at: start)
        case 3: bytes.insert(contentsOf: other.prefix(random.below(other.count + 1)), at: start)
        case 4: bytes.insert(contentsOf: frame(&random), at: max(start, min(4, bytes.count)))
        default:
            // One that was changed is whole again.
            let marks = bytes.indices.filter { index in
                SpoolFrame.Layout.all.contains { bytes[index...].starts(with: $0.mark) }
            }
            if !marks.isEmpty { SpoolFrame.seal(&bytes, at: random.pick(marks)) }
        }
    }

    /// An event, of some version.
    private static func frame(_ random: inout SeededGenerator) -> [UInt8] {
        if random.chance(20) {
            return SpoolFrame.makeLater(version: UInt8(random.below(5)), kind: UInt8(random.below(4)))
        }
        let layout = random.pick(SpoolFrame.Layout.all)
        var frame = SpoolFrame.make(layout, length: layout.headerLength + 1 + random.below(40))
        for place in stride(from: layout.parts.lowerBound, to: layout.parts.upperBound, by: 4)
        where random.chance(30) {
            SpoolFrame.set(&frame, place, random.pick([0, 1, 8, 40, 0xffff_ffff]))
        }
        SpoolFrame.seal(&frame)
        return frame
    }
}
