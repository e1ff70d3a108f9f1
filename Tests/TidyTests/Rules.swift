/// What the source tree must keep to. Adapt the tables here when a folder or a C module comes; the tests need no change.
enum Rules {
    /// Our modules of C, and C itself: imported by the wrappers only.
    static let cModules: Set = [
        "CMicroHTTPD", "CCurl", "CKafka", "CYAML", "CXXHash", "CLinux", "CReceiveTap", "CSimdJSON", "Glibc",
    ]
    static let wrappers = "Sources/Gateway/Wrappers/"

    /// Folder of `Sources/Gateway` to the other folders that it may name.
    static let mayName: [String: Set<String>] = [
        "Wrappers": [],
        "Text": ["Wrappers"],
        "Configuration": ["Text", "Wrappers"],
        "HTTPServer": ["Text", "Wrappers", "Configuration"],
        "Prediction": ["Text", "Wrappers"],
        "Reporting": ["Prediction", "Text", "Wrappers"],
        "Spool": ["Reporting", "Prediction", "Text", "Wrappers", "Configuration"],
        "Exchange": belowExchange,
        "Shard": belowExchange.union(["Exchange"]),
        "Provider": part,
        "ModelServiceAdapter": part,
        "PredictionReporter": part,
        "Observability": part,
        "Page": part,
        "Log": ["Text", "Wrappers", "Configuration"],
        "ExampleModel": ["Prediction", "HTTPServer", "Text", "Wrappers", "Configuration", "Log"],
        "DevKafka": ["Wrappers"],
        "KafkaTools": ["Configuration", "Prediction", "Text", "Wrappers"],
    ]
    static let belowExchange: Set = [
        "Reporting", "Prediction", "HTTPServer", "Text", "Wrappers", "Configuration",
    ]
    static let part = belowExchange.union(["Exchange", "Shard"])
    /// What stands in no folder: the composition root, which may name everything.
    static let inNoFolder: Set = [
        "Gateway.swift", "Preflight.swift", "ShardBlueprint.swift", "ProviderBlueprint.swift",
        "ReportingBlueprint.swift",
    ]

    static let maxLines = 500

    /// Calls that wait for a time and not for something to happen.
    static let waiting: Set = ["sleep", "usleep", "nanosleep", "clock_nanosleep"]
    /// What starts processes, and the one place that does so with a time limit.
    static let startingProcesses: Set = ["posix_spawn", "posix_spawnp", "fork", "popen", "Process"]
    static let processStarter = "Tests/TestSupport/ChildProcess.swift"
    /// The one place that waits: it polls for a condition until a deadline.
    static let pollingHelpers: Set = ["Tests/TestSupport/Deadline.swift"]

    struct Finding: CustomStringConvertible, Equatable {
        let path: String
        let line: Int
        let message: String
        var description: String { "\(path):\(line): \(message)" }
    }

    /// All rules, each from files to findings.
    static let all: [(name: String, check: @Sendable ([SourceFile]) -> [Finding])] = [
        ("C modules are imported by the wrappers only", cModulesInWrappers),
        ("raw pointers occur in the wrappers only", pointersInWrappers),
        ("no Foundation in the sources", noFoundation),
        ("folders name only what is below them", folderDirection),
        ("escapes from the concurrency checks give their reason", reasonsForEscapes),
        ("files are not too long", fileLength),
        ("tests wait for what happens, not for a time", noWaiting),
        ("tests start processes that have a time limit", noUnlimitedProcesses),
    ]

    // MARK: - The rules

    static func cModulesInWrappers(_ files: [SourceFile]) -> [Finding] {
        findingsByLine(files.filter { $0.path.hasPrefix("Sources/") && !$0.path.hasPrefix(wrappers) }) { file, line in
            importedModule(file, line).flatMap { cModules.contains($0) ? "imports \($0) outside the wrappers" : nil }
        }
    }

    static func pointersInWrappers(_ files: [SourceFile]) -> [Finding] {
        findingsByLine(files.filter { $0.path.hasPrefix("Sources/") && !$0.path.hasPrefix(wrappers) }) { file, line in
            file.words(ofLine: line).map(\.text).first { word in
                word.hasPrefix("Unsafe") && word.hasSuffix("Pointer") || word == "OpaquePointer" || word == "Unmanaged"
                    || word.hasPrefix("withUnsafe")
            }
            .map { "\($0) outside the wrappers" }
        }
    }

    static func noFoundation(_ files: [SourceFile]) -> [Finding] {
        findingsByLine(files.filter { $0.path.hasPrefix("Sources/") }) { file, line in
            importedModule(file, line).flatMap { $0.hasPrefix("Foundation") ? "imports \($0)" : nil }
        }
    }

