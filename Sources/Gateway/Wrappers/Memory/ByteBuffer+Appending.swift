extension ByteBuffer {
    /// Appends a copy in which each line feed and carriage return is a space.
    func appendWithoutLineBreaks(_ view: ByteView) {
        guard let source = view.base, view.count > 0 else { return }
        append(upTo: view.count) { target in
            // A select and no branch, so that the compiler makes vector code of it.
            for index in 0..<view.count {
                let byte = source[index]
                target[index] = byte == 0x0a || byte == 0x0d ? 0x20 : byte
            }
            return view.count
        }
    }

    /// Appends four bytes at once, the lowest of the word first.
    @inline(__always)
    func append(littleEndian word: UInt32) {
        append(upTo: 4) { target in
            UnsafeMutableRawPointer(target).storeBytes(of: word.littleEndian, as: UInt32.self)
            return 4
        }
    }

    /// Overwrites four bytes, the lowest of the word first.
    @inline(__always)
    func setLittleEndian(_ word: UInt32, at index: Int) {
        precondition(index >= 0 && index + 4 <= count, "byte index out of range")
        UnsafeMutableRawPointer(base + index).storeBytes(of: word.littleEndian, as: UInt32.self)
    }

    /// Overwrites eight bytes: two words of 32 bits each, the lowest byte of each first. What does not fit is cut off.
    @inline(__always)
    func setLittleEndian(_ first: Int, _ second: Int, at index: Int) {
        precondition(index >= 0 && index + 8 <= count, "byte index out of range")
        let words = UInt64(UInt32(truncatingIfNeeded: first)) | UInt64(UInt32(truncatingIfNeeded: second)) << 32
        UnsafeMutableRawPointer(base + index).storeBytes(of: words.littleEndian, as: UInt64.self)
    }

    /// Appends a copy of a part of these bytes.
    @inline(__always)
    func append(part: Range<Int>) {
        // Room first: the bytes to copy are in the buffer that may move.
        reserve(part.count)
        append(self[part])
    }
}
