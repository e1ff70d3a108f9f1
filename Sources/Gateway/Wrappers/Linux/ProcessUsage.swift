private import Glibc

/// What this process has used of the machine (getrusage(2), proc(5)).
struct ProcessUsage {
    /// User and system.
    var processorNanoseconds: Int
    var residentBytes: Int
    var virtualBytes: Int

    /// Some microseconds.
    static func now() -> ProcessUsage {
        var usage = rusage()
        getrusage(RUSAGE_SELF.rawValue, &usage)
        let pages = memoryPages()
        let pageSize = sysconf(Int32(_SC_PAGESIZE))
        return ProcessUsage(
            processorNanoseconds: nanoseconds(usage.ru_utime) + nanoseconds(usage.ru_stime),
            residentBytes: pages.resident * pageSize,
            virtualBytes: pages.total * pageSize
        )
    }

    private static func nanoseconds(_ time: timeval) -> Int { time.tv_sec * 1_000_000_000 + Int(time.tv_usec) * 1_000 }

    /// The first two numbers of /proc/self/statm; 0 where it can't be read.
    private static func memoryPages() -> (total: Int, resident: Int) {
        let file = open("/proc/self/statm", O_RDONLY | O_CLOEXEC)
        guard file >= 0 else { return (0, 0) }
        defer { close(file) }
        var bytes = [UInt8](repeating: 0, count: 128)
        let count = read(file, &bytes, bytes.count)
        let words = bytes.prefix(max(count, 0)).split(separator: UInt8(ascii: " "))
        let numbers = words.prefix(2).map { Int(String(decoding: $0, as: UTF8.self)) ?? 0 }
        return numbers.count == 2 ? (numbers[0], numbers[1]) : (0, 0)
    }
}
