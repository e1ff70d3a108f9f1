private import CLinux
private import Glibc

/// A thread of ours (pthread_create(3)), to be joined or detached exactly once.
final class ThreadHandle: Sendable {
    private let thread: pthread_t
    private let end = ThreadEnd()

    /// Starts a thread that runs `body`.
    ///
    /// - Parameter name: shown by ps and top; at most 15 bytes count.
    ///
    /// All signals but those of faults are blocked in it: they belong to the main thread, and a write to a broken pipe
    /// gives EPIPE where it would end the process.
    init(name: String, body: sending @escaping () -> Void) throws(SystemError) {
        var blocked = sigset_t()
        var previous = sigset_t()
        sigfillset(&blocked)
        for fault in [SIGSEGV, SIGBUS, SIGILL, SIGFPE, SIGTRAP, SIGABRT, SIGSYS] { sigdelset(&blocked, fault) }
        // The new thread inherits the mask.
        pthread_sigmask(SIG_BLOCK, &blocked, &previous)
        defer { pthread_sigmask(SIG_SETMASK, &previous, nil) }

        let start = Unmanaged.passRetained(ThreadStart(name: name, end: end, body: body))
        var thread = pthread_t()
        let code = pthread_create(
            &thread,
            nil,
            { argument in
                // Takes over the reference that the creator retained.
                let start = Unmanaged<ThreadStart>.fromOpaque(argument.unsafelyUnwrapped).takeRetainedValue()
                CLinux_set_thread_name(start.name)
                start.body()
                start.end.signal()
                return nil
            },
            start.toOpaque()
        )
        guard code == 0 else {
            // No thread will take the reference.
            start.release()
            throw SystemError(call: "pthread_create", code: code)
        }
        self.thread = thread
    }

    /// Waits for the end of the thread.
    func join() { pthread_join(thread, nil) }

    /// Waits for the end of the thread, but not beyond that, on `Clock.monotonic`. False where it has not come: the thread may
    /// be waited for again, or is left to itself by `detach`.
    func join(until deadline: Int64) -> Bool {
        guard end.wait(until: deadline) else { return false }
        join()
        return true
    }

    /// Leaves the thread to itself.
    func detach() { pthread_detach(thread) }

    /// Lets other threads that wait for this processor go first (sched_yield(2)); returns at once where none does.
    static func yieldProcessor() { sched_yield() }
}

/// What a new thread begins with; handed over to it whole.
private final class ThreadStart {
    let name: String
    let end: ThreadEnd
    let body: () -> Void

    init(name: String, end: ThreadEnd, body: sending @escaping () -> Void) {
        self.end = end
        // Linux refuses names of more than 15 bytes altogether.
        self.name = String(decoding: name.utf8.prefix(15), as: UTF8.self)
        self.body = body
    }
}
