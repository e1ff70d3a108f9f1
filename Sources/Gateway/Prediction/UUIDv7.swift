/// A UUID of version 7: the time in milliseconds, then 74 random bits (RFC 9562, section 5.7).
struct UUIDv7: Equatable {
    let high: UInt64
    let low: UInt64

    /// How long the text is.
    static let length = 36

    /// Appends the text form in lowercase: `0193a4b2-…`.
    func append(to buffer: ByteBuffer) {
        buffer.append(upTo: Self.length) { out in
            var position = 0
            for index in 0..<32 {
                if index == 8 || index == 12 || index == 16 || index == 20 {
                    out[position] = UInt8(ascii: "-")
                    position += 1
                }
                let word = index < 16 ? high : low
                let digit = UInt8(truncatingIfNeeded: word >> UInt64(60 - index % 16 * 4) & 15)
                out[position] = digit < 10 ? digit + UInt8(ascii: "0") : digit - 10 + UInt8(ascii: "a")
                position += 1
            }
            return Self.length
        }
    }
}

/// Makes UUIDs of version 7, each greater than the one before. One per shard.
///
/// Within one millisecond, and when the clock was set back, the random bits are a counter that goes up by a random
/// step (RFC 9562, section 6.2, method 2, "monotonic random"); a counter that runs over borrows the next millisecond.
final class UUIDv7Generator {
    private static let counterHighLimit: UInt64 = 1 << 12
    private static let counterLowLimit: UInt64 = 1 << 62

    private let random: RandomPool
    private var milliseconds: UInt64 = 0
    /// The 12 bits `rand_a` and the 62 bits `rand_b`, counted as one number.
    private var counterHigh: UInt64 = 0
    private var counterLow: UInt64 = 0

    init(random: RandomPool = RandomPool()) { self.random = random }

    /// The next UUID, for an instant in nanoseconds since 1970-01-01 UTC.
    func next(at nanoseconds: Int64) -> UUIDv7 {
        let now = UInt64(max(nanoseconds, 0)) / 1_000_000
        if now > milliseconds {
            seed(now)
        } else {
            // 32 random bits: a step that nobody guesses, of which 2^42 fit into the counter.
            counterLow += (random.next() >> 32) + 1
            if counterLow >= Self.counterLowLimit {
                counterLow -= Self.counterLowLimit
                counterHigh += 1
            }
            if counterHigh == Self.counterHighLimit { seed(milliseconds + 1) }
        }
        return UUIDv7(
            high: milliseconds << 16 | 0x7000 | counterHigh,
            low: 0x8000_0000_0000_0000 | counterLow)
    }

    private func seed(_ milliseconds: UInt64) {
        self.milliseconds = milliseconds
        counterHigh = random.next() >> 52
        counterLow = random.next() >> 2
    }

    /// Appends the text of the next UUID.
    func appendNext(at nanoseconds: Int64, to buffer: ByteBuffer) { next(at: nanoseconds).append(to: buffer) }

    /// Puts the counter at its end, for tests of what happens then.
    func exhaustCounterForTest() {
        counterHigh = Self.counterHighLimit - 1
        counterLow = Self.counterLowLimit - 1
    }
}

@available(*, unavailable)
extension UUIDv7Generator: Sendable {}