    static func folderDirection(_ files: [SourceFile]) -> [Finding] {
        let files = files.filter { $0.gatewayFolder != nil }
        let declarations = files.map { ($0, declaredTypes($0)) }
        // Where each top-level type stands. A folder's own nested types hide those of other folders.
        var home: [String: SourceFile] = [:]
        var own: [String: Set<String>] = [:]
        for (file, types) in declarations {
            for type in types {
                own[file.gatewayFolder ?? "", default: []].insert(type.name)
                if type.isVisibleElsewhere { home[type.name] = file }
            }
        }

        var findings: [Finding] = []
        for file in files {
            guard let folder = file.gatewayFolder, !folder.isEmpty else {
                if !inNoFolder.contains(where: { file.path == "Sources/Gateway/\($0)" }) {
                    findings.append(Finding(path: file.path, line: 1, message: "belongs into a folder"))
                }
                continue
            }
            guard let open = mayName[folder] else {
                findings.append(
                    Finding(path: file.path, line: 1, message: "the rules do not know the folder \(folder)")
                )
                continue
            }
            findings += findingsByLine([file]) { file, line in
                for word in file.words(ofLine: line) where !word.isMember && own[folder]?.contains(word.text) != true {
                    guard let other = home[word.text], let otherFolder = other.gatewayFolder else { continue }
                    if open.contains(otherFolder) { continue }
                    return "\(folder) may not name \(word.text) of \(otherFolder.isEmpty ? other.path : otherFolder)"
                }
                return nil
            }
        }
        return findings
    }

    static func reasonsForEscapes(_ files: [SourceFile]) -> [Finding] {
        findingsByLine(files) { file, line in
            let code = file.code[line]
            guard let escape = ["@unchecked Sendable", "nonisolated(unsafe)"].first(where: code.contains) else {
                return nil
            }
            // Attributes may stand between the comment and the line.
            let above = file.lines[..<line].map { $0.drop { $0 == " " } }.last { !$0.hasPrefix("@") } ?? ""
            return above.hasPrefix("//") ? nil : "\(escape) without its reason in a comment on the line above"
        }
    }

    static func fileLength(_ files: [SourceFile]) -> [Finding] {
        files.compactMap { file in
            // The last line break ends a line and begins none.
            let count = file.lines.last == "" ? file.lines.count - 1 : file.lines.count
            guard count > maxLines else { return nil }
            return Finding(path: file.path, line: maxLines, message: "\(count) lines, at most \(maxLines)")
        }
    }

    static func noWaiting(_ files: [SourceFile]) -> [Finding] {
        let tests = files.filter { $0.path.hasPrefix("Tests/") && !pollingHelpers.contains($0.path) }
        return findingsByLine(tests) { file, line in
            file.words(ofLine: line).first { waiting.contains($0.text) }
                .map { "\($0.text): wait for what should happen, with TestSupport's polling" }
        }
    }

    /// A test that waits for a process which hangs would hang, too.
    static func noUnlimitedProcesses(_ files: [SourceFile]) -> [Finding] {
        let tests = files.filter { $0.path.hasPrefix("Tests/") && $0.path != processStarter }
        return findingsByLine(tests) { file, line in
            file.words(ofLine: line).first { startingProcesses.contains($0.text) }
                .map { "\($0.text): ChildProcess has a time limit" }
        }
    }

    // MARK: - Reading code

    private static func findingsByLine(
        _ files: [SourceFile],
        _ check: (SourceFile, Int) -> String?
    ) -> [Finding] {
        files.flatMap { file in
            file.code.indices.compactMap { line in
                check(file, line).map { Finding(path: file.path, line: line + 1, message: $0) }
            }
        }
    }

    /// The module of an import declaration: also of `private import struct Module.Name`.
    private static func importedModule(_ file: SourceFile, _ line: Int) -> String? {
        let words = file.words(ofLine: line).map(\.text)
        guard let index = words.firstIndex(of: "import") else { return nil }
        let kinds: Set = ["struct", "class", "enum", "protocol", "typealias", "func", "var", "let"]
        return words[(index + 1)...].first { !kinds.contains($0) }
    }

    private struct DeclaredType {
        let name: String
        /// At top level, and not private.
        let isVisibleElsewhere: Bool
    }

    private static func declaredTypes(_ file: SourceFile) -> [DeclaredType] {
        let keywords: Set = ["class", "struct", "enum", "protocol", "actor", "typealias"]
        let modifiers: Set = ["var", "func", "let", "subscript", "init"]
        var depth = 0
        var types: [DeclaredType] = []
        for line in file.code.indices {
            let words = file.words(ofLine: line).map(\.text)
            for (keyword, name) in zip(words, words.dropFirst())
            where keywords.contains(keyword) && !modifiers.contains(name) && name.first?.isUppercase == true {
                let isPrivate = words.contains("private") || words.contains("fileprivate")
                types.append(DeclaredType(name: name, isVisibleElsewhere: depth == 0 && !isPrivate))
            }
            for byte in file.code[line].utf8 {
                if byte == UInt8(ascii: "{") { depth += 1 }
                if byte == UInt8(ascii: "}") { depth -= 1 }
            }
        }
        return types
    }
}
