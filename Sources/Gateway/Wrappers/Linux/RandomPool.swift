private import CLinux
private import Glibc

/// Random numbers from the kernel, fetched 4 KiB at a time (getrandom(2)). One per shard.
///
/// For ids and jitter. Not for keys: numbers yet to be handed out lie in memory.
final class RandomPool {
    private static let size = 4096

    private let bytes = ByteBuffer(capacity: RandomPool.size)
    private var used = RandomPool.size

    /// The next 64 random bits.
    func next() -> UInt64 {
        if used == Self.size { refill() }
        defer { used += 8 }
        return UnsafeRawPointer(bytes.base).load(fromByteOffset: used, as: UInt64.self)
    }

    private func refill() {
        bytes.removeAll()
        while bytes.count < Self.size {
            bytes.append(upTo: Self.size - bytes.count) { free in
                let got = getrandom(free, Self.size - bytes.count, 0)
                // With these arguments the call fails only by a signal (EINTR), or on a kernel without it (before
                // 3.17).
                precondition(got >= 0 || errno == EINTR, "getrandom(2) failed")
                return max(got, 0)
            }
        }
        used = 0
    }
}

@available(*, unavailable)
extension RandomPool: Sendable {}
