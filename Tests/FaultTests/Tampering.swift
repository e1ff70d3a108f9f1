import Foundation
import TestSupport

/// Lets system calls of a running process fail or take long, or writes them down (strace(1)).
final class Tampering {
    /// Sanitizers trace their process at its end, which can have one tracer only.
    static var isPossible: Bool {
        let environment = ProcessInfo.processInfo.environment
        return environment["ASAN_OPTIONS"] == nil && environment["TSAN_OPTIONS"] == nil
            && FileManager.default.isExecutableFile(atPath: "/usr/bin/strace")
    }

    private let tracer: ChildProcess

    /// - Parameter injection: as strace's `--inject` has it, such as `fsync:error=EIO`.
    convenience init(with process: pid_t, _ injection: String) throws {
        let names = String(injection.prefix { $0 != ":" })
        try self.init(process, ["-e", "trace=\(names)", "-e", "inject=\(injection)", "-o", "/dev/null"])
    }

    /// - Parameter delay: of each of these calls, before it is made, in microseconds.
    convenience init(with process: pid_t, tracing names: String, file: String, delay: Int = 0) throws {
        let injection = delay > 0 ? ["-e", "inject=\(names):delay_enter=\(delay)"] : []
        try self.init(process, ["-y", "-e", "trace=\(names)"] + injection + ["-o", file])
    }

    /// One thread alone, by its name.
    convenience init(withThread name: String, of process: pid_t, tracing names: String, file: String, delay: Int) throws
    {
        guard let thread = Self.threads(of: process).first(where: { $0.value == name })?.key else {
            throw TestFailure("there is no thread \(name)")
        }
        let injection = ["-e", "inject=\(names):delay_enter=\(delay)"]
        try self.init(thread, ["-y", "-e", "trace=\(names)"] + injection + ["-o", file], follows: false)
    }

    /// The names of a process's threads.
    static func threads(of process: pid_t) -> [pid_t: String] {
        let path = "/proc/\(process)/task"
        let ids = ((try? FileManager.default.contentsOfDirectory(atPath: path)) ?? []).compactMap { pid_t($0) }
        return ids.reduce(into: [:]) { names, id in
            names[id] = wholeFile("\(path)/\(id)/comm").map { String(decoding: $0.dropLast(), as: UTF8.self) }
        }
    }

    private init(_ process: pid_t, _ arguments: [String], follows: Bool = true) throws {
        let arguments = (follows ? ["-f"] : []) + arguments + ["-p", "\(process)"]
        let tracer = try ChildProcess("/usr/bin/strace", arguments)
        self.tracer = tracer
        let isAttached = eventually { tracer.standardError.contains(" attached") || tracer.exitStatus != nil }
        guard isAttached, tracer.exitStatus == nil else { throw TestFailure("strace: \(tracer.standardError)") }
    }

    /// Lets go of the process, which goes on as if nothing had been.
    func end() {
        tracer.send(signal: SIGINT)
        _ = tracer.waitForExit()
    }

    deinit { end() }
}
