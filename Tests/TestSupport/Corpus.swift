import Foundation

/// The inputs that a fuzzer begins with, and that `make test` reads: one a line in `Tests/fuzz/corpora` (see
/// `Tests/fuzz/corpus.py`).
package enum Corpus {
    /// The inputs of a target of `make fuzz`.
    package static func read(_ target: String) throws -> [[UInt8]] {
        let folder = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "../fuzz/corpora")
        let path = folder.appending(path: "\(target).txt").standardizedFileURL.path
        guard let bytes = wholeFile(path) else { throw TestFailure("cannot read \(path)") }
        return bytes.split(separator: UInt8(ascii: "\n")).map(unescaped)
    }

    private static func unescaped(_ line: ArraySlice<UInt8>) -> [UInt8] {
        var bytes: [UInt8] = []
        var rest = line
        while let byte = rest.popFirst() {
            guard byte == UInt8(ascii: "\\"), let kind = rest.popFirst() else {
                bytes.append(byte)
                continue
            }
            switch kind {
            case UInt8(ascii: "n"): bytes.append(0x0a)
            case UInt8(ascii: "r"): bytes.append(0x0d)
            case UInt8(ascii: "t"): bytes.append(0x09)
            case UInt8(ascii: "x"):
                bytes.append(UInt8(String(decoding: rest.prefix(2), as: UTF8.self), radix: 16) ?? 0)
                rest = rest.dropFirst(2)
            default: bytes.append(kind)
            }
        }
        return bytes
    }
}
