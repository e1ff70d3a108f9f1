import Foundation
import TestSupport
import Testing

@testable import Gateway

/// The file itself, without a Reporter's thread: who moves what aside, and when.
@Suite struct RotatingFileTests {
    private let directory = TemporaryDirectory()
    private var path: String { directory.file("a") }

    private func open(
        _ maxBytes: Int,
        keep: Int = 5,
        _ oldest: RotatingFile.Oldest = .isReplaced
    ) throws -> RotatingFile {
        try RotatingFile(path: path, maxBytes: maxBytes, keep: keep, oldest: oldest)
    }

    /// Writes between `prepare` and `finish`, as a Reporter does.
    private func write(_ text: String, to file: RotatingFile) throws {
        try file.prepare(for: text.utf8.count)
        defer { file.finish() }
        try writeUnprepared(text, to: file)
    }

    private func writeUnprepared(_ text: String, to file: RotatingFile) throws {
        let count = Array(text.utf8).withUnsafeBytes { Foundation.write(file.descriptor, $0.baseAddress, $0.count) }
        try #require(count == text.utf8.count)
    }

    private func text(_ name: String) -> String? {
        wholeFile(directory.file(name)).map { String(decoding: $0, as: UTF8.self) }
    }

    private var names: [String] {
        (try? FileManager.default.contentsOfDirectory(atPath: directory.path).sorted()) ?? []
    }

    private func move(_ name: String, to newName: String) throws {
        try #require(rename(directory.file(name), directory.file(newName)) == 0)
    }

    // MARK: Rotation

    /// What the files must hold, kept as an array: the present file first, then `.1`, `.2`, ...; nil: no such file.
    private struct Reference {
        var files: [String?] = [""]
        let maxBytes: Int
        let keep: Int
        let oldest: RotatingFile.Oldest
        var replacedLines = 0

        subscript(number: Int) -> String? { number < files.count ? files[number] : nil }

        /// False where the write finds no room.
        mutating func write(_ text: String) -> Bool {
            let size = self[0]?.utf8.count ?? 0
            if size > 0, size + text.utf8.count > maxBytes {
                if keep == 0 {
                    files[0] = ""
                } else {
                    let free = (1..<keep).first { self[$0] == nil } ?? keep
                    if let lost = self[free] {
                        if oldest == .stays { return false }
                        if oldest == .isReplacedAndCounted { replacedLines += lost.filter { $0 == "\n" }.count }
                    }
                    while files.count <= free { files.append(nil) }
                    files.remove(at: free)
                    files.insert("", at: 0)
                }
            }
            files[0] = (self[0] ?? "") + text
            return true
        }
    }

    /// Writes of any length, and somebody who moves files away meanwhile.
    @Test(arguments: 0..<30)
    func `each byte is where a list of files has it`(seed: Int) throws {
        var random = SeededGenerator(seed: UInt64(seed))
        let maxBytes = random.pick([1, 10, 60, 300])
        let keep = random.pick([0, 1, 2, 3, 5])
        let oldest = random.pick([RotatingFile.Oldest.isReplaced, .isReplacedAndCounted, .stays])
        let file = try open(maxBytes, keep: keep, oldest)
        var reference = Reference(maxBytes: maxBytes, keep: keep, oldest: oldest)
        for step in 0..<150 {
            let number = random.below(6)
            if number < reference.files.count, reference[number] != nil, random.chance(8) {
                try FileManager.default.removeItem(atPath: directory.file(number == 0 ? "a" : "a.\(number)"))
                reference.files[number] = number == 0 ? "" : nil
            }
            let text =
                (0..<1 + random.below(3)).map { "\(step).\($0)" + String(repeating: "x", count: random.below(30)) }
                .joined(separator: "\n") + "\n"
            if reference.write(text) {
                try write(text, to: file)
            } else {
                let error = #expect(throws: FileReporterError.self) { try write(text, to: file) }
                #expect(error?.isFull == true)
            }
            let found = (0...6).map { self.text($0 == 0 ? "a" : "a.\($0)") }
            try #require(found == (0...6).map { reference[$0] }, "seed \(seed), step \(step)")
            #expect(file.replacedLines == reference.replacedLines, "seed \(seed), step \(step)")
        }
    }

