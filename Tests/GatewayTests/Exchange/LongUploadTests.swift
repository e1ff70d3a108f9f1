import TestSupport
import Testing

@testable import Gateway

/// Requests whose call begins at their head.
@Suite struct LongUploadTests {
    private static let length = 1 << 20

    private func begin(_ rig: FlowRig, _ face: Face = .v1, id: String = "mine", length: Int = length) -> Exchange? {
        let exchange = rig.take(1, face: face, bytes: [])
        exchange.request.id.removeAll()
        exchange.request.id.append(string: id)
        guard rig.flow.beginAtHead(exchange, bodyLength: length, now: 5) else {
            #expect(exchange.state == .receiving && exchange.request.passedLength == nil)
            rig.flow.end(exchange)
            return nil
        }
        #expect(exchange.state == .calling && exchange.request.passedLength == length)
        #expect(exchange.request.receivedAt == 5 && !exchange.request.id.isEmpty)
        return exchange
    }

    private func passes(_ rig: FlowRig, _ face: Face = .v1, id: String = "mine", length: Int = length) -> Bool {
        guard let exchange = begin(rig, face, id: id, length: length) else { return false }
        rig.flow.clientLeft(exchange)
        _ = rig.settle()
        #expect(rig.flow.inFlight == 0 && rig.flow.exchanges.inUse == 0)
        return true
    }

    @Test func `who may pass`() {
        for modelProtocol in ModelProtocol.allCases {
            for face in [Face.native, .v1, .v2] { #expect(passes(FlowRig(modelProtocol), face)) }
        }
        let rig = FlowRig()
        #expect(!passes(rig, length: 64 << 10) && passes(rig, length: (64 << 10) + 1))
        // An id may be in the body of the Open Inference Protocol.
        #expect(!passes(rig, .v2, id: "") && passes(rig, .v1, id: "") && passes(rig, .native, id: ""))
        rig.adapter.takesBodies = false
        #expect(!passes(rig))
        rig.adapter.takesBodies = true
        rig.readiness.startDraining()
        #expect(!passes(rig))
        for capture in [EventPolicy.Capture.input, .body] {
            #expect(!passes(FlowRig(policy: EventPolicy(capture: capture))))
            #expect(passes(FlowRig(policy: EventPolicy(capture: capture), isRecorded: false)))
        }
        let options = RetryPolicy.Options(attempts: 2, causes: .connect, budget: 20, isRepeatable: false)
        #expect(!passes(FlowRig(retry: RetryPolicy(options) { 0 })))
        #expect(!passes(FlowRig(maxInFlight: 0)))
    }

    @Test func `it is sent as it comes, and answered when it is in`() throws {
        let rig = FlowRig()
        let exchange = try #require(begin(rig))
        #expect(rig.adapter.submitted == [exchange.index])
        for _ in 0..<3 { rig.flow.bodyCame(exchange) }
        #expect(rig.adapter.sentOn == [exchange.index, exchange.index, exchange.index])
        rig.flow.sentBody(exchange.attempt)
        #expect(rig.provider.sentBodies == [exchange.index])
        rig.answer(exchange, FlowRig.v1(rows: 1))
        // Nobody has the rest sent after the answer.
        rig.flow.bodyCame(exchange)
        #expect(rig.adapter.sentOn.count == 3)
        _ = rig.settle()
        #expect(rig.provider.delivered.map(\.status) == [200] && rig.lane.events.count == 1)
    }

    /// The client does not go on: the call ends, and is recorded.
    @Test func `one that is refused`() throws {
        let rig = FlowRig()
        let exchange = try #require(begin(rig))
        let failure = ExchangeFailure(cause: .requestTimeout, message: "too slow")
        #expect(rig.flow.refuseUpload(exchange, failure))
        #expect(rig.adapter.cancelled == [exchange.index])
        rig.flow.end(exchange)
        _ = rig.settle()
        #expect(rig.lane.events.map(\.status) == [408])
        #expect(rig.flow.inFlight == 0 && rig.flow.exchanges.inUse == 0)
        let answered = try #require(begin(rig))
        rig.answer(answered, FlowRig.v1(rows: 1))
        #expect(!rig.flow.refuseUpload(answered, failure))
        _ = rig.settle()
    }
}
