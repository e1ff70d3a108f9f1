private import Glibc

/// How much memory this process may have.
enum MemoryLimit {
    /// In bytes: the least of what the control group allows (cgroups(7), memory.max), the limit on the address space (getrlimit(2),
    /// RLIMIT_AS) and what the machine has.
    static func bytes() -> Int {
        var limit = Int.max
        for path in ["/sys/fs/cgroup/memory.max", "/sys/fs/cgroup/memory/memory.limit_in_bytes"] {
            // `max` is no number: there is no limit.
            if let text = SmallFile.read(path), let value = Int(text.prefix { $0.isNumber }) {
                limit = min(limit, value)
            }
        }
        var space = rlimit()
        if getrlimit(__rlimit_resource_t(RLIMIT_AS.rawValue), &space) == 0 {
            limit = min(limit, Int(clamping: space.rlim_cur))
        }
        let pages = sysconf(Int32(_SC_PHYS_PAGES))
        let pageSize = sysconf(Int32(_SC_PAGESIZE))
        if pages > 0, pageSize > 0 { limit = min(limit, pages.multipliedReportingOverflow(by: pageSize).partialValue) }
        return limit
    }
}

/// The small files in which Linux tells about itself.
enum SmallFile {
    /// The first 256 bytes; nil where it cannot be read.
    static func read(_ path: String) -> String? {
        let file = open(path, O_RDONLY | O_CLOEXEC)
        guard file >= 0 else { return nil }
        defer { close(file) }
        var bytes = [UInt8](repeating: 0, count: 256)
        let count = Glibc.read(file, &bytes, bytes.count)
        guard count >= 0 else { return nil }
        return String(decoding: bytes.prefix(count), as: UTF8.self)
    }
}
