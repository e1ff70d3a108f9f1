private import Glibc

/// Pieces of memory that are written together, and how far that has got (writev(2)).
final class GatherList {
    enum Outcome {
        /// The call took some bytes, not necessarily all.
        case progress
        /// The descriptor takes nothing for now.
        case wouldBlock
        case failed(SystemError)
    }

    /// How many pieces Linux takes in one call (IOV_MAX).
    static let maxPiecesAtOnce = 1_024

    private var pieces: [ByteView] = []
    /// The pieces of the next call, as it wants them.
    private let vectors = UnsafeMutablePointer<iovec>.allocate(capacity: GatherList.maxPiecesAtOnce)
    private(set) var byteCount = 0
    /// How many bytes have been written.
    private(set) var written = 0
    /// The first piece that is not wholly written, and how much of it is.
    private var next = 0
    private var writtenOfNext = 0

    init() {}

    deinit { vectors.deallocate() }

    var isWritten: Bool { written == byteCount }

    /// Adds a piece, which must stay as it is until the list is emptied.
    func append(_ view: ByteView) {
        pieces.append(view)
        byteCount += view.count
    }

    /// Adds a piece before the others.
    func insertFirst(_ view: ByteView) {
        precondition(written == 0)
        pieces.insert(view, at: 0)
        byteCount += view.count
    }

    func removeAll() {
        pieces.removeAll(keepingCapacity: true)
        byteCount = 0
        written = 0
        next = 0
        writtenOfNext = 0
    }

    /// Writes what is left, in one call; what begins or ends a call is a whole piece, unless the descriptor took less.
    func write(to descriptor: Int32) -> Outcome {
        var count = 0
        var skip = writtenOfNext
        for piece in pieces[next...].prefix(Self.maxPiecesAtOnce) {
            let rest = piece.dropFirst(skip)
            skip = 0
            vectors[count] = iovec(iov_base: UnsafeMutableRawPointer(mutating: rest.base), iov_len: rest.count)
            count += 1
        }
        let result = writev(descriptor, vectors, Int32(count))
        if result > 0 {
            advance(by: result)
            return .progress
        }
        switch result < 0 ? errno : EIO {
        case EINTR: return .progress
        case EAGAIN: return .wouldBlock
        case let code: return .failed(SystemError(call: "write", code: code))
        }
    }

    private func advance(by length: Int) {
        written += length
        writtenOfNext += length
        while next < pieces.count, writtenOfNext >= pieces[next].count {
            writtenOfNext -= pieces[next].count
            next += 1
        }
    }

    /// How many line feeds are among the bytes that have been written.
    var writtenLines: Int {
        var lines = 0
        for piece in pieces[..<next] { lines += piece.occurrences(of: 0x0a) }
        if writtenOfNext > 0 { lines += pieces[next].prefix(writtenOfNext).occurrences(of: 0x0a) }
        return lines
    }

    /// Whether what has been written stops within a line.
    var endsWithinLine: Bool {
        if writtenOfNext > 0 { return pieces[next][writtenOfNext - 1] != 0x0a }
        guard let last = pieces[..<next].last(where: { !$0.isEmpty }) else { return false }
        return last[last.count - 1] != 0x0a
    }
}

@available(*, unavailable)
extension GatherList: Sendable {}
