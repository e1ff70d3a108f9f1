extension ByteView {
    /// A hash under a key that is the process's own and random (the standard library's Hasher, which is SipHash-1-3): who
    /// chooses the bytes cannot choose two that share one. Differs from run to run.
    func keyedHash(_ salt: Int) -> UInt64 {
        var hasher = Hasher()
        hasher.combine(salt)
        hasher.combine(bytes: UnsafeRawBufferPointer(start: base, count: count))
        return UInt64(bitPattern: Int64(hasher.finalize()))
    }
}
