private import Glibc

/// Pieces of memory that are written with one call, and how far that has got (writev(2)).
final class GatherList {
    enum Outcome {
        /// The call took some bytes, not necessarily all.
        case progress
        /// The descriptor takes nothing for now.
        case wouldBlock
        case failed(SystemError)
    }

    /// Linux takes up to 1024 at a time (IOV_MAX).
    static let maxPieces = 256

    private var pieces: [ByteView] = []
    private(set) var byteCount = 0
    /// How many bytes have been written.
    private(set) var written = 0

    init() { pieces.reserveCapacity(Self.maxPieces + 1) }

    var isFull: Bool { pieces.count >= Self.maxPieces }
    var isWritten: Bool { written == byteCount }

    /// Adds a piece, which must stay as it is until the list is emptied.
    func append(_ view: ByteView) {
        precondition(!isFull)
        pieces.append(view)
        byteCount += view.count
    }

    /// Adds a piece before the others; there is always room for one.
    func insertFirst(_ view: ByteView) {
        precondition(written == 0 && pieces.count <= Self.maxPieces)
        pieces.insert(view, at: 0)
        byteCount += view.count
    }

    func removeAll() {
        pieces.removeAll(keepingCapacity: true)
        byteCount = 0
        written = 0
    }

    /// Writes what is left, in one call.
    func write(to descriptor: Int32) -> Outcome {
        withUnsafeTemporaryAllocation(of: iovec.self, capacity: pieces.count) { vectors in
            var count = 0
            var skip = written
            for piece in pieces {
                let rest = piece.dropFirst(skip)
                skip -= piece.count - rest.count
                guard let base = rest.base else { continue }
                vectors[count] = iovec(iov_base: UnsafeMutableRawPointer(mutating: base), iov_len: rest.count)
                count += 1
            }
            let result = writev(descriptor, vectors.baseAddress, Int32(count))
            if result > 0 {
                written += result
                return .progress
            }
            switch result < 0 ? errno : EIO {
            case EINTR: return .progress
            case EAGAIN: return .wouldBlock
            case let code: return .failed(SystemError(call: "write", code: code))
            }
        }
    }

    /// How many line feeds are among the bytes that have been written.
    var writtenLines: Int {
        var lines = 0
        var rest = written
        for piece in pieces where rest > 0 {
            lines += piece.prefix(rest).occurrences(of: 0x0a)
            rest -= min(rest, piece.count)
        }
        return lines
    }

    /// Whether what has been written stops within a line.
    var endsWithinLine: Bool {
        var rest = written
        for piece in pieces {
            if rest > 0 && rest <= piece.count { return piece[rest - 1] != 0x0a }
            rest -= piece.count
        }
        return false
    }
}

@available(*, unavailable)
extension GatherList: Sendable {}
