extension ByteBuffer {
    /// Appends bytes in base64 (RFC 4648, section 4), padded.
    ///
    /// Our own, because no library that we link has it but at the cost of a dependency, and it is off the usual path:
    /// only answers that are not JSON come here.
    func append(base64 bytes: ByteView) {
        let alphabet = ByteView("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/")
        reserve((bytes.count + 2) / 3 * 4)
        var index = 0
        while index + 2 < bytes.count {
            let group = Int(bytes[index]) << 16 | Int(bytes[index + 1]) << 8 | Int(bytes[index + 2])
            append(alphabet[group >> 18])
            append(alphabet[group >> 12 & 0x3F])
            append(alphabet[group >> 6 & 0x3F])
            append(alphabet[group & 0x3F])
            index += 3
        }
        guard index < bytes.count else { return }
        let isPair = index + 1 < bytes.count
        let group = Int(bytes[index]) << 16 | (isPair ? Int(bytes[index + 1]) << 8 : 0)
        append(alphabet[group >> 18])
        append(alphabet[group >> 12 & 0x3F])
        append(isPair ? alphabet[group >> 6 & 0x3F] : UInt8(ascii: "="))
        append(UInt8(ascii: "="))
    }
}
