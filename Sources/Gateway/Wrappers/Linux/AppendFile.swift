private import Glibc

/// A file open for appending (open(2) with O_APPEND): what one call writes stays together, whoever else writes to it.
///
/// The descriptor does not block. That changes nothing for a regular file; a pipe whose reader has stopped gives
/// `.wouldBlock`, and one without a reader cannot be opened (ENXIO).
final class AppendFile {
    enum Lock { case shared, exclusive }

    let path: String
    let descriptor: Int32
    /// Neither a pipe nor a device nor a socket.
    let isRegular: Bool
    private let device: dev_t
    private let inode: ino_t

    init(path: String) throws(SystemError) {
        var descriptor: Int32
        repeat {
            descriptor = open(path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | O_NONBLOCK | O_NOCTTY, 0o640)
        } while descriptor < 0 && errno == EINTR
        if descriptor < 0 { throw .last("open") }

        var status = stat()
        guard fstat(descriptor, &status) == 0 else {
            let error = SystemError.last("fstat")
            close(descriptor)
            throw error
        }
        self.path = path
        self.descriptor = descriptor
        isRegular = status.st_mode & S_IFMT == S_IFREG
        device = status.st_dev
        inode = status.st_ino
    }

    /// Closes the file, and so gives up its lock.
    deinit { close(descriptor) }

    /// Whether the path still names this file: nobody has renamed or removed it.
    var isNamedByPath: Bool {
        var status = stat()
        return stat(path, &status) == 0 && status.st_dev == device && status.st_ino == inode
    }

    var size: Int {
        get throws(SystemError) {
            var status = stat()
            if fstat(descriptor, &status) != 0 { throw .last("fstat") }
            return Int(status.st_size)
        }
    }

    /// Whether the file's last line has no end: a writer was cut off. False where the file may not be read.
    var endsWithinLine: Bool {
        guard isRegular, let size = try? size, size > 0 else { return false }
        let reader = open(path, O_RDONLY | O_CLOEXEC)
        guard reader >= 0 else { return false }
        defer { close(reader) }
        var last: UInt8 = 0x0a
        return pread(reader, &last, 1, off_t(size - 1)) == 1 && last != 0x0a
    }

    /// No name in the file system leads to this file any more: what is in it is gone when it is closed.
    var isRemoved: Bool {
        var status = stat()
        return isRegular && fstat(descriptor, &status) == 0 && status.st_nlink == 0
    }

    /// The directory in which the file's name stands, links followed; nil: it has none any more.
    var directory: String? {
        guard let real = realpath(path, nil) else { return nil }
        defer { free(real) }
        return FileSystem.directory(of: String(cString: real))
    }

    /// Waits up to so long for the lock (flock(2)), which other openers of the file respect if they take it too.
    ///
    /// - Throws: EWOULDBLOCK where another one has had it for all that time.
    func lock(_ lock: Lock, within nanoseconds: Int64) throws(SystemError) {
        let deadline = Clock.monotonic() + nanoseconds
        while flock(descriptor, (lock == .shared ? LOCK_SH : LOCK_EX) | LOCK_NB) != 0 {
            if errno == EINTR { continue }
            if errno != EWOULDBLOCK || Clock.monotonic() > deadline { throw .last("lock") }
            // A thousandth of a second: others hold it for as long as a write takes.
            var pause = timespec(tv_sec: 0, tv_nsec: 1_000_000)
            nanosleep(&pause, nil)
        }
    }

    func unlock() { flock(descriptor, LOCK_UN) }

    /// Waits until what was written is on the disk (fsync(2)). Pipes and devices have no disk.
    func synchronize() throws(SystemError) {
        if isRegular && fsync(descriptor) != 0 { throw .last("fsync") }
    }
}

@available(*, unavailable)
extension AppendFile: Sendable {}

/// Names in the file system.
enum FileSystem {
    /// Gives a file another name; false where there is no such file.
    @discardableResult
    static func rename(_ path: String, to newPath: String) throws(SystemError) -> Bool {
        if Glibc.rename(path, newPath) == 0 { return true }
        if errno == ENOENT { return false }
        throw .last("rename")
    }

    /// What a file system holds, and what of it this user may still take (statvfs(3)).
    struct Space: Equatable {
        var bytes: Int
        var freeBytes: Int
    }

    /// The space of the file system in which a path stands; nil where it does not say, or has no bound.
    static func space(at path: String) -> Space? {
        var status = statvfs()
        guard statvfs(path, &status) == 0, status.f_blocks > 0 else { return nil }
        let (bytes, overflows) = Int(clamping: status.f_blocks).multipliedReportingOverflow(by: Int(status.f_frsize))
        if overflows { return nil }
        return Space(bytes: bytes, freeBytes: Int(clamping: status.f_bavail) * Int(status.f_frsize))
    }

    /// Empties a file, if it is there (truncate(2)).
    static func empty(_ path: String) throws(SystemError) {
        if truncate(path, 0) != 0 && errno != ENOENT { throw .last("truncate") }
    }

    /// Removes a name, if there is one.
    static func remove(_ path: String) throws(SystemError) {
        if unlink(path) != 0 && errno != ENOENT { throw .last("unlink") }
    }

    static func exists(_ path: String) -> Bool {
        var status = stat()
        return lstat(path, &status) == 0
    }

    /// What comes before the last slash: `.` where there is none.
    static func directory(of path: String) -> String {
        guard let slash = path.lastIndex(of: "/") else { return "." }
        return slash == path.startIndex ? "/" : String(path[..<slash])
    }

    static func isDirectory(_ path: String) -> Bool {
        var status = stat()
        return stat(path, &status) == 0 && status.st_mode & S_IFMT == S_IFDIR
    }
}
