private import CLinux
private import Glibc

/// Wakes a thread that waits in poll(2) or epoll(7) (eventfd(2)).
final class EventFD: Sendable {
    let descriptor: Int32

    init() throws(SystemError) {
        descriptor = eventfd(0, Int32(EFD_CLOEXEC | EFD_NONBLOCK))
        if descriptor < 0 { throw .last("eventfd") }
    }

    deinit { close(descriptor) }

    /// Wakes the waiting thread, or lets its next wait return at once. From any thread.
    func signal() {
        var one: UInt64 = 1
        // EAGAIN means that the counter is full: the waiter will wake in any case.
        while write(descriptor, &one, 8) < 0 && errno == EINTR {}
    }

    /// Takes back the signals given so far.
    func clear() {
        var count: UInt64 = 0
        while read(descriptor, &count, 8) < 0 && errno == EINTR {}
    }

    /// Waits for a signal, or until `writable`, a descriptor, takes bytes; then clears the signal. nil: no time limit.
    func wait(nanoseconds: Int64?, orUntilWritable writable: Int32 = -1) {
        // A negative descriptor is passed over by ppoll(2).
        var watched = (
            pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0),
            pollfd(fd: writable, events: Int16(POLLOUT), revents: 0)
        )
        withUnsafeMutableBytes(of: &watched) { bytes in
            let list = bytes.baseAddress.unsafelyUnwrapped.assumingMemoryBound(to: pollfd.self)
            // A signal handler may end the wait early: every caller looks again at what it waits for.
            _ = CLinux_ppoll(list, 2, nanoseconds.map { max($0, 0) } ?? -1)
        }
        if watched.0.revents != 0 { clear() }
    }
}
