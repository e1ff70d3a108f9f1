import Synchronization

/// A row of counters that one thread writes and any thread reads.
///
/// A single writer needs no read-modify-write: it loads and stores, which costs what a plain addition costs.
final class CounterBlock: @unchecked Sendable {
    // Sendable although it holds a pointer: the memory is allocated once, freed in deinit, and holds atomics only.
    private let storage: UnsafeMutablePointer<Atomic<Int>>
    let count: Int

    init(count: Int) {
        self.count = count
        storage = .allocate(capacity: count)
        for index in 0..<count { (storage + index).initialize(to: Atomic(0)) }
    }

    deinit {
        storage.deinitialize(count: count)
        storage.deallocate()
    }

    /// Adds to a counter. The writer's thread only.
    @inline(__always)
    func add(_ amount: Int, at index: Int) {
        precondition(index >= 0 && index < count, "counter index out of range")
        let value = storage[index].load(ordering: .relaxed)
        storage[index].store(value &+ amount, ordering: .relaxed)
    }

    /// The present value. Any thread.
    func load(_ index: Int) -> Int {
        precondition(index >= 0 && index < count, "counter index out of range")
        return storage[index].load(ordering: .relaxed)
    }
}
