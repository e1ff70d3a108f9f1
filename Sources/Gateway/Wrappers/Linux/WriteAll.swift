private import CLinux
private import Glibc

/// Writes all bytes to a descriptor, however many calls it takes and however long; false where that fails (write(2)).
///
/// The descriptor may be one that does not block: standard streams are shared with other processes, and so is O_NONBLOCK.
func writeAll(_ view: ByteView, to descriptor: Int32) -> Bool {
    var rest = view
    while !rest.isEmpty {
        let written = write(descriptor, rest.base, rest.count)
        if written >= 0 {
            rest = rest.dropFirst(written)
        } else if errno == EAGAIN {
            var watched = pollfd(fd: descriptor, events: Int16(POLLOUT), revents: 0)
            if poll(&watched, 1, -1) < 0 && errno != EINTR { return false }
        } else if errno != EINTR {
            return false
        }
    }
    return true
}
