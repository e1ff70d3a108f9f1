private import CXXHash

extension ByteView {
    /// A hash of the bytes for tables whose keys come from outside: XXH3, 64 bits, with a seed that the process has drawn, so
    /// that nobody can choose keys that fall together.
    var keyedHash: Int { Int(truncatingIfNeeded: CXXHash_xxh3_seeded(base, count, KeyedHash.seed)) }
}

private enum KeyedHash {
    static let seed = RandomPool().next()
}
