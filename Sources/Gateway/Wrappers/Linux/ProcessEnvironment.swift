// preconcurrency: environ is a global variable of C; it is read once, before any other thread starts.
@preconcurrency private import Glibc

/// The environment variables of this process (environ(7)).
enum ProcessEnvironment {
    /// A copy of all of them; where a name is there twice, the first one counts, as in getenv(3).
    static func all() -> [String: String] {
        var variables: [String: String] = [:]
        var entry = environ
        while let text = entry.pointee {
            let parts = String(cString: text).split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            if parts.count == 2, variables[String(parts[0])] == nil { variables[String(parts[0])] = String(parts[1]) }
            entry += 1
        }
        return variables
    }
}
