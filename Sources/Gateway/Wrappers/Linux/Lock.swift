private import Glibc

/// A lock for what is off the request path (pthread_mutex_lock(3)).
///
/// Not the standard library's Mutex: ThreadSanitizer does not see what that one hands over, and reports races that are none.
final class Lock: @unchecked Sendable {
    // Sendable although it holds a pointer: what it points to is made for use by any thread.
    private let mutex: UnsafeMutablePointer<pthread_mutex_t>

    init() {
        mutex = .allocate(capacity: 1)
        mutex.initialize(to: pthread_mutex_t())
        pthread_mutex_init(mutex, nil)
    }

    deinit {
        pthread_mutex_destroy(mutex)
        mutex.deallocate()
    }

    func withLock<Result>(_ body: () throws -> Result) rethrows -> Result {
        pthread_mutex_lock(mutex)
        defer { pthread_mutex_unlock(mutex) }
        return try body()
    }
}

/// A value that is touched under a lock only.
final class LockedValue<Value>: @unchecked Sendable {
    // Sendable: the value is touched under the lock only.
    private let lock = Lock()
    private var value: Value

    init(_ value: Value) { self.value = value }

    func withLock<Result>(_ body: (inout Value) throws -> Result) rethrows -> Result {
        try lock.withLock { try body(&value) }
    }
}
