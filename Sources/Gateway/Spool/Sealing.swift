extension EventFrame {
    /// What the header should say of everything behind the checksum; never 0, which would mean that there is none.
    private static func checksum(of frame: ByteView) -> UInt64 {
        let sum = Checksum.xxh3(frame.dropFirst(firstCheckedByte))
        return sum == 0 ? 1 : sum
    }

    /// Whether the frame has a checksum and it holds: the bytes are as they were when it was sealed.
    var isSealed: Bool { Self.isSealed(bytes) }

    /// The same of a frame of any version.
    static func isSealed(_ frame: ByteView) -> Bool {
        let low = frame.littleEndianWord(at: checksumOffset)
        let high = frame.littleEndianWord(at: checksumOffset + 4)
        return UInt64(high) << 32 | UInt64(low) == checksum(of: frame)
    }

    fileprivate static func seal(_ frame: Range<Int>, in buffer: ByteBuffer) {
        let sum = checksum(of: buffer[frame])
        buffer.setLittleEndian(UInt32(truncatingIfNeeded: sum), at: frame.lowerBound + checksumOffset)
        buffer.setLittleEndian(UInt32(truncatingIfNeeded: sum >> 32), at: frame.lowerBound + checksumOffset + 4)
    }
}

extension EventBatch {
    /// Gives each event its checksum.
    func seal() {
        for frame in frames { EventFrame.seal(frame, in: bytes) }
    }
}
