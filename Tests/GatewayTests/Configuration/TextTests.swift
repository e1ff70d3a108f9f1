import TestSupport
import Testing

@testable import Gateway

@Suite struct SizeTextTests {
    @Test(arguments: [
        ("0", 0), ("512", 512), ("512B", 512), ("64KiB", 65_536), ("16MiB", 16 << 20), ("1GiB", 1 << 30),
        ("2TiB", 2 << 40), ("10KB", 10_000), ("10MB", 10_000_000), ("1GB", 1_000_000_000), ("007", 7),
        ("1TB", 1_000_000_000_000), ("9223372036854775807", Int.max), ("8388607TiB", 8_388_607 << 40),
    ]) func parses(_ text: String, _ bytes: Int) throws {
        #expect(try SizeText.parse(text) == bytes)
    }

    @Test(arguments: ["", "MiB", "-1", "+1", "1.5MiB", "1 MiB", "1mib", "1kB", "1Ki", "1MiBs", "0x10", "１", "1_000"])
    func refuses(_ text: String) {
        let want = InvalidValue(
            "is not a size; write a whole number of bytes, or one with B, KiB, MiB, GiB, TiB, KB, MB, GB or TB"
        )
        #expect(throws: want) { try SizeText.parse(text) }
    }

    @Test(arguments: ["9223372036854775808", "8388608TiB", "99999999999999999999999999MiB"])
    func refusesOverflow(_ text: String) {
        #expect(throws: InvalidValue("is too large a size")) { try SizeText.parse(text) }
    }

    @Test func roundTrips() throws {
        var random = SeededGenerator(seed: 1)
        for _ in 0..<2_000 {
            let bytes = Int.random(in: 0...Int.max, using: &random) >> Int.random(in: 0...62, using: &random)
            let whole = (bytes >> 30) << Int.random(in: 0...30, using: &random)
            #expect(try SizeText.parse(SizeText.describe(bytes)) == bytes)
            #expect(try SizeText.parse(SizeText.describe(whole)) == whole)
        }
    }
}

@Suite struct DurationTextTests {
    @Test(
        arguments: [
            ("0s", .zero), ("2s", .seconds(2)), ("500ms", .milliseconds(500)), ("1m", .seconds(60)),
            ("1h", .seconds(3_600)),
            ("1.5s", .milliseconds(1_500)), ("0.25ms", .microseconds(250)),
            ("1.000000001s", .nanoseconds(1_000_000_001)),
            ("0.1h", .seconds(360)), ("0.999999999h", .nanoseconds(3_599_999_996_400)),
            ("9223372036.854775807s", .nanoseconds(Int64.max)),
        ] as [(String, Duration)]
    ) func parses(_ text: String, _ duration: Duration) throws {
        #expect(try DurationText.parse(text) == duration)
    }

    @Test(arguments: ["", "s", ".5s", "1.s", "-1s", "1 s", "1S", "1sec", "1.5.5s", "1us", "1d", "1e3s", "．5s"])
    func refuses(_ text: String) {
        #expect(throws: InvalidValue("is not a duration; write a number with ms, s, m or h, such as 500ms or 1.5s")) {
            try DurationText.parse(text)
        }
    }

    @Test(arguments: ["75", "0", "1.5"]) func refusesANumberWithoutUnit(_ text: String) {
        #expect(throws: InvalidValue("has no unit; write ms, s, m or h after the number")) {
            try DurationText.parse(text)
        }
    }

    @Test(arguments: ["9223372036.854775808s", "9223372036855ms", "2562048h", "99999999999999999999s"])
    func refusesOverflow(_ text: String) {
        #expect(throws: InvalidValue("is too long a duration")) { try DurationText.parse(text) }
    }

    @Test func refusesMoreThanNanoseconds() {
        #expect(throws: InvalidValue("has more than 9 decimals")) { try DurationText.parse("1.0000000001s") }
    }

    @Test(arguments: [("75s", "75s"), ("120s", "2m"), ("24h", "24h"), ("1500ms", "1500ms"), ("0.25ms", "0.25ms")])
    func describes(_ text: String, _ want: String) throws {
        #expect(DurationText.describe(try DurationText.parse(text)) == want)
    }

    @Test func roundTrips() throws {
        var random = SeededGenerator(seed: 2)
        for _ in 0..<2_000 {
            let number = Int64.random(in: 0...Int64.max, using: &random) >> Int64.random(in: 0...62, using: &random)
            let duration = Duration.nanoseconds(number)
            #expect(try DurationText.parse(DurationText.describe(duration)) == duration)
        }
    }
}

@Suite struct EditDistanceTests {
    @Test(arguments: [
        ("", "", 0), ("a", "", 1), ("port", "prot", 1), ("kitten", "sitting", 3), ("ab", "ba", 1),
    ]) func counts(_ first: String, _ second: String, _ distance: Int) {
        #expect(editDistance(Array(first.utf8), Array(second.utf8), limit: .max) == distance)
        #expect(editDistance(Array(second.utf8), Array(first.utf8), limit: .max) == distance)
    }

    @Test(arguments: [("kitten", "sitting"), ("", "abc"), ("abcdef", "badcfe"), ("abc", "xyz")])
    func givesUpBeyondTheLimit(_ first: String, _ second: String) {
        #expect(editDistance(Array(first.utf8), Array(second.utf8), limit: 3) == 3)
        #expect(editDistance(Array(first.utf8), Array(second.utf8), limit: 2) == nil)
    }

    /// Also where letters come in pairs and swapped.
    @Test func aLimitChangesNothingBelowIt() {
        var random = SeededGenerator(seed: 3)
        for _ in 0..<5_000 {
            let words = (0..<2).map { _ in
                (0..<Int.random(in: 0...9, using: &random)).map { _ in UInt8.random(in: 97...99, using: &random) }
            }
            let distance = editDistance(words[0], words[1], limit: .max) ?? .max
            for limit in 0...9 {
                let limited = editDistance(words[0], words[1], limit: limit)
                #expect(limited == (distance <= limit ? distance : nil), "\(words) \(limit)")
            }
        }
    }

    @Test func suggestsOnlyWhatIsNear() {
        #expect(nearest(to: "debgu", in: ["info", "debug"]) == "debug")
        #expect(nearest(to: "PROT", in: ["part", "port"]) == "port")
        #expect(nearest(to: "irsi", in: ["risk", "iris", "irsa"]) == "iris")
        #expect(nearest(to: "deductoin", in: ["reduction", "deductions", "deduction"]) == "deduction")
        #expect(nearest(to: "loud", in: ["info", "debug"]) == nil)
        #expect(nearest(to: String(repeating: "x", count: 101), in: ["x"]) == nil)
    }
}

@Suite struct RandomTextTests {
    /// No text makes a parser crash, whatever it makes of it.
    @Test func neverCrashes() {
        var random = SeededGenerator(seed: 3)
        let alphabet = Array("0123456789.smhKMGTiB%:/@?#[]ah+unixtp é\u{0}")
        for _ in 0..<20_000 {
            let length = Int.random(in: 0...30, using: &random)
            let text = String((0..<length).map { _ in alphabet.randomElement(using: &random) ?? "0" })
            _ = try? SizeText.parse(text)
            _ = try? DurationText.parse(text)
            _ = try? ServiceURL.parse(text)
            _ = try? ServiceURL.parse("http://" + text)
            _ = try? ServiceURL.parse("http+unix://%2F" + text)
            _ = ConfigurationPath(text: text)
            _ = ConfigurationFlags.Model(text: text)
        }
    }
}
