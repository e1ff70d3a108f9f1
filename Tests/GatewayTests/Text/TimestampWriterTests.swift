import Foundation
import TestSupport
import Testing

@testable import Gateway

@Suite struct TimestampWriterTests {
    @Test(
        arguments: [
            (0, "1970-01-01T00:00:00.000000Z"), (1, "1970-01-01T00:00:00.000000Z"),
            (999_999, "1970-01-01T00:00:00.000999Z"), (-1, "1969-12-31T23:59:59.999999Z"),
            (951_782_399_000_000_000, "2000-02-28T23:59:59.000000Z"),
            (951_782_400_000_000_000, "2000-02-29T00:00:00.000000Z"),
            (1_795_533_271_123_456_789, "2026-11-24T15:14:31.123456Z"),
            (4_107_542_400_000_000_000, "2100-03-01T00:00:00.000000Z"),
            (Int64.max, "2262-04-11T23:47:16.854775Z"), (Int64.min, "1677-09-21T00:12:43.145224Z"),
        ] as [(Int64, String)]
    )
    func `instants`(nanoseconds: Int64, text: String) {
        let writer = TimestampWriter()
        #expect(writtenText { writer.append(nanoseconds, to: $0) } == text)
        #expect(text.utf8.count == TimestampWriter.length)
    }

    @Test(arguments: 0..<4 as Range<UInt64>)
    func `instants are those of strftime, in any order`(seed: UInt64) {
        let writer = TimestampWriter()
        var generator = SeededGenerator(seed: seed)
        for _ in 0..<5_000 {
            let nanoseconds = Int64(truncatingIfNeeded: generator.next())
            var second = time_t(nanoseconds / 1_000_000_000)
            if nanoseconds % 1_000_000_000 < 0 { second -= 1 }
            let microseconds = (nanoseconds - Int64(second) &* 1_000_000_000) / 1_000
            var parts = tm()
            gmtime_r(&second, &parts)
            var text = [CChar](repeating: 0, count: 64)
            strftime(&text, text.count, "%Y-%m-%dT%H:%M:%S", &parts)
            let wanted = String(decoding: text.prefix { $0 != 0 }.map { UInt8($0) }, as: UTF8.self)
            #expect(
                writtenText { writer.append(nanoseconds, to: $0) }
                    == wanted + String(format: ".%06ldZ", Int(microseconds))
            )
        }
    }

    @Test func `days follow one another as in a calendar`() {
        var date = CivilDate(year: 1600, month: 1, day: 1)
        for day in Int64(-135_140)..<260_000 {
            #expect(CivilDate(daysSinceEpoch: day) == date)
            let isLeapYear = date.year % 4 == 0 && (date.year % 100 != 0 || date.year % 400 == 0)
            let lengths: [Int64] = [31, isLeapYear ? 29 : 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31]
            date.day += 1
            if date.day > lengths[Int(date.month) - 1] { (date.month, date.day) = (date.month + 1, 1) }
            if date.month > 12 { (date.year, date.month) = (date.year + 1, 1) }
        }
    }
}
