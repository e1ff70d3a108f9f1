/// Writes the log's lines on a thread of its own, in order.
///
/// Standard error may be a pipe that nobody reads, a terminal that stands still, a file on a disk that does not answer. Who
/// logs must wait for none of them: a shard would serve nobody meanwhile. So lines wait in memory, and where too many wait,
/// the next ones are lost, which a line says in their place. A process that is killed loses what waits.
final class LogWriter: @unchecked Sendable {
    // Sendable although `writing` and `unsaid` are plain state: only the writer's thread touches them.

    /// The most bytes of lines that wait. As many again may be with the thread, which is all the memory there is.
    static let maxWaitingBytes = 256 << 10

    private struct State {
        var waiting = ByteBuffer(capacity: 4 << 10)
        /// Lines that found no room. While there are any, no other line is taken: they would seem to follow each other.
        var lost = 0
        /// The thread has nothing to do and waits.
        var isIdle = false
    }

    private let state = LockedValue(State())
    private let work: EventFD
    private let rest: EventFD
    /// Writes a line, however long it takes; false: it is lost.
    private let write: (ByteView) -> Bool
    /// Makes the line, with its end, that says how many are missing in its place.
    private let describeLoss: (Int, ByteBuffer) -> Void
    private var writing = ByteBuffer(capacity: 4 << 10)
    /// Lines that were lost and not yet spoken of.
    private var unsaid = 0

    /// Starts the thread, which runs for as long as the process.
    init(
        write: @escaping @Sendable (ByteView) -> Bool,
        describeLoss: @escaping @Sendable (Int, ByteBuffer) -> Void
    ) throws(SystemError) {
        self.write = write
        self.describeLoss = describeLoss
        work = try EventFD()
        rest = try EventFD()
        try ThreadHandle(name: "log") { [self] in run() }.detach()
    }

    /// Takes a line with its end, to be written soon. Any thread; never waits.
    func append(_ line: ByteView) {
        let wakes = state.withLock { state in
            if state.lost == 0, state.waiting.count + line.count <= Self.maxWaitingBytes {
                state.waiting.append(line)
            } else {
                state.lost += 1
            }
            defer { state.isIdle = false }
            return state.isIdle
        }
        if wakes { work.signal() }
    }

    /// Waits until all lines are written; false where that takes longer than this. One thread, at its end.
    func finish(within limit: Duration) -> Bool {
        let deadline = Clock.monotonic() + limit.nanoseconds
        while true {
            if state.withLock({ $0.isIdle }) { return true }
            let left = deadline - Clock.monotonic()
            if left <= 0 { return false }
            rest.wait(nanoseconds: left)
        }
    }

    // MARK: The thread

    private func run() {
        while true {
            let lost = take()
            if writing.isEmpty, lost == 0 {
                rest.signal()
                work.wait(nanoseconds: nil)
                continue
            }
            writeLines()
            // Those that found no room came after all that was taken.
            unsaid += lost
            tellLoss()
        }
    }

    /// Takes over the lines that wait; how many found no room since.
    private func take() -> Int {
        writing.removeAll(keepingAtMost: 4 << 10)
        return state.withLock { state in
            swap(&state.waiting, &writing)
            defer { state.lost = 0 }
            state.isIdle = writing.isEmpty && state.lost == 0
            return state.lost
        }
    }

    /// One call for each: what other processes write to the same pipe does not come between (pipe(7), PIPE_BUF).
    private func writeLines() {
        var start = 0
        while let end = writing.view.firstIndex(of: UInt8(ascii: "\n"), from: start) {
            tellLoss()
            if !write(writing[start..<(end + 1)]) { unsaid += 1 }
            start = end + 1
        }
    }

    private func tellLoss() {
        guard unsaid > 0 else { return }
        let line = ByteBuffer(capacity: 256)
        describeLoss(unsaid, line)
        if withExtendedLifetime(line, { write(line.view) }) { unsaid = 0 }
    }
}
