/// Durations as people write them: `500ms`, `2s`, `1.5s`, `1m`, `1h`.
public enum DurationText {
    private static let units: [(name: String, nanoseconds: Int64)] = [
        ("h", 3_600_000_000_000), ("m", 60_000_000_000), ("s", 1_000_000_000), ("ms", 1_000_000),
    ]
    private static let maxFractionDigits = 9

    /// The duration, exact to the nanosecond.
    public static func parse(_ text: String) throws(InvalidValue) -> Duration {
        let whole = text.utf8.prefix { isDigit($0) }
        var rest = text.utf8.dropFirst(whole.count)
        var fraction = rest.prefix(0)
        if rest.first == UInt8(ascii: ".") {
            fraction = rest.dropFirst().prefix { isDigit($0) }
            rest = rest.dropFirst(1 + fraction.count)
            if fraction.isEmpty { throw notADuration }
        }
        if whole.isEmpty { throw notADuration }
        if rest.isEmpty { throw InvalidValue("has no unit; write ms, s, m or h after the number") }
        let unitName = String(decoding: rest, as: UTF8.self)
        guard let unit = units.first(where: { $0.name == unitName }) else { throw notADuration }
        if fraction.count > maxFractionDigits { throw InvalidValue("has more than \(maxFractionDigits) decimals") }

        guard let number = Int64(String(decoding: whole, as: UTF8.self)) else { throw tooLong }
        // A fraction of an hour has up to 22 digits on the way, which Int64 does not hold.
        var part = Int128(unit.nanoseconds) * Int128(Int64(String(decoding: fraction, as: UTF8.self)) ?? 0)
        for _ in 0..<fraction.count { part /= 10 }
        let total = Int128(number) * Int128(unit.nanoseconds) + part
        guard let nanoseconds = Int64(exactly: total) else { throw tooLong }
        return .nanoseconds(nanoseconds)
    }

    /// The shortest text: in the largest unit that divides it, else in milliseconds or a fraction of them.
    public static func describe(_ duration: Duration) -> String {
        let (seconds, attoseconds) = duration.components
        let total = Int128(seconds) * 1_000_000_000 + Int128(attoseconds / 1_000_000_000)
        if total == 0 { return "0s" }
        if let unit = units.first(where: { total.isMultiple(of: Int128($0.nanoseconds)) }) {
            return "\(total / Int128(unit.nanoseconds))\(unit.name)"
        }
        var decimals = String(total.magnitude % 1_000_000)
        decimals = String(repeating: "0", count: 6 - decimals.count) + decimals
        while decimals.hasSuffix("0") { decimals.removeLast() }
        return "\(total / 1_000_000).\(decimals)ms"
    }

    private static var notADuration: InvalidValue {
        InvalidValue("is not a duration; write a number with ms, s, m or h, such as 500ms or 1.5s")
    }
    private static var tooLong: InvalidValue { InvalidValue("is too long a duration") }
}
