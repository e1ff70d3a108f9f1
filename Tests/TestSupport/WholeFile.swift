import Foundation

/// The bytes of a file; nil where it can't be read. (FileManager's reader leaks when the file grows under it.)
package func wholeFile(_ path: String) -> [UInt8]? {
    let file = open(path, O_RDONLY | O_CLOEXEC)
    guard file >= 0 else { return nil }
    defer { close(file) }
    var bytes: [UInt8] = []
    var piece = [UInt8](repeating: 0, count: 64 << 10)
    while true {
        let count = read(file, &piece, piece.count)
        guard count > 0 else { return count == 0 ? bytes : nil }
        bytes += piece[..<count]
    }
}
