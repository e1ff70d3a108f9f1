import Synchronization

/// How much memory the bodies of requests and answers may take together, over all shards and unfinished ones included
/// (server.maxInFlightBytes).
final class BodyMemoryLimit: Sendable {
    private let left: Atomic<Int>

    init(bytes: Int) { left = Atomic(bytes) }

    fileprivate func take(_ bytes: Int) -> Bool {
        if left.subtract(bytes, ordering: .relaxed).newValue >= 0 { return true }
        left.add(bytes, ordering: .relaxed)
        return false
    }

    fileprivate func giveBack(_ bytes: Int) { left.add(bytes, ordering: .relaxed) }
}

/// A shard's part of that memory, fetched and given back in large pieces, so that small bodies touch nothing shared. Confined to
/// its shard.
final class BodyMemory {
    /// So much is kept at hand, and fetched at once.
    private static let piece = 1 << 20

    private let limit: BodyMemoryLimit
    private var spare = 0

    init(_ limit: BodyMemoryLimit) { self.limit = limit }

    /// Lends so many bytes; false where they are not to be had.
    func take(_ bytes: Int) -> Bool {
        if bytes > spare {
            let missing = bytes - spare
            // Near the limit, as much as is needed may be there though a piece is not.
            if limit.take(missing + Self.piece) {
                spare += missing + Self.piece
            } else if limit.take(missing) {
                spare += missing
            } else {
                return false
            }
        }
        spare -= bytes
        return true
    }

    func giveBack(_ bytes: Int) {
        spare += bytes
        guard spare > 2 * Self.piece else { return }
        limit.giveBack(spare - Self.piece)
        spare = Self.piece
    }
}

@available(*, unavailable)
extension BodyMemory: Sendable {}

/// What the body of one answer has borrowed of that memory: nothing while it is short.
struct BodyLoan {
    /// Up to so many bytes a body is not counted, and its room is kept for the next one.
    static let freeBytes = 64 << 10

    private var bytes = 0
    private var taken = 0

    /// Makes room for `more` bytes past the end of `body`, of which `expected` are certain to come; false where there is no
    /// memory for them.
    ///
    /// - Parameter copies: How many bodies of that length there will be.
    mutating func makeRoom(
        in body: ByteBuffer,
        _ more: Int,
        expected: Int,
        copies: Int,
        from memory: BodyMemory
    ) -> Bool {
        let needed = body.count + more
        guard needed > Self.freeBytes, needed > bytes else { return true }
        // All at once, where that is known: so of several that grow together some come to their end. Else as a buffer grows.
        let wanted = expected > 0 ? max(needed, body.count + expected) : 2 * needed
        guard memory.take((wanted - bytes) * copies) else { return false }
        taken += (wanted - bytes) * copies
        bytes = wanted
        body.reserve(total: wanted)
        return true
    }

    /// Gives all back; how many bytes that were. The body must be let go of, or be made short.
    mutating func end(_ memory: BodyMemory) -> Int {
        defer { self = BodyLoan() }
        if taken > 0 { memory.giveBack(taken) }
        return taken
    }
}
