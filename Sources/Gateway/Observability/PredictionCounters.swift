/// Predictions by the name and version that the model stated. One shard writes, any thread reads.
///
/// Models choose these names, so their number is bounded: what comes after the first `limit` pairs counts as `other`.
final class PredictionCounters: @unchecked Sendable {
    // Sendable although it holds plain state: `keys` and `slots` change on the shard's thread only and only under `lock`,
    // which readers take too; the shard reads its own state without it.
    static let limit = 256

    struct Key: Equatable {
        var model: [UInt8]
        var version: [UInt8]
    }

    private var keys: [Key] = []
    private var slots = [Int16](repeating: -1, count: 1024)
    private let counts = CounterBlock(count: limit + 1)
    private let lock = Lock()

    /// Counts Predictions of a model. The shard's thread only.
    func count(model: ByteView, version: ByteView, _ amount: Int = 1) {
        var slot = Self.hash(model, version) & (slots.count - 1)
        while slots[slot] >= 0 {
            let index = Int(slots[slot])
            if matches(keys[index], model, version) {
                counts.add(amount, at: index)
                return
            }
            slot = (slot + 1) & (slots.count - 1)
        }
        guard keys.count < Self.limit else {
            counts.add(amount, at: Self.limit)
            return
        }
        let index = keys.count
        lock.withLock {
            keys.append(Key(model: model.array, version: version.array))
            slots[slot] = Int16(index)
        }
        counts.add(amount, at: index)
    }

    /// All pairs and their counts, and how many Predictions had no place of their own. Any thread.
    func read() -> (pairs: [(key: Key, count: Int)], other: Int) {
        let known = lock.withLock { keys }
        return (known.enumerated().map { ($1, counts.load($0)) }, counts.load(Self.limit))
    }

    private func matches(_ key: Key, _ model: ByteView, _ version: ByteView) -> Bool {
        key.model.withByteView { $0 == model } && key.version.withByteView { $0 == version }
    }

    /// FNV-1a over both texts (draft-eastlake-fnv): short keys, no adversary that gains from collisions.
    private static func hash(_ model: ByteView, _ version: ByteView) -> Int {
        var hash: UInt64 = 0xcbf2_9ce4_8422_2325
        for index in 0..<model.count { hash = (hash ^ UInt64(model[index])) &* 0x100_0000_01b3 }
        hash = (hash ^ 0) &* 0x100_0000_01b3
        for index in 0..<version.count { hash = (hash ^ UInt64(version[index])) &* 0x100_0000_01b3 }
        return Int(truncatingIfNeeded: hash)
    }
}
