extension ByteBuffer {
    /// Appends a number in decimal.
    func append(decimal value: Int) {
        if value < 0 {
            append(UInt8(ascii: "-"))
            append(decimal: value.magnitude)
        } else {
            append(decimal: UInt(value))
        }
    }

    /// Appends a number in decimal.
    func append(decimal value: UInt) {
        var divisor: UInt = 1
        while value / divisor >= 10 { divisor *= 10 }
        while divisor > 0 {
            append(UInt8(ascii: "0") + UInt8(truncatingIfNeeded: value / divisor % 10))
            divisor /= 10
        }
    }

    /// Appends a number in decimal with leading zeros up to `width` digits; higher digits are left out.
    func append(decimal value: UInt, width: Int) {
        var divisor: UInt = 1
        for _ in 1..<max(width, 1) { divisor *= 10 }
        while divisor > 0 {
            append(UInt8(ascii: "0") + UInt8(truncatingIfNeeded: value / divisor % 10))
            divisor /= 10
        }
    }

    /// Appends a duration as milliseconds with three decimals, rounded to the nearest microsecond: `4.125`.
    func append(milliseconds nanoseconds: Int64) {
        let microseconds = (UInt(max(nanoseconds, 0)) + 500) / 1_000
        append(decimal: microseconds / 1_000)
        append(UInt8(ascii: "."))
        append(decimal: microseconds % 1_000, width: 3)
    }
}
