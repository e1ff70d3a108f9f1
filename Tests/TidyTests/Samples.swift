import Testing

/// Source text that a rule must refuse, at `line`, or must let pass.
struct Sample: CustomTestStringConvertible, Sendable {
    let rule: String
    let files: [(path: String, text: String)]
    /// Nil where there is nothing to refuse.
    let line: Int?

    var testDescription: String { "\(rule): \(files.last?.text ?? "")" }

    private static func bad(_ rule: String, line: Int = 1, _ files: (String, String)...) -> Sample {
        Sample(rule: rule, files: files, line: line)
    }

    private static func good(_ rule: String, _ files: (String, String)...) -> Sample {
        Sample(rule: rule, files: files, line: nil)
    }

    static let all: [Sample] = imports + pointers + direction + others

    private static let imports: [Sample] = {
        let c = "C modules are imported by the wrappers only"
        let foundation = "no Foundation in the sources"
        return [
            bad(c, ("Sources/Gateway/Shard/A.swift", "private import CCurl")),
            bad(c, line: 2, ("Sources/Gateway/Gateway.swift", "// Why\nimport func Glibc.exit")),
            bad(c, ("Sources/Sidecar/Sidecar.swift", "import CSimdJSON")),
            good(c, ("Sources/Gateway/Wrappers/Curl/A.swift", "private import CCurl")),
            good(c, ("Tests/TestSupport/A.swift", "import CLinux")),
            good(c, ("Sources/Gateway/Text/A.swift", "// import CCurl\n/* import CCurl */ let a = \"import CCurl\"")),
            bad(foundation, ("Sources/Gateway/Configuration/A.swift", "import FoundationEssentials")),
            bad(foundation, ("Sources/Sidecar/A.swift", "private import struct Foundation.URL")),
            good(foundation, ("Tests/TidyTests/A.swift", "import Foundation")),
            good(foundation, ("Sources/Gateway/Text/A.swift", "import Synchronization")),
        ]
    }()

    private static let pointers: [Sample] = {
        let rule = "raw pointers occur in the wrappers only"
        return [
            bad(rule, ("Sources/Gateway/Text/A.swift", "func a(_ b: UnsafeMutableRawBufferPointer) {}")),
            bad(rule, line: 2, ("Sources/Gateway/Shard/A.swift", "let a = 1\nlet b: [OpaquePointer?] = []")),
            bad(rule, ("Sources/Gateway/Gateway.swift", "Unmanaged.passRetained(a)")),
            bad(rule, ("Sources/Sidecar/A.swift", "a.withUnsafeBytes { b($0) }")),
            good(rule, ("Sources/Gateway/Wrappers/A.swift", "let a: UnsafePointer<UInt8>")),
            good(
                rule,
                ("Sources/Gateway/Text/A.swift", "let a = #\"\"\"\n UnsafePointer \" \n\"\"\"# // OpaquePointer")
            ),
        ]
    }()

    private static let direction: [Sample] = {
        let rule = "folders name only what is below them"
        let shard = ("Sources/Gateway/Shard/Shard.swift", "final class Shard {\n    struct Turn {}\n}")
        let rest = ("Sources/Gateway/Provider/RESTProvider.swift", "@frozen public struct RESTProvider {}")
        let provider = ("Sources/Gateway/Exchange/Provider.swift", "protocol Provider {}")
        let adapter = "Sources/Gateway/ModelServiceAdapter/A.swift"
        return [
            bad(rule, line: 2, shard, ("Sources/Gateway/Exchange/A.swift", "\nlet a: Shard?")),
            bad(rule, shard, ("Sources/Gateway/Wrappers/Linux/A.swift", "extension Shard {}")),
            bad(rule, rest, (adapter, "let a = [RESTProvider]()")),
            bad(rule, ("Sources/Gateway/Gateway.swift", "actor Gateway {}"), (adapter, "let a: Gateway")),
            bad(rule, ("Sources/Gateway/Helper.swift", "struct Helper {}")),
            bad(rule, ("Sources/Gateway/Utilities/A.swift", "struct A {}")),
            good(rule, shard, rest, ("Sources/Gateway/Gateway.swift", "let a: Shard\nlet b: RESTProvider")),
            good(rule, provider, (adapter, "let a: any Provider")),
            good(rule, shard, ("Sources/Gateway/Provider/A.swift", "let a: Shard, b: Turn")),
            // A member, a nested type of the folder's own, a private type elsewhere, a comment.
            good(rule, shard, ("Sources/Gateway/Text/A.swift", "let a = b.Shard // Shard")),
            good(
                rule,
                shard,
                ("Sources/Gateway/Text/A.swift", "enum A { enum Shard {} }\nlet a: A.Shard, b = Shard.self")
            ),
            good(
                rule,
                ("Sources/Gateway/Shard/A.swift", "private struct Slot {}"),
                ("Sources/Gateway/Text/A.swift", "let a: Slot")
            ),
        ]
    }()

    private static let others: [Sample] = {
        let escapes = "escapes from the concurrency checks give their reason"
        let length = "files are not too long"
        let waiting = "tests wait for what happens, not for a time"
        let processes = "tests start processes that have a time limit"
        return [
            bad(escapes, line: 2, ("Sources/Gateway/A.swift", "\nfinal class A: @unchecked Sendable {}")),
            bad(escapes, line: 3, ("Tests/A.swift", "// Why\nlet a = 1\nnonisolated(unsafe) var b = 1")),
            good(escapes, ("Sources/A.swift", "// Why\n@safe\nfinal class A: @unchecked Sendable {}")),
            good(escapes, ("Sources/A.swift", "    /// Why\n    nonisolated(unsafe) let a: B")),
            bad(length, line: 500, ("Sources/A.swift", String(repeating: "\n", count: 501))),
            good(length, ("Sources/A.swift", String(repeating: "\n", count: 500))),
            bad(waiting, ("Tests/EndToEndTests/A.swift", "try await Task.sleep(for: .seconds(1))")),
            bad(waiting, ("Tests/EndToEndTests/A.swift", "usleep(1000)")),
            bad(waiting, ("Tests/TestSupport/A.swift", "Thread.sleep(forTimeInterval: 1)")),
            good(waiting, ("Tests/TestSupport/Deadline.swift", "nanosleep(&a, nil)")),
            good(waiting, ("Tests/EndToEndTests/A.swift", "run(\"sleep 1\") // sleep(1)")),
            bad(processes, ("Tests/EndToEndTests/A.swift", "let process = Process()")),
            bad(processes, ("Tests/TestSupport/A.swift", "posix_spawn(&id, path, nil, nil, argv, envp)")),
            good(processes, ("Tests/TestSupport/ChildProcess.swift", "posix_spawn(&id, path, nil, nil, argv, envp)")),
            good(processes, ("Tests/EndToEndTests/A.swift", "try SidecarProcess(configuration) // Process()")),
        ]
    }()
}
