import Foundation
import Testing

@testable import Gateway

@Suite struct UUIDv7Tests {
    private let instant: Int64 = 1_795_533_271_123_456_789

    @Test func `the example of RFC 9562`() {
        // Appendix A.6.
        let uuid = UUIDv7(high: 0x017f_22e2_79b0_7cc3, low: 0x98c4_dc0c_0c07_398f)
        #expect(writtenText { uuid.append(to: $0) } == "017f22e2-79b0-7cc3-98c4-dc0c0c07398f")
    }

    @Test func `time, version and variant stand where they should`() throws {
        let generator = UUIDv7Generator()
        for step in 0..<1_000 as Range<Int64> {
            let text = writtenText { generator.appendNext(at: instant + step * 1_000_000, to: $0) }
            let uuid = try #require(UUID(uuidString: text)).uuid
            let milliseconds = [uuid.0, uuid.1, uuid.2, uuid.3, uuid.4, uuid.5].reduce(0) { $0 << 8 | Int64($1) }
            #expect(milliseconds == instant / 1_000_000 + step)
            #expect(uuid.6 >> 4 == 7)
            #expect(uuid.8 >> 6 == 2)
            #expect(text == text.lowercased())
        }
    }

    @Test func `ids rise within a millisecond, and when the clock goes back`() {
        let generator = UUIDv7Generator()
        var last = ""
        for step in 0..<20_000 as Range<Int64> {
            let text = writtenText { generator.appendNext(at: instant - step * 100_000, to: $0) }
            #expect(text > last)
            last = text
        }
    }

    @Test func `a counter that runs over borrows the next millisecond`() {
        let generator = UUIDv7Generator()
        let before = generator.next(at: instant)
        generator.exhaustCounterForTest()
        let after = generator.next(at: instant)
        #expect(after.high >> 16 == before.high >> 16 + 1)
        #expect(generator.next(at: instant).high >> 16 == after.high >> 16)
    }

    @Test func `two generators differ`() {
        let ids = Set((0..<2_000).map { _ in writtenText { UUIDv7Generator().appendNext(at: instant, to: $0) } })
        #expect(ids.count == 2_000)
    }
}
