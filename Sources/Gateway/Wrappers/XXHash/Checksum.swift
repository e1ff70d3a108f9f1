private import CXXHash

/// Checksums that find accidents, not forgeries: a flipped bit, a record that was not written to its end.
enum Checksum {
    /// XXH3, 64 bits, of all the bytes.
    static func xxh3(_ view: ByteView) -> UInt64 { CXXHash_xxh3(view.base, view.count) }
}
