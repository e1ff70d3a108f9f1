private import Glibc

/// The signals that the process answers to, taken one after the other by the main thread.
enum Signals {
    enum Signal {
        case terminate, interrupt, hangUp
        /// SIGUSR1 and SIGUSR2: for the log.
        case user1, user2

        var endsProcess: Bool { self == .terminate || self == .interrupt }
    }

    /// Blocks our signals in this thread and in all that it starts, and ignores SIGPIPE. Before the first thread.
    static func prepare() {
        signal(SIGPIPE, SIG_IGN)
        var set = ours
        pthread_sigmask(SIG_BLOCK, &set, nil)
    }

    /// Waits for the next signal; nil when `timeout` is over first.
    static func wait(timeoutMilliseconds: Int? = nil) -> Signal? {
        var set = ours
        while true {
            let number: Int32
            if let timeoutMilliseconds {
                var time = timespec(
                    tv_sec: timeoutMilliseconds / 1000,
                    tv_nsec: timeoutMilliseconds % 1000 * 1_000_000
                )
                number = sigtimedwait(&set, nil, &time)
                if number < 0 && errno == EAGAIN { return nil }
            } else {
                number = sigwaitinfo(&set, nil)
            }
            switch number {
            case SIGTERM: return .terminate
            case SIGINT: return .interrupt
            case SIGHUP: return .hangUp
            case SIGUSR1: return .user1
            case SIGUSR2: return .user2
            default: continue  // interrupted by a signal that is not ours
            }
        }
    }

    /// Until one comes that ends the process.
    static func waitForEnd() {
        while wait()?.endsProcess != true {}
    }

    private static var ours: sigset_t {
        var set = sigset_t()
        sigemptyset(&set)
        for signal in [SIGTERM, SIGINT, SIGHUP, SIGUSR1, SIGUSR2] { sigaddset(&set, signal) }
        return set
    }
}

extension Signals {
    /// Makes the main thread end the process in order. Any thread.
    static func raiseTerminate() { kill(getpid(), SIGTERM) }
}
