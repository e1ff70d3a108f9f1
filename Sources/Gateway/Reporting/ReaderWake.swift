import Synchronization

/// How shards wake a Reporter's thread: with a system call only where it sleeps.
final class ReaderWake: Sendable {
    /// For threads that wait for other descriptors too: becomes readable when somebody wakes the reader.
    let event: EventFD
    /// The reader waits, and the next one who brings something must wake it.
    private let readerSleeps = Atomic<Bool>(false)
    /// On `Clock.monotonic`; 0: nothing has come since it was last taken.
    private let oldestArrival = Atomic<Int64>(0)

    init() throws(SystemError) { event = try EventFD() }

    // MARK: Any thread

    /// Tells that events have come, after they can be seen: wakes the reader if it sleeps for want of events.
    func eventsCame() {
        if oldestArrival.load(ordering: .relaxed) == 0 {
            oldestArrival.store(Clock.monotonic(), ordering: .relaxed)
        }
        // The shard publishes, then looks here; the reader sets this, then looks for events. In one order of all four
        // (hence sequentially consistent), at least one of them sees what the other did.
        guard readerSleeps.load(ordering: .sequentiallyConsistent) else { return }
        if readerSleeps.exchange(false, ordering: .sequentiallyConsistent) { event.signal() }
    }

    /// Wakes the reader, whatever it waits for.
    func signal() { event.signal() }

    // MARK: The reader's thread

    /// When the oldest of the waiting events came, on `Clock.monotonic`, and begins anew. Before gathering; nil where shards
    /// have only just brought some.
    func takeOldestArrival() -> Int64? {
        let arrival = oldestArrival.exchange(0, ordering: .relaxed)
        return arrival == 0 ? nil : arrival
    }

    /// Waits until events come or `signal` is called, at most so long (nil: no limit).
    func waitForEvents(nanoseconds: Int64? = nil, unless hasEvents: () -> Bool) {
        if beginSleep(unless: hasEvents) { event.wait(nanoseconds: nanoseconds) }
        endSleep()
    }

    /// For a reader that waits by itself, with `event` among what it waits for: false where it should not wait.
    func beginSleep(unless hasEvents: () -> Bool) -> Bool {
        readerSleeps.store(true, ordering: .sequentiallyConsistent)
        return !hasEvents()
    }

    func endSleep() { readerSleeps.store(false, ordering: .sequentiallyConsistent) }

    /// Waits for a time, or until `signal` is called, or until a descriptor takes bytes. Events that come do not end it.
    func pause(nanoseconds: Int64, orUntilWritable descriptor: Int32 = -1) {
        event.wait(nanoseconds: nanoseconds, orUntilWritable: descriptor)
    }
}
