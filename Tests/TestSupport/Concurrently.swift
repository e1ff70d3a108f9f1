import Foundation

/// Runs `body` on `count` threads of their own and returns what they returned, in order; throws the first error.
package func concurrently<Value: Sendable>(
    _ count: Int,
    _ body: @escaping @Sendable (Int) throws -> Value
) throws -> [Value] {
    try startConcurrently(count, body).results()
}

/// Starts `body` on `count` threads of their own; `results()` waits for them.
package func startConcurrently<Value: Sendable>(
    _ count: Int,
    _ body: @escaping @Sendable (Int) throws -> Value
) -> RunningThreads<Value> {
    let running = RunningThreads<Value>(count: count)
    for index in 0..<count {
        startThread(name: "client \(index)") {
            running.finish(index, Result { try body(index) })
        }
    }
    return running
}

/// Threads at work, each of which gives one value.
package final class RunningThreads<Value: Sendable>: Sendable {
    private let finished: Locked<[Int: Result<Value, any Error>]> = Locked([:])
    private let count: Int
    private let allDone = Gate()

    init(count: Int) {
        self.count = count
        if count == 0 { allDone.open() }
    }

    fileprivate func finish(_ index: Int, _ result: Result<Value, any Error>) {
        let done = finished.withLock {
            $0[index] = result
            return $0.count == count
        }
        if done { allDone.open() }
    }

    /// Waits for all; throws the first error, or when they are not done in time.
    package func results(within seconds: Double = 2 * Deadline.standardSeconds) throws -> [Value] {
        guard allDone.wait(Deadline(seconds: seconds)) else {
            throw TestFailure("only \(finished.withLock { $0.count }) of \(count) threads are done")
        }
        let results = finished.withLock { $0 }
        return try (0..<count).map { try results[$0]!.get() }
    }
}

/// A detached thread with a small stack.
func startThread(name: String, _ body: @escaping @Sendable () -> Void) {
    let thread = Thread(block: body)
    thread.name = name
    thread.stackSize = 512 << 10
    thread.start()
}

/// Something that a test could not do, told for people.
package struct TestFailure: Error, CustomStringConvertible {
    package let description: String

    package init(_ description: String) { self.description = description }
}
