/// A file of lines that is moved aside when it has grown: `path`, `path.1` (the newest), `path.2`, ...
///
/// Several threads and processes may write to one path. Who writes holds a shared lock on the file from the look at the
/// path until the bytes are in, who rotates an exclusive one: so nobody writes to a file that has been moved, and two
/// never rotate at once. Without rotation there are no locks; then the path is looked at about once a second, so that a
/// file moved or removed by others (logrotate) is made anew.
final class RotatingFile {
    /// How often the path is looked at where rotation does not do so anyway.
    private static let lookInterval: Int64 = 1_000_000_000

    let path: String
    private let maxBytes: Int
    private let keep: Int
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
    init(path: String, maxBytes: Int, keep: Int) throws(FileReporterError) {
        self.path = path
        self.maxBytes = maxBytes
        self.keep = keep
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

    private var rotates: Bool { maxBytes > 0 && file.isRegular }

    /// Makes the file ready for a write of so many bytes. If this fails, the present file can be written to
    /// nevertheless.
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
            throw FileReporterError(path: path, error: error)
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

    func synchronize() throws(FileReporterError) {
        do {
            try file.synchronize()
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
        for number in stride(from: free - 1, to: 0, by: -1) {
            try FileSystem.rename("\(path).\(number)", to: "\(path).\(number + 1)")
        }
        // Last, for from here on others find no file at the path and make a new one.
        try FileSystem.rename(path, to: "\(path).1")
    }

    private func lock(_ lock: AppendFile.Lock) throws(SystemError) {
        try file.lock(lock)
        isLocked = true
    }

    /// The old file is closed, and its lock given up, when the new one is there.
    private func openAnew() throws(SystemError) {
        file = try AppendFile(path: path)
        isLocked = false
        // Not looked up: the file may be another writer's, who has just begun on it.
        endsWithinLine = false
    }
}

@available(*, unavailable)
extension RotatingFile: Sendable {}
