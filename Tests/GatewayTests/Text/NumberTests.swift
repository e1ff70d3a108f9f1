import Testing

@testable import Gateway

@Suite struct NumberTests {
    @Test(arguments: [
        "0", "-0", "1", "-1", "5.1", "0.2", "-1.075", "0.1", "123456789.125", "1e3", "1.5E-7", "9007199254740993",
        "0.30000000000000004", "1e400", "-1e400", "0.00000000000000000000000000001", "100000000000000000000000",
        "3.14159265358979", "2.718281828459045",
    ])
    func readsAsTheStandardLibraryDoes(text: String) {
        let value = Array(text.utf8).withByteView { $0.number }
        #expect(value.bitPattern == Double(text)?.bitPattern)
    }

    @Test(
        arguments: zip(
            [0, 1, -1.25, 0.98158, 0.99996, -0.00001, 12.3456],
            ["0.0000", "1.0000", "-1.2500", "0.9816", "1.0000", "0.0000", "12.3456"]
        )
    )
    func writesDecimals(value: Double, text: String) {
        let out = ByteBuffer()
        out.append(value, decimals: 4)
        #expect(out.view.string == text)
    }
}
