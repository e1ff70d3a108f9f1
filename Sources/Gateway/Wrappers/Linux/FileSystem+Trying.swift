private import Glibc

// Whether something could be opened, found out without changing anything.
extension FileSystem {
    /// Why a file could not be opened for appending, and made where it is missing; nil: it could.
    static func obstacle(toAppendingTo path: String) -> SystemError? {
        var status = stat()
        guard stat(path, &status) == 0 else {
            return errno == ENOENT ? obstacle(toMakingFilesIn: directory(of: path)) : .last("open")
        }
        let file = open(path, O_WRONLY | O_APPEND | O_CLOEXEC | O_NONBLOCK | O_NOCTTY)
        if file < 0 { return .last("open") }
        close(file)
        return nil
    }

    /// Why no file could be made in a directory; nil: one could.
    static func obstacle(toMakingFilesIn directory: String) -> SystemError? {
        var status = stat()
        if stat(directory, &status) != 0 { return .last("open") }
        if status.st_mode & S_IFMT != S_IFDIR { return SystemError(call: "open", code: ENOTDIR) }
        // With the rights that the process acts with.
        return faccessat(AT_FDCWD, directory, W_OK | X_OK, AT_EACCESS) == 0 ? nil : .last("open")
    }

    /// Bytes that this user can still write where a path leads (statvfs(3)); nil: not known.
    static func freeBytes(at path: String) -> Int? {
        var status = statvfs()
        guard statvfs(path, &status) == 0 else { return nil }
        return Int(clamping: UInt64(status.f_bavail) * UInt64(status.f_frsize))
    }
}
