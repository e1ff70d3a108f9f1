/// The time by which a shard's exchanges go: that of the machine, or in a simulation the one that is set.
///
/// Given to the flow and taken from it by the parts around it, so that a test can let seconds pass in no time and the same
/// way each time. Not a protocol, since it is read several times a request: a load and a comparison are all that is added to
/// the call itself. What waits in the kernel or in a library (sockets, librdkafka) goes by `Clock`. Confined to its shard.
final class ShardClock {
    /// Nanoseconds of a simulation's monotonic clock; 0: it is the machine's time.
    private var simulated: Int64
    /// A simulation's wall clock is so far ahead of its monotonic one.
    private let wallOffset: Int64

    /// The clock of the machine.
    init() { (simulated, wallOffset) = (0, 0) }

    /// A clock that stands until it is set.
    ///
    /// - Parameters:
    ///   - start: Above 0.
    ///   - wall: Nanoseconds since 1970-01-01 UTC at that time.
    init(simulatedFrom start: Int64, wall: Int64) {
        precondition(start > 0, "0 stands for the time of the machine")
        (simulated, wallOffset) = (start, wall - start)
    }

    /// For durations and deadlines.
    @inline(__always)
    func monotonic() -> Int64 { simulated == 0 ? Clock.monotonic() : simulated }

    /// For time stamps only.
    func wall() -> Int64 { simulated == 0 ? Clock.wall() : simulated + wallOffset }

    /// Lets simulated time pass.
    func advance(to time: Int64) {
        precondition(simulated > 0 && time >= simulated, "a simulated clock goes forward")
        simulated = time
    }
}

@available(*, unavailable)
extension ShardClock: Sendable {}
