import CLinux
import Foundation

/// Something to wait for that one thread opens for all: a descriptor, so that it can be waited for beside a socket.
package final class Gate: @unchecked Sendable {
    // Sendable: the descriptor never changes and eventfd(2) may be used from any thread.
    let descriptor: Int32

    package init() {
        descriptor = eventfd(0, Int32(EFD_NONBLOCK | EFD_CLOEXEC))
        precondition(descriptor >= 0, "eventfd: \(errorText())")
    }

    deinit { close(descriptor) }

    /// Lets everybody through, now and later.
    package func open() { eventfd_write(descriptor, 1) }

    package var isOpen: Bool {
        var entry = pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)
        return poll(&entry, 1, 0) == 1
    }

    /// False when the gate stayed shut.
    package func wait(_ deadline: Deadline = Deadline()) -> Bool {
        var entry = pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)
        while true {
            let result = poll(&entry, 1, deadline.remainingMilliseconds())
            if result == 1 { return true }
            if result == 0 && deadline.hasPassed { return false }
            if result < 0 && errno != EINTR { return false }
        }
    }
}

/// What errno says.
func errorText(_ code: Int32 = errno) -> String { String(cString: strerror(code)) }