    @Test(arguments: [
        // What is in the file, how much is to be written, and whether that begins a new file of at most 10 bytes.
        (0, 10, false), (0, 11, false), (0, 1_000, false), (1, 9, false), (1, 10, true), (9, 1, false), (10, 0, false),
        (10, 1, true), (11, 0, true), (1_000, 1, true),
    ])
    func `a write that takes the file past its bound goes to a new one`(before: Int, more: Int, isMoved: Bool) throws {
        try Data(repeating: 0x0a, count: before).write(to: URL(fileURLWithPath: path))
        let file = try open(10)
        try write(String(repeating: "\n", count: more), to: file)
        #expect(names == (isMoved ? ["a", "a.1"] : ["a"]))
        #expect(text("a")?.utf8.count == (isMoved ? more : before + more))
        if isMoved { #expect(text("a.1")?.utf8.count == before) }
    }

    @Test func `a full set of files takes no more until one is moved away`() throws {
        let file = try open(4, keep: 1, .stays)
        try write("1\n\n\n", to: file)
        try write("2\n\n\n", to: file)
        for _ in 0..<2 {
            let error = #expect(throws: FileReporterError.self) { try write("3\n\n\n", to: file) }
            #expect(error == FileReporterError(full: path))
            #expect(error?.description == "\(path) and \(path).1 are full: move \(path).1 away")
        }
        #expect([text("a"), text("a.1")] == ["2\n\n\n", "1\n\n\n"])
        try move("a.1", to: "taken")
        try write("3\n\n\n", to: file)
        #expect([text("a"), text("a.1"), text("taken")] == ["3\n\n\n", "2\n\n\n", "1\n\n\n"])
        #expect(file.replacedLines == 0)
    }

    /// More than is read in one piece, and a last line without an end.
    @Test(arguments: [0, 1, 300_000]) func `the lines that are given up are counted`(lines: Int) throws {
        try (String(repeating: "\n", count: lines) + "cut off").write(
            toFile: path + ".1",
            atomically: false,
            encoding: .utf8
        )
        let file = try open(2, keep: 1, .isReplacedAndCounted)
        try write("1\n", to: file)
        #expect(file.replacedLines == 0)
        try write("2\n", to: file)
        #expect(file.replacedLines == lines)
        try write("3\n", to: file)
        #expect(file.replacedLines == lines + 1)
    }

    @Test func `what is no regular file is not moved aside`() throws {
        try #require(mkfifo(path, 0o600) == 0)
        let reader = Foundation.open(path, O_RDONLY | O_NONBLOCK)
        defer { close(reader) }
        let file = try open(2)
        for text in ["1\n", "22\n", "333\n"] { try write(text, to: file) }
        var bytes = [UInt8](repeating: 0, count: 100)
        let count = read(reader, &bytes, bytes.count)
        #expect(String(decoding: bytes.prefix(max(0, count)), as: UTF8.self) == "1\n22\n333\n")
        #expect(names == ["a"])
        #expect(!file.isRemoved)
        try file.synchronize()
    }

    // MARK: Several writers

    @Test func `who finds the file moved writes to the new one`() throws {
        let (one, other) = (try open(4), try open(4))
        try write("1\n\n\n", to: one)
        try write("2\n\n\n", to: other)
        // The first one's file is `a.1` by now.
        try write("3\n\n\n", to: one)
        try write("4\n\n\n", to: other)
        #expect(["a", "a.1", "a.2", "a.3"].map(text) == ["4\n\n\n", "3\n\n\n", "2\n\n\n", "1\n\n\n"])
    }

    @Test func `nobody moves a file that is being written to`() throws {
        let (one, other) = (try open(4), try open(4))
        try write("1\n\n\n", to: one)
        // Two may write at once, but for the one whose bytes have no room.
        try one.prepare(for: 0)
        try other.prepare(for: 0)
        other.finish()
        let error = #expect(throws: FileReporterError.self) { try other.prepare(for: 1) }
        #expect(error?.error.call == "lock" && error?.error.isForNow == true && error?.isFull == false)
        #expect(names == ["a"])
        // The file at hand takes it nevertheless.
        try writeUnprepared("2\n", to: other)
        try writeUnprepared("3\n", to: one)
        one.finish()
        #expect(text("a") == "1\n\n\n2\n3\n")
        // Neither has kept a lock.
        try write("4\n", to: other)
        #expect([text("a"), text("a.1")] == ["4\n", "1\n\n\n2\n3\n"])
    }

    /// Threads in place of processes: the lock is one of open files.
    @Test(arguments: [0, 1, 40]) func `many writers lose no line and tear none`(maxBytes: Int) throws {
        let eventsEach = 60
        _ = try concurrently(4) { [path] writer in
            let file = try RotatingFile(path: path, maxBytes: maxBytes, keep: 10_000)
            for number in 0..<eventsEach {
                let line = Array("\(writer) \(number)\n".utf8)
                try file.prepare(for: line.count)
                let count = line.withUnsafeBytes { Foundation.write(file.descriptor, $0.baseAddress, $0.count) }
                file.finish()
                if count != line.count { throw TestFailure("written: \(count) of \(line.count)") }
            }
        }
        let lines = names.flatMap { directory.lines(of: $0) }
        #expect(Set(lines) == Set((0..<4).flatMap { writer in (0..<eventsEach).map { "\(writer) \($0)" } }))
        #expect(lines.count == 4 * eventsEach)
        if maxBytes == 0 { #expect(names == ["a"]) }
        // They look at the length side by side, so that each but one may add a line to what was full.
        let longest = 3 * "3 59\n".utf8.count + max(maxBytes, 5)
        for name in names where maxBytes > 0 { #expect(text(name).map(\.utf8.count) ?? 0 <= longest) }
    }

    // MARK: Files that others move

    @Test(arguments: [0, 1_000]) func `a file that was removed is told of, and one that was moved is not`(
        maxBytes: Int
    ) throws {
        let file = try open(maxBytes)
        #expect(!file.isRemoved)
        try move("a", to: "b")
        #expect(!file.isRemoved)
        try FileManager.default.removeItem(atPath: directory.file("b"))
        #expect(file.isRemoved)
        try file.reopen()
        #expect(!file.isRemoved)
        #expect(names == ["a"])
    }

    @Test func `with rotation, each write looks at the path`() throws {
        let file = try open(1_000)
        for number in 0..<5 {
            try write("\(number)\n", to: file)
            try move("a", to: "b\(number)")
        }
        try write("5\n", to: file)
        #expect(names.map(text) == ["5\n", "0\n", "1\n", "2\n", "3\n", "4\n"])
    }

    /// The directory is gone: the bytes go where they went before.
    @Test func `a file that cannot be made anew leaves the old one to write to`() throws {
        try FileManager.default.createDirectory(atPath: directory.file("d"), withIntermediateDirectories: false)
        let path = directory.file("d/a")
        let file = try RotatingFile(path: path, maxBytes: 1_000, keep: 1)
        try write("1\n", to: file)
        try move("d", to: "e")
        for _ in 0..<2 {
            let error = #expect(throws: FileReporterError.self) { try file.prepare(for: 2) }
            #expect(error?.missingDirectory == directory.file("d"))
        }
        #expect(throws: FileReporterError.self) { try file.reopen() }
        try writeUnprepared("2\n", to: file)
        #expect(!file.isRemoved)
        #expect(text("e/a") == "1\n2\n")
        try move("e", to: "d")
        try write("3\n", to: file)
        #expect(text("d/a") == "1\n2\n3\n")
    }

    // MARK: Lines that were cut off

    @Test(arguments: [("", false), ("1\n", false), ("1", true), ("1\n2", true), ("\n", false)])
    func `a line that was cut off is seen when the file is opened`(content: String, isCut: Bool) throws {
        _ = try directory.write(content, to: "a")
        #expect(try open(0).endsWithinLine == isCut)

        let other = try RotatingFile(path: directory.file("b"), maxBytes: 0, keep: 1)
        #expect(!other.endsWithinLine)
        try move("a", to: "b")
        try other.reopen()
        #expect(other.endsWithinLine == isCut)
    }

    @Test func `a new file begins with a line`() throws {
        let file = try open(2)
        try write("1", to: file)
        file.endsWithinLine = true
        try file.prepare(for: 1)
        #expect(file.endsWithinLine)
        file.finish()
        try file.prepare(for: 2)
        #expect(!file.endsWithinLine)
        file.finish()
        #expect(names == ["a", "a.1"])
    }

    @Test func `waiting for the disk goes on after the file was moved or removed`() throws {
        let file = try open(2)
        try file.synchronize()
        try write("1\n", to: file)
        try write("2\n", to: file)
        try file.synchronize()
        try FileManager.default.removeItem(atPath: path)
        try file.synchronize()
        try write("3\n", to: file)
        try file.synchronize()
        #expect([text("a"), text("a.1")] == ["3\n", "1\n"])
    }
}
