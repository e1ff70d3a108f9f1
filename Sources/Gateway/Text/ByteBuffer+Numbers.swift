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
            var rest = value
            var index = max(width, 1)
            repeat {
                index -= 1
                out[index] = UInt8(ascii: "0") + UInt8(truncatingIfNeeded: rest % 10)
                rest /= 10
            } while index > 0
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
