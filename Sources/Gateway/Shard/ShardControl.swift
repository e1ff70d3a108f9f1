import Synchronization

/// What other threads may ask of a shard, and what it tells them. The shard's inbox: an eventfd wakes its loop.
final class ShardControl: Sendable {
    let wake: EventFD
    private let orders = Atomic<Int>(0)
    private let drained = Atomic<Bool>(false)

    /// What is asked; each is asked once and stays.
    struct Orders: OptionSet {
        let rawValue: Int
        /// Accept no more connections, finish what is in flight.
        static let drain = Orders(rawValue: 1)
        /// End the calls that are still out, then stop.
        static let stop = Orders(rawValue: 2)
    }

    init() throws(SystemError) { wake = try EventFD() }

    // MARK: Any thread

    func order(_ orders: Orders) {
        self.orders.bitwiseOr(orders.rawValue, ordering: .acquiringAndReleasing)
        wake.signal()
    }

    /// Whether a draining shard has nothing in flight any longer.
    var isDrained: Bool { drained.load(ordering: .acquiring) }

    // MARK: The shard's thread

    func takeOrders() -> Orders {
        wake.clear()
        return Orders(rawValue: orders.load(ordering: .acquiring))
    }

    func setDrained() { drained.store(true, ordering: .releasing) }
}
