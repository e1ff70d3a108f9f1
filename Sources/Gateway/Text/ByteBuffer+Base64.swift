extension ByteBuffer {
    /// Appends bytes in base64 with padding (RFC 4648, section 4), without line breaks.
    func append(base64 view: ByteView) {
        let alphabet = ByteView("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/")
        func letter(_ group: UInt32, _ shift: UInt32) -> UInt8 { alphabet[unchecked: Int(group >> shift & 63)] }

        append(upTo: (view.count + 2) / 3 * 4) { out in
            var read = 0
            var written = 0
            while view.count - read >= 3 {
                let group =
                    UInt32(view[unchecked: read]) << 16 | UInt32(view[unchecked: read + 1]) << 8
                    | UInt32(view[unchecked: read + 2])
                out[written] = letter(group, 18)
                out[written + 1] = letter(group, 12)
                out[written + 2] = letter(group, 6)
                out[written + 3] = letter(group, 0)
                read += 3
                written += 4
            }
            let rest = view.count - read
            guard rest > 0 else { return written }
            let group = UInt32(view[read]) << 16 | (rest == 2 ? UInt32(view[read + 1]) << 8 : 0)
            out[written] = letter(group, 18)
            out[written + 1] = letter(group, 12)
            out[written + 2] = rest == 2 ? letter(group, 6) : UInt8(ascii: "=")
            out[written + 3] = UInt8(ascii: "=")
            return written + 4
        }
    }
}
