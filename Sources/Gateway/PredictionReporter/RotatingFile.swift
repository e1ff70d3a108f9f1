/// A file of lines that is moved aside when it has grown: `path`, `path.1` (the newest), `path.2`, ...
///
/// Several threads and processes may write to one path. Who writes holds a shared lock on the file from the look at the
/// path until the bytes are in, who rotates an exclusive one: so nobody writes to a file that has been moved, and two
/// never rotate at once. Without rotation there are no locks; then the path is looked at about once a second, so that a
/// file moved or removed by others (logrotate) is made anew. `isRemoved`, after a write, tells the rest: whether what was
/// written has no name any more.
final class RotatingFile {
    /// What becomes of the oldest file when there are as many as may be.
    enum Oldest {
        case isReplaced
        /// The same; how many lines it had is counted in `replacedLines`.
        case isReplacedAndCounted
        /// Nothing more is written before somebody has moved it away.
        case stays
    }

    /// How often the path is looked at where rotation does not do so anyway.
    private static let lookInterval: Int64 = 1_000_000_000
    /// How long to wait for a lock. Others hold it for as long as a write takes; who holds it for longer is an error.
    private static let lockNanoseconds: Int64 = 500_000_000

    let path: String
    private let maxBytes: Int
    private let keep: Int
    private let oldest: Oldest
    /// The name of the file, or of one that was moved aside, may be in memory only.
    private var hasNewNames = true
    /// How many lines have been given up with the oldest file.
    private(set) var replacedLines = 0
    private var file: AppendFile
    private var isLocked = false
    private var lastLook: Int64

    /// The file's last line was cut off, by us or by a writer before us: the next line must begin with a line feed.
    var endsWithinLine: Bool

    /// Opens the file, or makes it.
    ///
    /// - Parameters:
    ///   - maxBytes: A write that would take the file past this goes to a new one; 0: no rotation. One write may be
    ///     larger alone.
    ///   - keep: How many old files stay.
    init(path: String, maxBytes: Int, keep: Int, oldest: Oldest = .isReplaced) throws(FileReporterError) {
        self.path = path
        self.maxBytes = maxBytes
        self.keep = keep
        self.oldest = oldest
        do {
            file = try AppendFile(path: path)
        } catch {
            throw FileReporterError(path: path, error: error)
        }
        endsWithinLine = file.endsWithinLine
        lastLook = Clock.monotonic()
    }

    /// For `GatherList.write(to:)`, between `prepare` and `finish`.
    var descriptor: Int32 { file.descriptor }

    /// What was written since `prepare` is in a file that was removed meanwhile, and so lost when that is closed.
    var isRemoved: Bool { file.isRemoved }

    private var rotates: Bool { maxBytes > 0 && file.isRegular }

    /// Makes the file ready for a write of so many bytes. If this fails, the present file can be written to nevertheless,
    /// except where it is full.
    func prepare(for byteCount: Int) throws(FileReporterError) {
        do {
            if rotates {
                try lockAndRotate(for: byteCount)
            } else if file.isRegular {
                let now = Clock.monotonic()
                guard now - lastLook >= Self.lookInterval else { return }
                lastLook = now
                if !file.isNamedByPath { try openAnew() }
            }
        } catch {
            finish()
            throw error == .fileTooLarge ? FileReporterError(full: path) : FileReporterError(path: path, error: error)
        }
    }

    /// Ends what `prepare` began.
    func finish() {
        guard isLocked else { return }
        file.unlock()
        isLocked = false
    }

    /// Opens what the path names now.
    func reopen() throws(FileReporterError) {
        do {
            try openAnew()
        } catch {
            throw FileReporterError(path: path, error: error)
        }
        endsWithinLine = file.endsWithinLine
    }

    /// Waits until what was written is on the disk, and the names under which it is found.
    func synchronize() throws(FileReporterError) {
        do {
            try file.synchronize()
            if hasNewNames, file.isRegular, let directory = file.directory {
                try Directory.synchronize(directory)
                hasNewNames = false
            }
        } catch {
            throw FileReporterError(path: path, error: error)
        }
    }

    private func lockAndRotate(for byteCount: Int) throws(SystemError) {
        while true {
            try lock(.shared)
            if !file.isNamedByPath {
                try openAnew()
                continue
            }
            let isTooLong = try isTooLong(for: byteCount)
            if !isTooLong { return }
            // Going from the shared to the exclusive lock lets others in between: so all is looked at again.
            try lock(.exclusive)
            if file.isNamedByPath {
                let isStillTooLong = try self.isTooLong(for: byteCount)
                if isStillTooLong { try moveAside() }
            }
            try openAnew()
        }
    }

    private func isTooLong(for byteCount: Int) throws(SystemError) -> Bool {
        let size = try file.size
        return size > 0 && size + byteCount > maxBytes
    }

    private func moveAside() throws(SystemError) {
        guard keep > 0 else { return try FileSystem.remove(path) }
        // Up to the first number that is free, or the last one allowed, whose file is replaced.
        var free = 1
        while free < keep && FileSystem.exists("\(path).\(free)") { free += 1 }
        switch oldest {
        case .isReplaced: break
        case .isReplacedAndCounted: replacedLines += Self.countLines("\(path).\(free)")
        case .stays: if FileSystem.exists("\(path).\(free)") { throw .fileTooLarge }
        }
        for number in stride(from: free - 1, to: 0, by: -1) {
            try FileSystem.rename("\(path).\(number)", to: "\(path).\(number + 1)")
        }
        // Last, for from here on others find no file at the path and make a new one.
        try FileSystem.rename(path, to: "\(path).1")
    }

    /// How many lines a file has; none where it is not there or cannot be read.
    private static func countLines(_ path: String) -> Int {
        guard let file = try? RandomAccessFile(path: path, .read) else { return 0 }
        let piece = ByteBuffer(capacity: 256 << 10)
        var (lines, offset) = (0, 0)
        while true {
            piece.removeAll()
            try? file.read(into: piece, at: offset, upTo: 256 << 10)
            if piece.isEmpty { return lines }
            lines += piece.view.occurrences(of: 0x0a)
            offset += piece.count
        }
    }

    private func lock(_ lock: AppendFile.Lock) throws(SystemError) {
        try file.lock(lock, within: Self.lockNanoseconds)
        isLocked = true
    }

    /// The old file is closed, and its lock given up, when the new one is there.
    private func openAnew() throws(SystemError) {
        file = try AppendFile(path: path)
        hasNewNames = true
        isLocked = false
        // Not looked up: the file may be another writer's, who has just begun on it.
        endsWithinLine = false
    }
}

@available(*, unavailable)
extension RotatingFile: Sendable {}
