/// Sizes as people write them: `16MiB`, `10MB`, `512B`, or a plain number of bytes.
public enum SizeText {
    private static let units: [(name: String, bytes: Int)] = [
        ("TiB", 1 << 40), ("GiB", 1 << 30), ("MiB", 1 << 20), ("KiB", 1 << 10),
        ("TB", 1_000_000_000_000), ("GB", 1_000_000_000), ("MB", 1_000_000), ("KB", 1_000), ("B", 1),
    ]

    /// The number of bytes.
    public static func parse(_ text: String) throws(InvalidValue) -> Int {
        let digits = text.utf8.prefix { isDigit($0) }
        let unit = String(text.dropFirst(digits.count))
        guard !digits.isEmpty, let scale = unit.isEmpty ? 1 : units.first(where: { $0.name == unit })?.bytes else {
            throw InvalidValue(
                "is not a size; write a whole number of bytes, or one with B, KiB, MiB, GiB, TiB, KB, MB, GB or TB"
            )
        }
        guard let number = Int(String(text.prefix(digits.count))) else { throw InvalidValue("is too large a size") }
        let (bytes, overflow) = number.multipliedReportingOverflow(by: scale)
        if overflow { throw InvalidValue("is too large a size") }
        return bytes
    }

    /// The shortest exact text: in the largest binary unit that divides it, else in bytes.
    public static func describe(_ bytes: Int) -> String {
        guard bytes != 0, let unit = units.prefix(4).first(where: { bytes.isMultiple(of: $0.bytes) }) else {
            return "\(bytes)B"
        }
        return "\(bytes / unit.bytes)\(unit.name)"
    }
}

/// Whether a byte is an ASCII digit; `Character.isNumber` knows many more.
func isDigit(_ byte: UInt8) -> Bool { byte >= UInt8(ascii: "0") && byte <= UInt8(ascii: "9") }
