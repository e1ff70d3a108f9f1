import Foundation

/// One Swift file, as written and as code alone.
struct SourceFile: Sendable {
    /// From the root of the repository: `Sources/Gateway/Text/UUID.swift`.
    let path: String
    let lines: [String]
    /// The same lines with comments and string literals blanked out.
    let code: [String]

    init(path: String, text: String) {
        self.path = path
        lines = text.components(separatedBy: "\n")
        code = Self.code(of: text).components(separatedBy: "\n")
    }

    /// The folder under `Sources/Gateway`: empty for files that stand in none, nil for files elsewhere.
    var gatewayFolder: String? {
        let parts = path.split(separator: "/")
        guard parts.count >= 3, parts[0] == "Sources", parts[1] == "Gateway" else { return nil }
        return parts.count == 3 ? "" : String(parts[2])
    }

    /// The repository that this file stands in.
    static let root = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent()

    /// All Swift files under `Sources` and `Tests`, read once for all tests.
    static let all = Result {
        try (paths(below: "Sources") + paths(below: "Tests")).filter { $0.hasSuffix(".swift") }.map { path in
            SourceFile(path: path, text: try String(contentsOf: root.appending(path: path), encoding: .utf8))
        }
    }

    /// All files and folders below one of the root's, sorted, from the root.
    static func paths(below top: String) throws -> [String] {
        try FileManager.default.subpathsOfDirectory(atPath: root.appending(path: top).path).sorted()
            .map { "\(top)/\($0)" }
    }

    /// The words of each line of code: identifiers, keywords and numbers.
    func words(ofLine index: Int) -> [Word] {
        var words: [Word] = []
        var previous: UInt8 = 0
        var current: [UInt8] = []
        var before: UInt8 = 0
        func end() {
            if !current.isEmpty { words.append(Word(text: String(decoding: current, as: UTF8.self), after: before)) }
            current = []
        }
        for byte in code[index].utf8 {
            if Self.isWord(byte) {
                if current.isEmpty { before = previous }
                current.append(byte)
            } else {
                end()
            }
            if byte != UInt8(ascii: " ") { previous = byte }
        }
        end()
        return words
    }

    struct Word {
        let text: String
        /// The last byte before the word that is not a space; 0 where the line begins with the word.
        let after: UInt8

        /// Whether it is the member of something: `x.word`.
        var isMember: Bool { after == UInt8(ascii: ".") }
    }

    private static func isWord(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
            UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "_"), 0x80...:
            true
        default: false
        }
    }

    /// Blanks out comments and string literals, interpolations included; keeps the line breaks.
    private static func code(of text: String) -> String {
        let bytes = Array(text.utf8)
        var result: [UInt8] = []
        result.reserveCapacity(bytes.count)
        var index = 0
        func starts(_ token: String, at index: Int) -> Bool { bytes[index...].starts(with: token.utf8) }
        func blank(_ count: Int) {
            for byte in bytes[index..<min(index + count, bytes.count)] {
                result.append(byte == UInt8(ascii: "\n") ? byte : UInt8(ascii: " "))
            }
            index += count
        }
        while index < bytes.count {
            if starts("//", at: index) {
                while index < bytes.count, bytes[index] != UInt8(ascii: "\n") { blank(1) }
            } else if starts("/*", at: index) {
                var depth = 0
                repeat {
                    if starts("/*", at: index) {
                        depth += 1
                        blank(2)
                    } else if starts("*/", at: index) {
                        depth -= 1
                        blank(2)
                    } else {
                        blank(1)
                    }
                } while depth > 0 && index < bytes.count
            } else if let delimiter = stringDelimiter(bytes, at: index) {
                let escape = "\\" + delimiter.hashes
                let isMultiline = delimiter.quotes.count == 3
                blank(delimiter.hashes.utf8.count + delimiter.quotes.utf8.count)
                let closing = delimiter.quotes + delimiter.hashes
                while index < bytes.count, !starts(closing, at: index) {
                    if !isMultiline, bytes[index] == UInt8(ascii: "\n") { break }
                    blank(starts(escape, at: index) ? escape.utf8.count + 1 : 1)
                }
                if index < bytes.count, starts(closing, at: index) { blank(closing.utf8.count) }
            } else {
                result.append(bytes[index])
                index += 1
            }
        }
        return String(decoding: result, as: UTF8.self)
    }

    private static func stringDelimiter(_ bytes: [UInt8], at start: Int) -> (hashes: String, quotes: String)? {
        var index = start
        while index < bytes.count, bytes[index] == UInt8(ascii: "#") { index += 1 }
        guard index < bytes.count, bytes[index] == UInt8(ascii: "\"") else { return nil }
        let hashes = String(repeating: "#", count: index - start)
        return (hashes, bytes[index...].starts(with: "\"\"\"".utf8) ? "\"\"\"" : "\"")
    }
}
