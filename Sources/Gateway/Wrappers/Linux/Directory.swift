private import Glibc

/// Directories in the file system.
enum Directory {
    /// Makes a directory, unless it is there (false); the one above it must be there (mkdir(2)).
    @discardableResult
    static func make(_ path: String) throws(SystemError) -> Bool {
        if mkdir(path, 0o750) == 0 { return true }
        let error = SystemError.last("mkdir")
        if error.code == EEXIST && FileSystem.isDirectory(path) { return false }
        throw error
    }

    /// What stands in a directory, in order of the names, without `.` and `..` (readdir(3)).
    static func names(in path: String) throws(SystemError) -> [String] {
        guard let stream = opendir(path) else { throw .last("opendir") }
        defer { closedir(stream) }
        var names: [String] = []
        while true {
            errno = 0
            guard let entry = readdir(stream) else {
                if errno != 0 { throw .last("readdir") }
                return names.sorted()
            }
            let name = withUnsafePointer(to: &entry.pointee.d_name) { pointer in
                ByteView(cString: UnsafeRawPointer(pointer).assumingMemoryBound(to: CChar.self)).string
            }
            if name != "." && name != ".." { names.append(name) }
        }
    }

    /// Removes a directory that is empty, if it is there (rmdir(2)).
    static func remove(_ path: String) throws(SystemError) {
        if rmdir(path) != 0 && errno != ENOENT { throw .last("rmdir") }
    }

    /// Waits until the names in a directory are on the disk (fsync(2)).
    static func synchronize(_ path: String) throws(SystemError) {
        let descriptor = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        if descriptor < 0 { throw .last("open") }
        defer { close(descriptor) }
        // EINVAL: a file system that knows no such thing, some of FUSE for one. There is nothing to wait for.
        if fsync(descriptor) != 0 && errno != EINVAL { throw .last("fsync") }
    }
}
