package import Foundation

/// Held while a child starts, and while a descriptor is made that is not yet close-on-exec: a connection that lived on
/// in a child would not end.
let inheritance = NSLock()

/// How a process ended.
package enum ExitStatus: Sendable, Equatable {
    case code(Int32)
    case signal(Int32)
}

/// A process that a test started. Its output goes into files; it is killed, by its id, with the last reference to it.
///
/// It is also killed when it has lived for too long: whatever a test waits for is then over, so that one that hangs fails and
/// does not hold up all the others. (A time limit of a suite would count the time for which its tests wait for their turn.)
package final class ChildProcess: Sendable {
    /// In seconds: no test takes nearly so long. Those that are to go on for long, and sanitized builds, have more.
    package static let lifetime: Double = {
        let environment = ProcessInfo.processInfo.environment
        let isPatient = [
            "ASAN_OPTIONS", "TSAN_OPTIONS", "AMERON_OUTAGE_SECONDS", "AMERON_KILL_ROUNDS", "AMERON_BUDGETS",
        ]
        .contains { environment[$0] != nil }
        return isPatient ? 3_600 : 300
    }()

    package let id: pid_t
    private let isForgotten = Gate()
    private let directory: TemporaryDirectory
    private let status: Locked<ExitStatus?> = Locked(nil)
    private let outputPath: String
    private let errorPath: String

    /// - Parameters:
    ///   - environment: set beside what the tests themselves run with, of which nothing named AMERON_ is passed on.
    ///   - errorPipe: where its standard error goes in place of a file.
    ///   - lifetime: after so many seconds it is killed.
    package init(
        _ executable: String,
        _ arguments: [String],
        environment: [String: String] = [:],
        directory: TemporaryDirectory = TemporaryDirectory(),
        errorPipe: TestPipe? = nil,
        lifetime: Double = ChildProcess.lifetime
    ) throws {
        self.directory = directory
        let name = "process-\(UInt32.random(in: 0 ... .max))"
        outputPath = directory.file("\(name).out")
        errorPath = directory.file("\(name).err")

        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        defer { posix_spawn_file_actions_destroy(&actions) }
        posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0)
        posix_spawn_file_actions_addopen(&actions, 1, outputPath, O_WRONLY | O_CREAT | O_APPEND, 0o600)
        if let errorPipe {
            posix_spawn_file_actions_adddup2(&actions, errorPipe.writer, 2)
        } else {
            posix_spawn_file_actions_addopen(&actions, 2, errorPath, O_WRONLY | O_CREAT | O_APPEND, 0o600)
        }
        // The test runner may block signals on its threads; a child would inherit that.
        var attributes = posix_spawnattr_t()
        posix_spawnattr_init(&attributes)
        defer { posix_spawnattr_destroy(&attributes) }
        var noSignals = sigset_t()
        sigemptyset(&noSignals)
        posix_spawnattr_setsigmask(&attributes, &noSignals)
        posix_spawnattr_setflags(&attributes, Int16(POSIX_SPAWN_SETSIGMASK))

        let inherited = ProcessInfo.processInfo.environment.filter { !$0.key.hasPrefix("AMERON_") }
        let variables = inherited.merging(environment) { $1 }.map { "\($0.key)=\($0.value)" }
        var id = pid_t()
        let code = withCStrings([executable] + arguments) { argv in
            withCStrings(variables) { envp in
                inheritance.withLock { posix_spawn(&id, executable, &actions, &attributes, argv, envp) }
            }
        }
        guard code == 0 else { throw TestFailure("cannot start \(executable): \(errorText(code))") }
        self.id = id
        let isForgotten = isForgotten
        startThread(name: "limit of \(id)") { [weak self] in
            if !isForgotten.wait(Deadline(seconds: lifetime)) { self?.end(after: lifetime) }
        }
    }

    /// It has lived for too long.
    private func end(after seconds: Double) {
        guard exitStatus == nil else { return }
        kill(id, SIGKILL)
        guard let file = FileHandle(forWritingAtPath: errorPath) else { return }
        file.seekToEndOfFile()
        file.write(Data("killed by the tests, since it ran for \(seconds) s\n".utf8))
    }

    deinit {
        isForgotten.open()
        if exitStatus == nil {
            kill(id, SIGKILL)
            var ignored: Int32 = 0
            waitpid(id, &ignored, 0)
        }
    }

    package var standardError: String { read(errorPath) }
    package var standardOutput: String { read(outputPath) }

    private func read(_ path: String) -> String {
        String(decoding: wholeFile(path) ?? [], as: UTF8.self)
    }

    /// The end of what it wrote to stderr, for people.
    package var standardErrorTail: String {
        standardError.split(separator: "\n", omittingEmptySubsequences: false).suffix(40).joined(separator: "\n")
    }

    package func send(signal: Int32) {
        // Not after it was waited for: the id may be another's by then.
        if exitStatus == nil { kill(id, signal) }
    }

    /// How it ended; nil while it runs.
    package var exitStatus: ExitStatus? {
        status.withLock { status in
            if status != nil { return status }
            var code: Int32 = 0
            guard waitpid(id, &code, WNOHANG) == id else { return nil }
            let signal = code & 0x7F
            status = signal == 0 ? .code((code >> 8) & 0xFF) : .signal(signal)
            return status
        }
    }

    /// How it ended; nil when it still runs after the given time.
    package func waitForExit(within seconds: Double = Deadline.standardSeconds) -> ExitStatus? {
        eventuallyValue(within: seconds) { exitStatus }
    }
}

private func withCStrings<Result>(
    _ strings: [String],
    _ body: (UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>) -> Result
) -> Result {
    var pointers: [UnsafeMutablePointer<CChar>?] = strings.map { strdup($0) } + [nil]
    defer { for pointer in pointers { free(pointer) } }
    return pointers.withUnsafeMutableBufferPointer { body($0.baseAddress!) }
}
