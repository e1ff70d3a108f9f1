private import Glibc

/// The two clocks of the machine, in nanoseconds.
enum Clock {
    /// CLOCK_MONOTONIC: for durations and deadlines; never goes back (clock_gettime(2)).
    static func monotonic() -> Int64 { read(CLOCK_MONOTONIC) }

    /// CLOCK_REALTIME: nanoseconds since 1970-01-01 UTC, for time stamps only.
    static func wall() -> Int64 { read(CLOCK_REALTIME) }

    private static func read(_ clock: clockid_t) -> Int64 {
        var time = timespec()
        clock_gettime(clock, &time)
        return Int64(time.tv_sec) * 1_000_000_000 + Int64(time.tv_nsec)
    }
}
