private import CLinux
private import Glibc

/// What the allocator keeps.
enum FreeMemory {
    /// Gives free memory of this thread back to the system. Takes a millisecond and more: after a burst, not after a request.
    static func giveBack() { CLinux_collect_memory() }
}

/// How much memory this process may have.
enum MemoryLimit {
    /// In bytes: the least of what its control groups allow (cgroups(7)), half of the limit on its address space (getrlimit(2),
    /// RLIMIT_AS: code, stacks and what allocators have only reserved count there, too), and what the machine has.
    static func bytes() -> Int {
        var limit = Int.max
        for file in controlGroupFiles(SmallFile.read("/proc/self/cgroup") ?? "") {
            // `max` is no number: there is no limit.
            if let text = SmallFile.read(file), let value = Int(text.prefix { $0.isNumber }) {
                limit = min(limit, value)
            }
        }
        var space = rlimit()
        if getrlimit(__rlimit_resource_t(RLIMIT_AS.rawValue), &space) == 0 {
            if space.rlim_cur != rlim_t.max { limit = min(limit, Int(clamping: space.rlim_cur / 2)) }
        }
        let (pages, pageSize) = (sysconf(Int32(_SC_PHYS_PAGES)), sysconf(Int32(_SC_PAGESIZE)))
        if pages > 0, pageSize > 0 { limit = min(limit, pages.multipliedReportingOverflow(by: pageSize).partialValue) }
        return limit
    }

    /// The files that hold the limits of a process's groups, those around them included, by its `/proc/self/cgroup`: of version 2
    /// (`0::/path`) and of version 1 (`4:memory:/path`). In a container the path may be that of the host, so that only the root
    /// is there, and is the container's own.
    static func controlGroupFiles(_ membership: String) -> [String] {
        var files: [String] = []
        for line in membership.split(separator: "\n") {
            let parts = line.split(separator: ":", maxSplits: 2, omittingEmptySubsequences: false)
            guard parts.count == 3 else { continue }
            let (root, name): (String, String)
            if parts[1].isEmpty {
                (root, name) = ("/sys/fs/cgroup", "memory.max")
            } else if parts[1].split(separator: ",").contains("memory") {
                (root, name) = ("/sys/fs/cgroup/memory", "memory.limit_in_bytes")
            } else {
                continue
            }
            var path = ""
            files.append("\(root)/\(name)")
            for part in parts[2].split(separator: "/") {
                path += "/" + part
                files.append("\(root)\(path)/\(name)")
            }
        }
        return files
    }
}

/// The small files in which Linux tells about itself.
enum SmallFile {
    /// The first 4 KiB; nil where it cannot be read.
    static func read(_ path: String) -> String? {
        let file = open(path, O_RDONLY | O_CLOEXEC)
        guard file >= 0 else { return nil }
        defer { close(file) }
        var bytes = [UInt8](repeating: 0, count: 4_096)
        let count = Glibc.read(file, &bytes, bytes.count)
        guard count >= 0 else { return nil }
        return String(decoding: bytes.prefix(count), as: UTF8.self)
    }
}
