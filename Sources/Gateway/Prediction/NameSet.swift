/// The names of an object's members, or of an answer's tensors, to find those that come twice. Used again and again.
///
/// A name counts as what it says: `"\u0061"` is `"a"`. Whoever chooses the names cannot make it slow.
final class NameSet {
    private static let fewSlots = 64

    private let texts = ByteBuffer(capacity: 256)
    private var names: [Range<Int>] = []
    /// Indices of `names`; -1: free. A power of two of them, at least twice as many as there are names.
    private var slots = [Int32](repeating: -1, count: fewSlots)

    func removeAll() {
        if slots.count > Self.fewSlots {
            slots = [Int32](repeating: -1, count: Self.fewSlots)
        } else if !names.isEmpty {
            for place in slots.indices { slots[place] = -1 }
        }
        texts.removeAll(keepingAtMost: 64 << 10)
        names.removeAll(keepingCapacity: names.capacity <= 1 << 10)
    }

    /// Takes in a name, the inside of a JSON string; false where it was in.
    func insert(_ name: ByteView, hasEscapes: Bool) -> Bool {
        let start = texts.count
        if hasEscapes { texts.append(unescaping: name) } else { texts.append(name) }
        let text = texts[start..<texts.count]
        let place = find(text)
        guard slots[place] < 0 else {
            texts.truncate(to: start)
            return false
        }
        names.append(start..<texts.count)
        if names.count * 2 > slots.count {
            grow()
        } else {
            slots[place] = Int32(names.count - 1)
        }
        return true
    }

    /// The slot of a name, or the free one that it would get.
    private func find(_ text: ByteView) -> Int {
        var place = text.keyedHash & (slots.count - 1)
        while slots[place] >= 0, !(texts[names[Int(slots[place])]] == text) { place = (place + 1) & (slots.count - 1) }
        return place
    }

    private func grow() {
        slots = [Int32](repeating: -1, count: slots.count * 2)
        for (index, name) in names.enumerated() { slots[find(texts[name])] = Int32(index) }
    }
}

@available(*, unavailable)
extension NameSet: Sendable {}
