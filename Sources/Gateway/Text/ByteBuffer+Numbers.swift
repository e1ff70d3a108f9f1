// Every division here is by a constant, which the compiler turns into a multiplication.

extension ByteBuffer {
    /// Appends a number in decimal.
    func append(decimal value: Int) {
        if value < 0 { append(UInt8(ascii: "-")) }
        append(decimal: value.magnitude)
    }

    /// Appends a number in decimal.
    @inline(__always)
    func append(decimal value: UInt) {
        if value < 10 {
            append(UInt8(ascii: "0") + UInt8(truncatingIfNeeded: value))
        } else {
            append(decimal: value, width: value.decimalDigits)
        }
    }

    /// Appends a number in decimal with leading zeros up to `width` digits; higher digits are left out.
    func append(decimal value: UInt, width: Int) {
        append(upTo: max(width, 1)) { out in
            let pairs = ByteView(
                """
                0001020304050607080910111213141516171819202122232425262728293031323334353637383940414243444546474849\
                5051525354555657585960616263646566676869707172737475767778798081828384858687888990919293949596979899
                """
            )
            var rest = value
            var index = max(width, 1)
            while index >= 2 {
                let pair = Int(truncatingIfNeeded: rest % 100)
                rest /= 100
                index -= 2
                out[index] = pairs[unchecked: 2 * pair]
                out[index + 1] = pairs[unchecked: 2 * pair + 1]
            }
            if index == 1 { out[0] = UInt8(ascii: "0") + UInt8(truncatingIfNeeded: rest % 10) }
            return max(width, 1)
        }
    }

    /// Appends a duration as milliseconds with three decimals, rounded to the nearest microsecond: `4.125`.
    func append(milliseconds nanoseconds: Int64) {
        let microseconds = (UInt(max(nanoseconds, 0)) + 500) / 1_000
        append(decimal: microseconds / 1_000)
        append(UInt8(ascii: "."))
        append(decimal: microseconds % 1_000, width: 3)
    }

    /// Appends a byte as two lowercase hexadecimal digits.
    func appendHexadecimal(_ byte: UInt8) {
        append(byte >> 4 < 10 ? byte >> 4 + UInt8(ascii: "0") : byte >> 4 - 10 + UInt8(ascii: "a"))
        append(byte & 15 < 10 ? byte & 15 + UInt8(ascii: "0") : byte & 15 - 10 + UInt8(ascii: "a"))
    }

    /// Appends a number as four lowercase hexadecimal digits.
    @inline(__always)
    func appendHexadecimal(_ value: UInt16) {
        // A digit to each byte, the highest in the lowest byte, which is written first.
        let value = UInt32(value)
        let digits = value >> 12 | (value >> 8 & 15) << 8 | (value >> 4 & 15) << 16 | (value & 15) << 24
        // 1 in each byte that holds 10 or more: a letter, which stands 39 further on from "0" than its value.
        let letters = (digits + 0x0606_0606) >> 4 & 0x0101_0101
        append(littleEndian: digits + 0x3030_3030 + letters * 39)
    }
}

extension UInt {
    /// How many decimal digits the number has.
    fileprivate var decimalDigits: Int {
        var digits = 1
        var limit: UInt = 10
        while self >= limit {
            digits += 1
            let (next, overflow) = limit.multipliedReportingOverflow(by: 10)
            if overflow { break }
            limit = next
        }
        return digits
    }
}
