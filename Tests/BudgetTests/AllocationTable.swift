import Foundation
import TestSupport

/// What the preloaded `Tests/budgets/allocations.c` writes, which has the layout.
struct AllocationTable {
    /// One thread name and call stack.
    struct Site {
        var thread: String
        var stack: [UInt64]
        var count: Int
    }

    private struct Object {
        var name: String
        var base: UInt64
        var range: Range<UInt64>
    }

    private static let siteCount = 1 << 14
    private static let frameCount = 28
    private static let objectCount = 64
    private static let nameBytes = 112
    private static let objectBytes = nameBytes + 24
    private static let siteBytes = 24 + 16 + 8 * frameCount
    /// They allocate for others: who called them counts.
    private static let intermediaries = ["libc.so", "libstdc++", "libgcc", "libm.so", "libmimalloc"]

    private var objects: [Object] = []
    private(set) var sites: [UInt64: Site] = [:]
    private(set) var lost = 0

    /// The environment of a process that writes to this file.
    static func environment(tools: String, table: String) -> [String: String] {
        _ = FileManager.default.createFile(atPath: table, contents: nil)
        return ["LD_PRELOAD": "\(tools)/allocations.so", "ALLOCATION_TABLE": table]
    }

    /// Reads what has been counted so far.
    init(_ path: String) throws {
        guard let data = wholeFile(path).map(Array.init), data.count >= Self.siteBytes * Self.siteCount else {
            throw TestFailure("\(path) is not filled: was the library preloaded?")
        }
        data.withUnsafeBytes { bytes in
            func number(_ offset: Int) -> UInt64 { bytes.loadUnaligned(fromByteOffset: offset, as: UInt64.self) }
            func text(_ offset: Int, _ limit: Int) -> String {
                String(decoding: bytes[offset..<offset + limit].prefix { $0 != 0 }, as: UTF8.self)
            }
            lost = Int(number(0))
            for index in 0..<min(Int(number(8)), Self.objectCount) {
                let start = 16 + index * Self.objectBytes
                let end = start + Self.nameBytes
                objects.append(
                    Object(
                        name: text(start, Self.nameBytes),
                        base: number(end),
                        range: number(end + 8)..<number(end + 16)
                    )
                )
            }
            for index in 0..<Self.siteCount {
                let start = 16 + Self.objectCount * Self.objectBytes + index * Self.siteBytes
                let depth = Int(bytes.loadUnaligned(fromByteOffset: start + 16, as: UInt32.self))
                guard number(start) != 0, depth > 0 else { continue }
                sites[number(start)] = Site(
                    thread: text(start + 24, 16),
                    stack: (0..<depth).map { number(start + 40 + 8 * $0) },
                    count: Int(number(start + 8))
                )
            }
        }
    }

    /// What was counted since an earlier reading.
    func since(_ earlier: AllocationTable) -> [Site] {
        sites.compactMap { key, site in
            var site = site
            site.count -= earlier.sites[key]?.count ?? 0
            return site.count > 0 ? site : nil
        }
    }

    /// Whose code asked for the memory: `own` (Swift, its runtime and our C), or a library's name.
    func owner(of site: Site) -> String {
        for address in site.stack {
            guard let object = object(at: address) else { continue }
            // The executable has no name in the list of objects.
            guard let file = object.name.split(separator: "/").last else { return "own" }
            if Self.intermediaries.contains(where: file.hasPrefix) { continue }
            return String(file.prefix { $0 != "." })
        }
        return "unknown"
    }

    /// The function of ours in which each allocation happened, or that called the library where it did: `how often
    /// (for one request), thread, owner, functions`.
    func describe(_ sites: [Site], requests: Int, limit: Int = 12) -> String {
        var counts: [String: Int] = [:]
        for site in sites {
            let own = site.stack.filter { object(at: $0)?.name == "" }
            counts[
                "\(site.thread)\t\(owner(of: site))\t\(own.prefix(8).map { "\($0)" }.joined(separator: " "))",
                default: 0
            ] += site.count
        }
        let base = objects.first { $0.name.isEmpty }?.base ?? 0
        let most = counts.sorted { $0.value > $1.value }.prefix(limit).map { key, count in
            let parts = key.split(separator: "\t", omittingEmptySubsequences: false)
            // A return address is behind the call.
            let places = parts[2].split(separator: " ").compactMap { UInt64($0).map { $0 - base - 1 } }
            let figure = String(format: "%8.3f", Double(count) / Double(requests))
            return (title: "\(figure)  \(parts[0])  \(parts[1])", places: places)
        }
        let names = symbolise(most.flatMap(\.places))
        return most.map { entry in
            ([entry.title] + entry.places.map { names[$0] ?? "0x" + String($0, radix: 16) }).joined(
                separator: "\n        "
            )
        }
        .joined(separator: "\n")
    }

    private func object(at address: UInt64) -> Object? { objects.first { $0.range.contains(address) } }

    /// Function, file and line of places in the executable, by the toolchain's tools; empty where these are not there.
    private func symbolise(_ places: [UInt64]) -> [UInt64: String] {
        let places = Array(Set(places))
        // An empty line ends what it says of a place; the first line is the innermost function, inlined ones included.
        let arguments = ["--basenames", "--inlines", "--obj=\(SidecarProcess.executable)"]
        let answers = Self.run("llvm-symbolizer", arguments + places.map { "0x" + String($0, radix: 16) })
            .split(separator: "\n\n").map { $0.split(separator: "\n") }
        guard answers.count == places.count else { return [:] }
        let functions = Self.run("swift-demangle", ["--simplified", "--compact"] + answers.map { String($0[0]) })
            .split(separator: "\n")
        var names: [UInt64: String] = [:]
        for (index, place) in places.enumerated() {
            let function = index < functions.count ? functions[index] : answers[index][0]
            names[place] = "\(function)  \(answers[index].dropFirst().first ?? "")"
        }
        return names
    }

    private static func run(_ tool: String, _ arguments: [String]) -> String {
        let path = (ProcessInfo.processInfo.environment["PATH"] ?? "").split(separator: ":").map { "\($0)/\(tool)" }
            .first { FileManager.default.isExecutableFile(atPath: $0) }
        guard let path, let process = try? ChildProcess(path, arguments) else { return "" }
        return process.waitForExit(within: 120) == .code(0) ? process.standardOutput : ""
    }
}
