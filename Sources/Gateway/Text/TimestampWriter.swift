/// Writes instants as RFC 3339 in UTC with microseconds: `2026-11-24T15:14:31.123456Z`.
///
/// The text of the last second is kept: the stamps of one exchange, and of one turn of the loop, mostly share it. One
/// per shard.
final class TimestampWriter {
    /// How long each stamp is.
    static let length = 27

    /// `2026-11-24T15:14:31.`, the text of `second`.
    private let prefix = ByteBuffer(capacity: 32)
    private var second = Int64.min

    /// Appends an instant given in nanoseconds since 1970-01-01 UTC; what is below a microsecond is cut off.
    func append(_ nanoseconds: Int64, to buffer: ByteBuffer) {
        // Towards the past, so that instants before 1970 come out right too.
        let (quotient, remainder) = nanoseconds.quotientAndRemainder(dividingBy: 1_000_000_000)
        let fraction = remainder < 0 ? remainder + 1_000_000_000 : remainder
        let second = remainder < 0 ? quotient - 1 : quotient
        if second != self.second { remember(second) }
        buffer.reserve(Self.length)
        buffer.append(prefix.view)
        buffer.append(decimal: UInt(fraction / 1_000), width: 6)
        buffer.append(UInt8(ascii: "Z"))
    }

    private func remember(_ second: Int64) {
        let secondsPerDay: Int64 = 86_400
        let secondOfDay = (second % secondsPerDay + secondsPerDay) % secondsPerDay
        let date = CivilDate(daysSinceEpoch: (second - secondOfDay) / secondsPerDay)
        prefix.removeAll()
        prefix.append(decimal: UInt(date.year), width: 4)
        prefix.append(UInt8(ascii: "-"))
        prefix.append(decimal: UInt(date.month), width: 2)
        prefix.append(UInt8(ascii: "-"))
        prefix.append(decimal: UInt(date.day), width: 2)
        prefix.append(UInt8(ascii: "T"))
        prefix.append(decimal: UInt(secondOfDay / 3_600), width: 2)
        prefix.append(UInt8(ascii: ":"))
        prefix.append(decimal: UInt(secondOfDay / 60 % 60), width: 2)
        prefix.append(UInt8(ascii: ":"))
        prefix.append(decimal: UInt(secondOfDay % 60), width: 2)
        prefix.append(UInt8(ascii: "."))
        self.second = second
    }
}

/// A day in the Gregorian calendar, also before it was introduced.
struct CivilDate: Equatable {
    var year: Int64
    var month: Int64
    var day: Int64

    init(year: Int64, month: Int64, day: Int64) {
        self.year = year
        self.month = month
        self.day = day
    }

    /// The day so many days after 1970-01-01; for any instant that fits in 64 bits of nanoseconds.
    ///
    /// Years are counted from 1 March, so that the leap day is a year's last, in eras of 400 years, which are all
    /// equally long (Howard Hinnant, "chrono-Compatible Low-Level Date Algorithms", `civil_from_days`).
    init(daysSinceEpoch: Int64) {
        let daysPerEra: Int64 = 146_097
        // 719 468 days lie between 0000-03-01 and 1970-01-01: never negative for the years 1677 to 2262.
        let days = daysSinceEpoch + 719_468
        precondition(days >= 0, "a date before the year 0")
        let era = days / daysPerEra
        let dayOfEra = days % daysPerEra
        let yearOfEra = (dayOfEra - dayOfEra / 1_460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
        let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
        let monthFromMarch = (5 * dayOfYear + 2) / 153
        day = dayOfYear - (153 * monthFromMarch + 2) / 5 + 1
        month = monthFromMarch < 10 ? monthFromMarch + 3 : monthFromMarch - 9
        year = yearOfEra + era * 400 + (month <= 2 ? 1 : 0)
    }
}

@available(*, unavailable)
extension TimestampWriter: Sendable {}
