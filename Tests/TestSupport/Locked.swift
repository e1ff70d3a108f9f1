import Foundation

/// A value behind a lock. (The standard library's Mutex hides its hand-over from ThreadSanitizer, which then reports races
/// that are none; this one is made of a pthread mutex, which it knows.)
package final class Locked<Value>: @unchecked Sendable {
    // Sendable: the value is touched under the lock only.
    private let lock = NSLock()
    private var value: Value

    package init(_ value: Value) { self.value = value }

    package func withLock<Result>(_ body: (inout Value) throws -> Result) rethrows -> Result {
        lock.lock()
        defer { lock.unlock() }
        return try body(&value)
    }
}
