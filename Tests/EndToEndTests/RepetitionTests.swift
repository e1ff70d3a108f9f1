import Foundation
import TestSupport
import Testing

/// A request goes out twice only where the Model Service cannot have worked on it, or does not mind.
@Suite("Repetition", .sidecarLog) struct RepetitionTests {
    /// The model has read the request when its connection dies: it may have done what was asked for.
    @Test(arguments: [Reply.close, .close.acknowledged, .reset.acknowledged], ModelTransport.allCases)
    func asksAModelThatDiesAtWorkOnce(_ death: Reply, _ transport: ModelTransport) throws {
        let service = try FakeModelService { $0.text == "good" ? .json(Sample.native) : death }
        try withSidecar(irisConfiguration(service, transport)) { sidecar in
            // More often than libcurl counts.
            for round in 0..<8 {
                #expect(try sidecar.post("/predictions/iris", json: "good").status == 200)
                let response = try sidecar.post("/predictions/iris", json: "bad \(round)")
                #expect(response.status == 502)
                #expect(service.calls.filter { $0.text == "bad \(round)" }.map(\.indexOnConnection) == [1])
                _ = try sidecar.events(atLeast: 2 * round + 2)
                try expectFailure(
                    sidecar.events(ofRequest: response.requestId),
                    requestId: response.requestId,
                    status: 502,
                    causes: ["reset"]
                )
            }
        }
    }

    /// libcurl counts how often a handle met a dead connection, over all of its transfers, and gives up at the sixth.
    @Test(arguments: [Reply.close, .reset, .close.acknowledged, .reset.acknowledged], ModelTransport.allCases)
    func neverTiresOfDeadConnections(_ death: Reply, _ transport: ModelTransport) throws {
        let service = try FakeModelService { $0.indexOnConnection == 0 ? .json(Sample.native) : death }
        try withSidecar(irisConfiguration(service, transport, ["repeatable": "true"])) { sidecar in
            let statuses = try (0..<30).map { try sidecar.post("/predictions/iris", json: "\($0)").status }
            #expect(statuses == Array(repeating: 200, count: 30))
            // Each of them is answered on a connection of its own, and was tried on the one before.
            #expect(service.calls.count == 59)
        }
    }

    /// A server that closes a connection with a request unread in it resets it.
    @Test(arguments: ModelTransport.allCases)
    func sendsAgainWhatNobodyHasRead(_ transport: ModelTransport) throws {
        let service = try FakeModelService { _ in Reply(Reply.json(Sample.native).steps + [.waitForBytes, .close]) }
        try withSidecar(irisConfiguration(service, transport)) { sidecar in
            let statuses = try (0..<40).map { try sidecar.post("/predictions/iris", json: "\($0)").status }
            for (index, status) in statuses.enumerated() {
                #expect(service.calls.filter { $0.text == "\(index)" }.count == (status == 200 ? 1 : 0))
            }
            // On a machine that is too busy to close within 40 ms, the kernel has acknowledged the request by then.
            let good = statuses.count { $0 == 200 }
            #expect(good >= 30, "\(statuses)")
        }
    }

    @Test func sendsAgainWhatAUnixSocketHeldUnread() throws {
        let directory = TemporaryDirectory()
        let service = try FakeModelService(at: .unix(path: directory.file("model.sock"))) { _ in
            Reply(Reply.json(Sample.native).steps + [.waitForBytes, .close])
        }
        try withSidecar(irisConfiguration(service, .direct)) { sidecar in
            let statuses = try (0..<20).map { try sidecar.post("/predictions/iris", json: "\($0)").status }
            #expect(statuses == Array(repeating: 200, count: 20))
            #expect(service.calls.map(\.text) == (0..<20).map { "\($0)" })
        }
    }
}
