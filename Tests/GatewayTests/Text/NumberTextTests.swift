import Foundation
import TestSupport
import Testing

@testable import Gateway

@Suite struct NumberTextTests {
    @Test func `numbers are written as Swift writes them`() {
        var numbers: [Int] = [0, 1, -1, 9, 10, -10, 99, 100, 101, Int.max, Int.min]
        var power = 1
        while power < Int.max / 10 {
            power *= 10
            numbers += [power - 1, power, power + 1, -power]
        }
        var generator = SeededGenerator(seed: 2)
        for _ in 0..<1_000 { numbers.append(Int(truncatingIfNeeded: generator.next()) >> Int(generator.next() % 64)) }
        for number in numbers {
            #expect(writtenText { $0.append(decimal: number) } == String(number))
            let unsigned = UInt(bitPattern: number)
            #expect(writtenText { $0.append(decimal: unsigned) } == String(unsigned))
        }
    }

    @Test(
        arguments: [
            (7, 3, "007"), (123, 3, "123"), (1_234, 3, "234"), (0, 1, "0"), (5, 0, "5"),
            (42, 22, "0000000000000000000042"),
        ] as [(UInt, Int, String)]
    )
    func `numbers of a fixed width`(number: UInt, width: Int, text: String) {
        #expect(writtenText { $0.append(decimal: number, width: width) } == text)
    }

    @Test(
        arguments: [
            (0, "0.000"), (499, "0.000"), (500, "0.001"), (4_125_000, "4.125"), (999_999_500, "1000.000"),
            (-5, "0.000"), (12_345_678_901, "12345.679"), (Int64.max, "9223372036854.776"),
        ] as [(Int64, String)]
    )
    func `durations in milliseconds`(nanoseconds: Int64, text: String) {
        #expect(writtenText { $0.append(milliseconds: nanoseconds) } == text)
    }

    @Test func `bytes in hexadecimal`() {
        for byte in UInt8.min...UInt8.max {
            #expect(writtenText { $0.appendHexadecimal(byte) } == String(format: "%02x", byte))
        }
        for value in UInt16.min...UInt16.max {
            let text = writtenText { $0.appendHexadecimal(value) }
            if text != String(format: "%04x", Int(value)) { Issue.record("\(value) is written as \(text)") }
        }
    }
}
