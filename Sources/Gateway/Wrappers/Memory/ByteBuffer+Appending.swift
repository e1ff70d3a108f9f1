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

    /// For overwriting bytes by words, from the first of them on; to be used before anything else is done to the buffer.
    @inline(__always)
    func overwrite(_ range: Range<Int>) -> WordWriter {
        precondition(range.lowerBound >= 0 && range.upperBound <= count, "byte range out of range")
        return WordWriter(place: UnsafeMutableRawPointer(base + range.lowerBound), left: range.count)
    }

    /// Appends a copy of a part of these bytes.
    @inline(__always)
    func append(part: Range<Int>) {
        // Room first: the bytes to copy are in the buffer that may move.
        reserve(part.count)
        append(self[part])
    }
}

/// Words that are written over bytes of a buffer, one after the other, the lowest byte of each first.
struct WordWriter {
    fileprivate var place: UnsafeMutableRawPointer
    /// How many bytes may still be written.
    fileprivate var left: Int

    /// Writes four bytes.
    @inline(__always)
    mutating func append(_ word: UInt32) {
        precondition(left >= 4, "no room for another word")
        place.storeBytes(of: word.littleEndian, as: UInt32.self)
        place += 4
        left -= 4
    }

    /// Writes eight bytes.
    @inline(__always)
    mutating func append(_ words: UInt64) {
        precondition(left >= 8, "no room for two more words")
        place.storeBytes(of: words.littleEndian, as: UInt64.self)
        place += 8
        left -= 8
    }
}

@available(*, unavailable)
extension WordWriter: Sendable {}
