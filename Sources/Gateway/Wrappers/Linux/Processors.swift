private import CLinux
private import Glibc

/// How much processor this process may use.
enum Processors {
    /// The processors of the affinity mask (sched_getaffinity(2)), bounded by the control group's quota, at least 1.
    static func available() -> Int {
        let allowed = max(Int(CLinux_available_processors()), 1)
        guard let quota = quota() else { return allowed }
        return max(min(allowed, quota), 1)
    }

    /// Whole processors that the control group's CPU quota pays for, rounded up; nil without a quota.
    private static func quota() -> Int? {
        if let text = SmallFile.read("/sys/fs/cgroup/cpu.max") { return quota(cpuMax: text) }
        if let quota = SmallFile.read("/sys/fs/cgroup/cpu/cpu.cfs_quota_us"),
            let period = SmallFile.read("/sys/fs/cgroup/cpu/cpu.cfs_period_us")
        {
            return Self.quota(cpuMax: quota + " " + period)
        }
        return nil
    }

    /// Reads `QUOTA PERIOD` in microseconds, where QUOTA may be `max` or -1 (cgroups(7), cpu.max).
    static func quota(cpuMax text: String) -> Int? {
        let words = text.split(whereSeparator: \.isWhitespace)
        guard words.count == 2, let quota = Int(words[0]), let period = Int(words[1]), quota > 0, period > 0 else {
            return nil
        }
        return (quota + period - 1) / period
    }
}
