private import Glibc

/// How many descriptors the process may have open (getrlimit(2)).
enum FileDescriptors {
    /// Raises the soft limit to the hard one, and returns what it is then.
    static func raiseLimit() -> Int {
        var limit = rlimit()
        guard getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit) == 0 else { return 1024 }
        if limit.rlim_cur < limit.rlim_max {
            limit.rlim_cur = limit.rlim_max
            setrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit)
            getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit)
        }
        return Int(clamping: limit.rlim_cur)
    }

    /// The soft limit.
    static func limit() -> Int {
        var limit = rlimit()
        guard getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit) == 0 else { return 1024 }
        return Int(clamping: limit.rlim_cur)
    }

    /// How many are open (proc(5), /proc/pid/fd). Milliseconds where there are thousands.
    static func openCount() -> Int {
        // One of them is what it is read by.
        max(((try? Directory.names(in: "/proc/self/fd").count) ?? 4) - 1, 3)
    }
}

/// The name of this machine or container (gethostname(2)).
func hostName() -> String {
    var text = [CChar](repeating: 0, count: 256)
    guard gethostname(&text, text.count - 1) == 0 else { return "localhost" }
    return String(decoding: text.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
}
