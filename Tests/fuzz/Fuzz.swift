// What libFuzzer calls with each input: the bytes of a response, as they come over a connection.

@c(LLVMFuzzerTestOneInput)
public func testOneInput(_ data: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
    if let violation = ResponseParserCheck.violation(Array(UnsafeBufferPointer(start: data, count: count))) {
        fatalError(violation)
    }
    return 0
}
