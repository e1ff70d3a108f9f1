/// Predictions by the name and version that the model stated. One shard writes, any thread reads.
///
/// Models choose these names, so number and length are bounded: what comes after the first `limit` pairs, and what is
/// longer than `maxNameBytes`, counts as `other`. So a shard keeps 128 KiB of them at most.
final class PredictionCounters: @unchecked Sendable {
    // Sendable although it holds plain state: `keys` and `slots` change on the shard's thread only and only under `lock`,
    // which readers take too; the shard reads its own state without it.
    static let limit = 256
    /// The longest name, and the longest version.
    static let maxNameBytes = Prediction.maxNameBytes

    struct Key: Hashable {
        var model: [UInt8]
        var version: [UInt8]
    }

    private var keys: [Key] = []
    private var slots = [Int16](repeating: -1, count: 1024)
    /// The pair that was counted last: mostly it comes again.
    private var last = 0
    private let counts = CounterBlock(count: limit + 1)
    private let lock = Lock()

    /// Counts Predictions of a model. The shard's thread only.
    func count(model: ByteView, version: ByteView, _ amount: Int = 1) {
        if last < keys.count, matches(keys[last], model, version) {
            counts.add(amount, at: last)
            return
        }
        guard model.count <= Self.maxNameBytes, version.count <= Self.maxNameBytes else {
            counts.add(amount, at: Self.limit)
            return
        }
        var slot = (model.keyedHash &+ version.keyedHash &* 31) & (slots.count - 1)
        while slots[slot] >= 0 {
            let index = Int(slots[slot])
            if matches(keys[index], model, version) {
                last = index
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
}
