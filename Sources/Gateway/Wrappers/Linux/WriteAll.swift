private import Glibc

/// Writes all bytes to a descriptor that blocks, however many calls it takes; false where that fails (write(2)).
func writeAll(_ view: ByteView, to descriptor: Int32) -> Bool {
    var rest = view
    while !rest.isEmpty {
        let written = write(descriptor, rest.base, rest.count)
        if written >= 0 {
            rest = rest.dropFirst(written)
        } else if errno != EINTR {
            return false
        }
    }
    return true
}
