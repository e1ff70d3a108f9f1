extension ByteView {
    /// The value of a JSON number, which must have been checked (RFC 8259, section 6).
    var number: Double {
        var digits: UInt64 = 0
        var exponent = 0
        var isFraction = false
        for index in 0..<count {
            switch self[index] {
            case UInt8(ascii: "-") where index == 0: continue
            case UInt8(ascii: "."): isFraction = true
            case let byte where byte &- UInt8(ascii: "0") <= 9 && digits < Self.exactDigits / 10:
                digits = digits * 10 + UInt64(byte - UInt8(ascii: "0"))
                if isFraction { exponent -= 1 }
            // Long numbers, and those with an exponent, are rare: the standard library reads them.
            default: return Double(string) ?? .nan
            }
        }
        // Both are exact, so the one division rounds as it should.
        guard exponent >= -22 else { return Double(string) ?? .nan }
        let value = Double(digits) / Self.powersOfTen[-exponent]
        return self[0] == UInt8(ascii: "-") ? -value : value
    }

    /// Whole numbers up to here have a Double of their own.
    private static let exactDigits: UInt64 = 1 << 53
    private static let powersOfTen: [Double] = [
        1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18, 1e19,
        1e20, 1e21, 1e22,
    ]
}

extension ByteBuffer {
    /// Appends a number with `decimals` digits after the point, rounded; its size times 10^decimals must fit 63 bits.
    func append(_ value: Double, decimals: Int) {
        var scale: UInt = 1
        for _ in 0..<decimals { scale *= 10 }
        let scaled = UInt((value.magnitude * Double(scale)).rounded())
        if value < 0, scaled > 0 { append(UInt8(ascii: "-")) }
        append(decimal: scaled / scale)
        append(UInt8(ascii: "."))
        append(decimal: scaled % scale, width: decimals)
    }
}
