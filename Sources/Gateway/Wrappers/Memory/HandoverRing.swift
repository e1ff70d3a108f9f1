import Synchronization

/// A bounded queue from one thread to one other thread, without locks and without allocation.
// Sendable: a slot belongs to the writer until `tail` has passed it, then to the reader until `head` has passed it.
final class HandoverRing<Element: AnyObject & Sendable>: @unchecked Sendable {
    private let slots: UnsafeMutablePointer<Element?>
    private let mask: Int
    /// How many were ever taken; written by the reader.
    private let head = Atomic<Int>(0)
    /// How many were ever put; written by the writer.
    private let tail = Atomic<Int>(0)

    /// A ring for at least `capacity` elements.
    init(capacity: Int) {
        var size = 1
        while size < capacity { size *= 2 }
        slots = .allocate(capacity: size)
        slots.initialize(repeating: nil, count: size)
        mask = size - 1
    }

    deinit {
        slots.deinitialize(count: mask + 1)
        slots.deallocate()
    }

    /// Puts an element at the end, or returns false where the ring is full. For the writer.
    func put(_ element: Element) -> Bool {
        let position = tail.load(ordering: .relaxed)
        guard position - head.load(ordering: .acquiring) <= mask else { return false }
        slots[position & mask] = element
        // Sequentially consistent for the same reason as in `HandoverChunk.append`.
        tail.store(position + 1, ordering: .sequentiallyConsistent)
        return true
    }

    /// How many elements wait. For the reader; more may come at any time.
    var count: Int { tail.load(ordering: .sequentiallyConsistent) - head.load(ordering: .relaxed) }

    /// An element that waits, the first being 0. For the reader.
    subscript(index: Int) -> Element {
        precondition(index >= 0 && index < count, "index out of range")
        return slots[(head.load(ordering: .relaxed) + index) & mask].unsafelyUnwrapped
    }

    /// Takes the first element, or returns nil where none waits. For the reader.
    func take() -> Element? {
        let position = head.load(ordering: .relaxed)
        guard tail.load(ordering: .acquiring) > position else { return nil }
        let element = slots[position & mask].take()
        head.store(position + 1, ordering: .releasing)
        return element
    }
}
