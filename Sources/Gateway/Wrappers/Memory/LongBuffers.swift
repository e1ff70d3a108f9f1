/// The room of requests' long bodies that go on as they come, used again and again: fetched from the allocator for each, its pages
/// came anew, which cost more than the copying. One per shard; confined to its thread.
final class LongBuffers {
    /// The capacity of each.
    static let bytes = 256 << 10
    /// No more are kept for the next ones.
    private static let maxSpare = 64

    private var spare: [ByteBuffer] = []
    /// Those whose room is lent have that of a borrower instead.
    private var holders: [ByteBuffer] = []

    /// Gives a buffer that is empty the room of a long one; `takeBack` follows.
    func lend(to buffer: ByteBuffer) {
        let holder = spare.popLast() ?? ByteBuffer(capacity: Self.bytes)
        holder.removeAll()
        holder.swap(with: buffer)
        holders.append(holder)
    }

    /// Takes the room back, and with it what the buffer has.
    func takeBack(from buffer: ByteBuffer) {
        guard let holder = holders.popLast() else { preconditionFailure("room is taken back that was lent") }
        holder.swap(with: buffer)
        buffer.removeAll()
        if spare.count < Self.maxSpare, holder.capacity == Self.bytes { spare.append(holder) }
    }

    /// Frees what is kept.
    func removeSpare() { spare.removeAll() }
}

@available(*, unavailable)
extension LongBuffers: Sendable {}
