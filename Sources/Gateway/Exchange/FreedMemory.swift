/// Has the allocator give memory back when a burst of large requests and answers is over. One per shard; confined to its thread.
///
/// The allocator keeps what is freed, as it mostly is needed again at once. So a burst is over when, in a second, much less was
/// freed than in all the time before.
final class FreedMemory {
    /// Less is not worth asking for.
    private static let least = 1 << 20
    /// Nanoseconds.
    private static let interval: Int64 = 1_000_000_000

    /// The room of long bodies, which goes back with the rest.
    let longBuffers = LongBuffers()
    private let clock: ShardClock
    private var before = 0
    private var lately = 0
    /// When it is looked again, in nanoseconds of the monotonic clock; nil: nothing was freed since.
    private(set) var nextLook: Int64?

    init(clock: ShardClock) { self.clock = clock }

    /// A large buffer was freed, or made small.
    func note(_ bytes: Int) {
        guard bytes > 0 else { return }
        lately += bytes
        if nextLook == nil { nextLook = clock.monotonic() + Self.interval }
    }

    /// Gives memory back if it is time.
    func expire(now: Int64) {
        guard let nextLook, nextLook <= now else { return }
        let isOver = before >= Self.least && lately < before / 8
        before += lately
        lately = 0
        if isOver {
            before = 0
            longBuffers.removeSpare()
            FreeMemory.giveBack()
        }
        self.nextLook = before >= Self.least ? now + Self.interval : nil
    }
}

@available(*, unavailable)
extension FreedMemory: Sendable {}
