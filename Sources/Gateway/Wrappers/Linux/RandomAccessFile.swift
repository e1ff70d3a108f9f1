private import Glibc

/// A regular file that is read and written at any place, by any number of threads (pread(2), pwrite(2)).
final class RandomAccessFile: Sendable {
    enum Access {
        case read
        /// Read and written; made where it is missing.
        case update
        /// Written; made where it is missing, emptied where it is not.
        case create
        /// Written; must not be there yet.
        case new
    }

    private let descriptor: Int32

    init(path: String, _ access: Access) throws(SystemError) {
        let flags =
            switch access {
            case .read: O_RDONLY
            case .update: O_RDWR | O_CREAT
            case .create: O_WRONLY | O_CREAT | O_TRUNC
            case .new: O_WRONLY | O_CREAT | O_EXCL
            }
        var descriptor: Int32
        repeat { descriptor = open(path, flags | O_CLOEXEC | O_NOFOLLOW, 0o640) } while descriptor < 0 && errno == EINTR
        if descriptor < 0 { throw .last("open") }
        self.descriptor = descriptor
    }

    /// Closes the file, and so gives up its lock.
    deinit { close(descriptor) }

    var size: Int {
        get throws(SystemError) {
            var status = stat()
            if fstat(descriptor, &status) != 0 { throw .last("fstat") }
            return Int(status.st_size)
        }
    }

    /// No name in the file system leads to this file any more.
    var isRemoved: Bool {
        var status = stat()
        return fstat(descriptor, &status) == 0 && status.st_nlink == 0
    }

    /// Appends to `buffer` what stands from `offset` on: `length` bytes, fewer only where the file ends.
    func read(into buffer: ByteBuffer, at offset: Int, upTo length: Int) throws(SystemError) {
        var left = length
        var offset = offset
        while left > 0 {
            buffer.reserve(left)
            let count = pread(descriptor, buffer.base + buffer.count, left, off_t(offset))
            if count == 0 { return }
            if count < 0 {
                if errno == EINTR { continue }
                throw .last("read")
            }
            buffer.append(upTo: left) { _ in count }
            left -= count
            offset += count
        }
    }

    /// Writes all the bytes to `offset`. Where it fails, some of them may stand there.
    func write(_ view: ByteView, at offset: Int) throws(SystemError) {
        var written = 0
        while written < view.count, let base = view.base {
            let count = pwrite(descriptor, base + written, view.count - written, off_t(offset + written))
            if count < 0 {
                if errno == EINTR { continue }
                throw .last("write")
            }
            written += count
        }
    }

    /// Cuts off what stands from `length` on.
    func truncate(to length: Int) throws(SystemError) {
        if ftruncate(descriptor, off_t(length)) != 0 { throw .last("ftruncate") }
    }

    /// Waits until what was written is on the disk, and the file's length (fdatasync(2)).
    func synchronize() throws(SystemError) {
        if fdatasync(descriptor) != 0 { throw .last("fdatasync") }
    }

    /// Takes the file's lock for this opener alone (flock(2)); false where another one has it.
    func tryLock() throws(SystemError) -> Bool {
        while flock(descriptor, LOCK_EX | LOCK_NB) != 0 {
            if errno == EWOULDBLOCK { return false }
            if errno != EINTR { throw .last("flock") }
        }
        return true
    }
}
