import Synchronization

/// How much memory the request bodies of all shards may take together (server.maxInFlightBytes), unfinished ones included.
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
