/// Has the allocator give memory back when a burst of large requests and answers is over. One per shard; confined to its thread.
///
/// The allocator keeps what is freed, as it mostly is needed again at once. So a burst is over when, in a second, much less was
/// freed than in all the time before.
final class FreedMemory {
    /// Less is not worth asking for.
    private static let least = 1 << 20

    private var before = 0
    private var lately = 0

    /// A large buffer was freed, or made small.
    func note(_ bytes: Int) { lately += bytes }

    /// Once a second while there is something to do: gives memory back if it is time. Whether there will be more to do.
    func tick() -> Bool {
        let isOver = before >= Self.least && lately < before / 8
        before += lately
        lately = 0
        guard isOver else { return before >= Self.least }
        before = 0
        FreeMemory.giveBack()
        return false
    }
}

@available(*, unavailable)
extension FreedMemory: Sendable {}
