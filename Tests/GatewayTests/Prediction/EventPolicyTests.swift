import Testing

@testable import Gateway

@Suite struct EventPolicyTests {
    @Test(arguments: [
        (EventPolicy.Capture.none, 0, 0), (.none, 500, 0), (.input, 0, 0), (.input, 500, 500), (.body, 99, 99),
        (.body, 100, 100), (.body, 500, 100),
    ])
    func `of a request is read what may be recorded`(capture: EventPolicy.Capture, length: Int, read: Int) {
        let policy = EventPolicy(capture: capture, maxCaptureBytes: 100, maxEventBytes: 300)
        let body = [UInt8](repeating: 0x20, count: length)
        body.withByteView { #expect(policy.readBytes(of: $0) == read) }
    }

    @Test(arguments: [(0, true), (300, true), (301, false)])
    func `what no event has room for is not looked into at one go`(length: Int, isShort: Bool) {
        let body = [UInt8](repeating: 0x20, count: length)
        body.withByteView { #expect(EventPolicy(maxEventBytes: 300).isShort($0) == isShort) }
    }

    /// Two requests, the first with its rows recorded: nothing of it is in what comes after.
    @Test func `a request of which nothing is recorded follows one of which something is`() {
        let capture = RequestCapture()
        let source = RequestCapture.Source(
            body: ByteView(#"{"instances":[1]}"#),
            contentType: ByteView("application/json"),
            hasTensors: false
        )
        var event = PredictionEvent()
        #expect(capture.begin(source, EventPolicy(capture: .input)))
        capture.arrange(rowCount: 1)
        capture.add(to: &event)
        #expect(event.input?.bytes.string == "1")
        capture.beginNothing()
        capture.arrange(rowCount: 1)
        var next = PredictionEvent()
        capture.add(to: &next)
        #expect(next.input == nil && next.request == nil)
    }
}
