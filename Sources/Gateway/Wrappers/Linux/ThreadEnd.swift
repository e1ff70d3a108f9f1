private import Glibc

/// That a thread has ended, for another one that does not want to wait for it for ever (pthread_cond_timedwait(3)).
final class ThreadEnd: @unchecked Sendable {
    // Sendable although it holds pointers: what they point to is made for use by any thread.
    private let mutex: UnsafeMutablePointer<pthread_mutex_t>
    private let condition: UnsafeMutablePointer<pthread_cond_t>
    /// Under the mutex.
    private var hasEnded = false

    init() {
        mutex = .allocate(capacity: 1)
        mutex.initialize(to: pthread_mutex_t())
        pthread_mutex_init(mutex, nil)
        condition = .allocate(capacity: 1)
        condition.initialize(to: pthread_cond_t())
        var attributes = pthread_condattr_t()
        pthread_condattr_init(&attributes)
        pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC)
        pthread_cond_init(condition, &attributes)
        pthread_condattr_destroy(&attributes)
    }

    deinit {
        pthread_cond_destroy(condition)
        condition.deallocate()
        pthread_mutex_destroy(mutex)
        mutex.deallocate()
    }

    /// The last thing that the thread does.
    func signal() {
        pthread_mutex_lock(mutex)
        hasEnded = true
        pthread_cond_broadcast(condition)
        pthread_mutex_unlock(mutex)
    }

    /// Waits at most until then, on `Clock.monotonic`. Whether the thread has ended.
    func wait(until deadline: Int64) -> Bool {
        let deadline = max(deadline, 0)
        var time = timespec(tv_sec: Int(deadline / 1_000_000_000), tv_nsec: Int(deadline % 1_000_000_000))
        pthread_mutex_lock(mutex)
        defer { pthread_mutex_unlock(mutex) }
        while !hasEnded && pthread_cond_timedwait(condition, mutex, &time) != ETIMEDOUT {}
        return hasEnded
    }
}
